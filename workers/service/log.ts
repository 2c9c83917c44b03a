import pino, { type Logger } from 'pino'
import { unseenAsJson } from '../../pipeline/common/visible-text.js'

export type { Logger }

/** Standard error, on which a line of JSON stays that and gives a terminal no orders: names of files stand in it. */
function standardError(): pino.DestinationStream {
  const destination = pino.destination({ dest: 2, sync: true })
  return { write: (line) => destination.write(unseenAsJson(line)) }
}

/** Structured logs of a worker: a JSON line an event on standard error. `CAMEO_LOG_LEVEL` chooses how much. */
export function createLog(fields: Readonly<Record<string, unknown>>): Logger {
  return pino(
    {
      level: process.env['CAMEO_LOG_LEVEL'] ?? 'info',
      base: { ...fields, pid: process.pid },
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
    },
    standardError(),
  )
}

/** For commands at a terminal, which tell errors themselves: nothing, unless CAMEO_LOG_LEVEL asks for it. */
export function createSilentLog(): Logger {
  return pino({ level: process.env['CAMEO_LOG_LEVEL'] ?? 'silent' }, standardError())
}
