import pino, { type Logger } from 'pino'
import { unseenAsJson } from '../../pipeline/common/visible-text.js'

export type { Logger }

/**
 * Standard error. Escapes control characters: log lines hold file names, which could break a line of JSON or
 * control a terminal.
 */
function standardError(): pino.DestinationStream {
  const destination = pino.destination({ dest: 2, sync: true })
  return { write: (line) => destination.write(unseenAsJson(line)) }
}

/**
 * Structured logs of a worker: one JSON line per event on standard error. `CAMEO_LOG_LEVEL` sets the level.
 */
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

/** For commands at a terminal, which report errors themselves: silent unless CAMEO_LOG_LEVEL is set. */
export function createSilentLog(): Logger {
  return pino({ level: process.env['CAMEO_LOG_LEVEL'] ?? 'silent' }, standardError())
}
