import { PassThrough, type Readable } from 'node:stream'
import type { Job, JobEvent, JobEvents } from './job.js'
import type { NumberedEvent } from './event-buffer.js'

/** Proxies end connections on which nothing is sent for long. ms */
const heartbeatEveryMs = 15_000

/** A reader with more unread bytes is disconnected. It can connect again, and say which event it had last. */
const mostUnreadBytes = 1_000_000

/**
 * The events of a job for one reader, as `text/event-stream`: first the state of the job, then the kept events after a number,
 * then new ones until the job ends, the reader disconnects or may not see the job any more.
 * @param after `Last-Event-ID`: the number of the last event that the reader has
 * @param maySee asked with every heartbeat: the session or key may have ended, and the rights may have changed
 */
export function eventStream(
  { job, events }: { readonly job: Job; readonly events: JobEvents },
  after: number,
  maySee: () => boolean,
  everyMs = heartbeatEveryMs,
): Readable {
  const stream = new PassThrough({ highWaterMark: 2 * mostUnreadBytes })
  const heartbeat = setInterval(() => {
    if (maySee()) stream.write(': still here\n\n')
    else stream.end()
  }, everyMs)
  heartbeat.unref()
  const send = ({ number, event }: NumberedEvent<JobEvent>) => {
    if (stream.writableEnded || stream.destroyed) return
    stream.write(`id: ${number}\n${dataOf(event)}`)
    if (event.kind === 'end' || stream.readableLength + stream.writableLength > mostUnreadBytes) stream.end()
  }
  const leave = events.listen(send)
  const release = () => {
    clearInterval(heartbeat)
    leave()
  }
  stream.once('close', release).once('finish', release)
  // It has no number of its own, so that the Last-Event-ID of the reader stays the same.
  stream.write(dataOf({ kind: 'state', job }))
  const kept = events.after(after)
  for (const each of kept) send(each)
  // The reader asks again, and already has the end.
  if (job.state !== 'running' && !stream.writableEnded) stream.end()
  return stream
}

const dataOf = (event: JobEvent) => `data: ${JSON.stringify(event)}\n\n`
