import requestQueueClass, { type RequestQueue } from 'kafkajs/src/network/requestQueue/index.js'

const queues = requestQueueClass.prototype
const scheduleAlways = queues.scheduleCheckPendingRequests

/**
 * After its first answer, each connection of kafkajs 2.2.4 asks every millisecond whether requests wait, also when nothing happens:
 * https://github.com/tulios/kafkajs/issues/1751. This takes processor time, and Node 24 prints a warning about a negative timeout.
 * After this call, connections ask only while requests wait, or while the broker has told them to slow down.
 */
export function quietRequestQueues(): void {
  queues.scheduleCheckPendingRequests = scheduleIfNeeded
}

function scheduleIfNeeded(this: RequestQueue): void {
  if (this.pending.length > 0 || this.throttledUntil > Date.now()) scheduleAlways.call(this)
}
