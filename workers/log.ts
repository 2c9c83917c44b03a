import pino, { type Logger } from 'pino'

export type { Logger }

/** Structured logs of a worker: a JSON line an event on standard error. `CAMEO_LOG_LEVEL` chooses how much. */
export function createLog(fields: Readonly<Record<string, unknown>>): Logger {
  return pino(
    {
      level: process.env['CAMEO_LOG_LEVEL'] ?? 'info',
      base: { ...fields, pid: process.pid },
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
    },
    pino.destination({ dest: 2, sync: true }),
  )
}

/** For commands at a terminal, which tell errors themselves: nothing, unless CAMEO_LOG_LEVEL asks for it. */
export function createSilentLog(): Logger {
  return pino(
    { level: process.env['CAMEO_LOG_LEVEL'] ?? 'silent' },
    pino.destination({ dest: 2, sync: true }),
  )
}
