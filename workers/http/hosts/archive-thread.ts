import { parentPort, workerData, type MessagePort } from 'node:worker_threads'
import '../../../pipeline/models/no-telemetry.js'
import { CameoError } from '../../../pipeline/common/errors.js'
import { readAgainElsewhere } from '../../../index/store/kept-reads.js'
import { openCameo } from '../../cameo.js'
import type { CallMessage, HostOptions, ReplyMessage } from './call-messages.js'
import { failureOf } from './failure-of.js'
import { readElsewhere } from './read-elsewhere.js'
import { received, sentResult } from './sendable.js'

/** Runs calls of the library in a thread of its own. `ArchiveHost` is its owner. */
function run(port: MessagePort): void {
  const stops = new Map<number, AbortController>()
  const tell = (message: Exclude<ReplyMessage, { kind: 'done' }>) => port.postMessage(message)
  readAgainElsewhere(readElsewhere)
  const opening = openCameo({
    ...(workerData as HostOptions),
    notify: (text, details) => tell({ kind: 'notice', text, details }),
  })
  opening.catch(() => undefined)

  async function answer({ id, name, args }: Extract<CallMessage, { kind: 'call' }>): Promise<void> {
    const stop = new AbortController()
    stops.set(id, stop)
    try {
      const cameo = await opening
      const own = received(args, stop.signal, (place, sent) => tell({ kind: 'event', id, place, args: sent }))
      const call: unknown = Reflect.get(cameo, name)
      if (typeof call !== 'function') throw new CameoError('USAGE', `the library has no call ${name}`)
      const value: unknown = await Reflect.apply(call, cameo, own)
      port.postMessage({ kind: 'done', id, value: sentResult(value) })
    } catch (error) {
      tell({ kind: 'failed', id, error: failureOf(error) })
    } finally {
      stops.delete(id)
    }
  }

  port.on('message', (message: CallMessage) => {
    if (message.kind === 'call') void answer(message)
    else if (message.kind === 'abort') stops.get(message.id)?.abort()
    else
      void opening
        .then((cameo) => cameo.close())
        .catch(() => undefined)
        .then(() => port.close())
  })
}

if (parentPort !== null) run(parentPort)
