import { parentPort, workerData, type MessagePort } from 'node:worker_threads'
import { AuditLog } from '../../../index/audit/audit-log.js'
import { failureOf } from '../hosts/failure-of.js'
import type { AuditMessage, AuditReply } from './audit-writer.js'

/** Writes entries in the order in which they come. `AuditWriter` is its owner. */
function run(port: MessagePort): void {
  let log: AuditLog | undefined
  let written: number[] = []

  function tell(): void {
    if (written.length > 0) port.postMessage({ kind: 'written', ids: written } satisfies AuditReply)
    written = []
  }

  /** Entries of one transaction are told together. */
  function tellLater(id: number): void {
    if (written.push(id) === 1) setImmediate(tell)
  }

  port.on('message', (message: AuditMessage) => {
    if (message.kind === 'close') {
      log?.close()
      setImmediate(() => {
        tell()
        port.close()
      })
      return
    }
    const { id, entry } = message
    const tellFailure = (error: unknown) =>
      port.postMessage({ kind: 'failed', id, error: failureOf(error) } satisfies AuditReply)
    try {
      log ??= AuditLog.open(workerData as string)
      log.append(entry).then(() => tellLater(id), tellFailure)
    } catch (error) {
      tellFailure(error)
    }
  })
}

if (parentPort !== null) run(parentPort)
