import { Command, Option } from 'commander'
import { runStage, type StageRun } from '../../../workers/kafka/stages/shared/run-stage.js'
import type { StageWorker, WorkerContext } from '../../../workers/kafka/stages/shared/stage-worker.js'
import { readConnection } from '../../cli/kafka-connection.js'
import { brokersOption, kafkaHelp } from '../../cli/kafka-options.js'
import { numberWithin } from '../../cli/options.js'
import { exitCodes, reportError } from '../../cli/output.js'

/** Options of every stage. */
export interface CommonOptions {
  readonly brokers: string
  readonly drain: number
  readonly metricsPort?: number
  readonly metricsHost: string
}

/** A command with these options. */
export function stageCommand(name: string, description: string): Command {
  return new Command(name)
    .description(description)
    .addOption(brokersOption())
    .addOption(
      new Option(
        '--drain <s>',
        'after SIGTERM, wait this many seconds for unfinished work, then hand it back',
      )
        .default(20)
        .argParser(numberWithin(0, 3600)),
    )
    .addOption(
      new Option(
        '--metrics-port <port>',
        'serve /healthz and /metrics (Prometheus) there; 0 takes a free port',
      )
        .env('CAMEO_METRICS_PORT')
        .argParser(numberWithin(0, 65_535, 'integer')),
    )
    .addOption(
      new Option('--metrics-host <host>', 'address to serve them on')
        .env('CAMEO_METRICS_HOST')
        .default('127.0.0.1'),
    )
    .addHelpText(
      'after',
      `${kafkaHelp}
Logs are JSON lines on standard error; CAMEO_LOG_LEVEL is trace, debug, info, warn or error.
Exit code: 0 stopped by SIGTERM or Ctrl-C, 2 the worker cannot work.`,
    )
}

/** Runs a stage until it is asked to end, and sets the exit code. */
export async function runStageCommand(
  stage: StageRun['stage'],
  options: CommonOptions,
  start: (context: WorkerContext, onFatal: (error: unknown) => void) => Promise<StageWorker>,
): Promise<void> {
  const { brokers, drain, metricsPort, metricsHost } = options
  const fatal = await runStage({
    ...{ stage, connection: readConnection(brokers), start },
    drainMs: drain * 1000,
    ...(metricsPort === undefined ? {} : { health: { host: metricsHost, port: metricsPort } }),
  })
  if (fatal !== undefined) reportError(fatal, false)
  process.exitCode = fatal === undefined ? exitCodes.ok : exitCodes.failed
}
