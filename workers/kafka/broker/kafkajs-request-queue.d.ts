/** A part of kafkajs that its own declarations leave out. */
declare module 'kafkajs/src/network/requestQueue/index.js' {
  export interface RequestQueue {
    readonly pending: readonly unknown[]
    /** Milliseconds since 1970. */
    readonly throttledUntil: number
    throttleCheckTimeoutId: NodeJS.Timeout | null
    checkPendingRequests: () => void
    scheduleCheckPendingRequests: (this: RequestQueue) => void
  }
  const requestQueueClass: { readonly prototype: RequestQueue }
  export default requestQueueClass
}
