import { PassThrough, type Readable } from 'node:stream'
import type { Job, JobEvent, JobEvents } from './job.js'
import type { NumberedEvent } from './event-buffer.js'

/** Keeps proxies from ending a quiet connection, ms. */
const heartbeatEveryMs = 15_000

/** A reader that is so far behind, bytes, is sent away; it comes again and says where it was. */
const mostUnreadBytes = 1_000_000

/**
 * The events of a job for one reader, as `text/event-stream`: first how the job is now, then events after a number, then further
 * ones until the job ends, the reader goes, or he may not see the job any more.
 * @param after `Last-Event-ID`: the last one that the reader has
 * @param maySee asked with every heartbeat: his session or key may have ended, and his rights may have changed
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
  // The number of what the reader has already stays the last one: this has no number of its own.
  stream.write(dataOf({ kind: 'state', job }))
  const kept = events.after(after)
  for (const each of kept) send(each)
  // A reader that has the end already and asks again.
  if (job.state !== 'running' && !stream.writableEnded) stream.end()
  return stream
}

const dataOf = (event: JobEvent) => `data: ${JSON.stringify(event)}\n\n`
