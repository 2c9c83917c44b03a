import { basename, resolve } from 'node:path'
import { Command, Option } from 'commander'
import { ffmpegVersion } from '../../pipeline/decode/ffmpeg.js'
import { CameoError } from '../../pipeline/common/errors.js'
import { defaultModelsDir } from '../../pipeline/models/packs/models-dir.js'
import { defaultPackName } from '../../pipeline/models/packs/catalog.js'
import type { DeviceChoice } from '../../pipeline/models/device.js'
import { readHeadFile } from '../../pipeline/describe/head/head-file.js'
import { createRecipe, defaultSettings } from '../../pipeline/recipe/recipe.js'
import { defaultCheckpointsDir, openCheckpointFolder } from '../../workers/checkpoints/checkpoint-folder.js'
import { usualLimits } from '../../pipeline/common/transfer-pace.js'
import { checkRoot, createClipAccess, type AccessRules } from '../../workers/remote-clips/clip-access.js'
import { startDescriber } from '../../workers/threads/describe-handle.js'
import { createFacesStage } from '../../workers/kafka/stages/faces/faces-stage.js'
import { startDescribeWorker } from '../../workers/kafka/stages/describe/describe-worker.js'
import { startIndexWorker } from '../../workers/kafka/stages/index/index-worker.js'
import { runStage, type StageRun } from '../../workers/kafka/stages/shared/run-stage.js'
import type { StageWorker, WorkerContext } from '../../workers/kafka/stages/shared/stage-worker.js'
import { temporaryScratch } from '../../workers/remote-clips/temporary-scratch.js'
import {
  accessRules,
  brokersOption,
  hostOption,
  kafkaHelp,
  parseSize,
  rootOption,
} from '../cli/kafka-options.js'
import { readConnection } from '../cli/kafka-connection.js'
import { usePack } from '../cli/caller.js'
import {
  archiveOption,
  checkpointOption,
  defaultThreads,
  deviceOption,
  numberWithin,
} from '../cli/options.js'
import { exitCodes, reportError } from '../cli/output.js'
import { contextOption, embedderOption } from '../cli/recipe-options.js'
import { chooseEncoders } from '../../index/archive/choose-recipe.js'

interface CommonOptions {
  readonly brokers: string
  readonly drain: number
  readonly metricsPort?: number
  readonly metricsHost: string
}

function stageCommand(name: string, description: string): Command {
  return new Command(name)
    .description(description)
    .addOption(brokersOption())
    .addOption(
      new Option('--drain <s>', 'after SIGTERM, wait so long for what is in work, then hand it back')
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

async function run(
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

interface FacesOptions extends CommonOptions {
  readonly root?: AccessRules['roots']
  readonly allowHost?: readonly string[]
  readonly scratch?: string
  readonly scratchSize: number
  readonly checkpoints?: string
  readonly checkpointEvery: number
  readonly fetchRate: number
  readonly fetchTimeout: number
  readonly device: DeviceChoice
  readonly threads: number
  readonly maxDeaths: number
  readonly pack?: readonly string[]
  readonly embedder?: readonly string[]
  readonly context?: readonly string[]
}

/** More than an unlucky clip meets: machines are switched off too. At half a minute or more a death it takes a while. */
const defaultMaxDeaths = 12

const facesCommand = stageCommand(
  'faces',
  'Take clips from the queue: decode them, find, follow and embed the faces. Any number, anywhere.',
)
  .addOption(rootOption())
  .addOption(hostOption())
  .addOption(
    new Option('--scratch <dir>', 'folder for fetched clips (default: a temporary one)').env('CAMEO_SCRATCH'),
  )
  .addOption(
    new Option('--scratch-size <size>', 'what fetched clips may take there, such as 20G')
      .env('CAMEO_SCRATCH_SIZE')
      .default(20 * 1024 ** 3, '20G')
      .argParser(parseSize),
  )
  .addOption(
    new Option('--fetch-rate <size>', 'the least that a server has to send in a second, such as 64K')
      .env('CAMEO_FETCH_RATE')
      .default(usualLimits.leastBytesPerS, '4K')
      .argParser(parseSize),
  )
  .addOption(
    new Option(
      '--fetch-timeout <s>',
      'a server that does not answer, or sends less than that, for so long is given up',
    )
      .env('CAMEO_FETCH_TIMEOUT')
      .default(usualLimits.windowS)
      .argParser(numberWithin(1, 3600)),
  )
  .addOption(
    new Option(
      '--checkpoints <dir>',
      'folder for segments under work, which another worker that has it goes on with (default: a temporary one of this user)',
    ).env('CAMEO_CHECKPOINTS'),
  )
  .addOption(checkpointOption())
  .addOption(
    new Option('--pack <file...>', 'JSON files of packs of your own that clips may be submitted with'),
  )
  .addOption(embedderOption())
  .addOption(contextOption())
  .addOption(deviceOption())
  .addOption(
    new Option('--threads <n>', 'segments processed at the same time, also where a GPU runs the models')
      .default(defaultThreads)
      .argParser(numberWithin(1, 256, 'integer')),
  )
  .addOption(
    new Option('--max-deaths <n>', 'give up a clip over which so many workers died')
      .default(defaultMaxDeaths)
      .argParser(numberWithin(1, 1000, 'integer')),
  )
  .addHelpText(
    'after',
    `
Whoever can write to the queue can have any file below the roots opened: name the folders of your clips. Without --root that
is /, every file that this user may read. Nothing is fetched from hosts that --allow-host does not name. S3 credentials and endpoint come from where the AWS SDK looks for them (AWS_*).
Models and settings are those that the clips were submitted with; of --embedder, --context and a --pack of one's own the same
files have to be given here.`,
  )
  .action(async (options: FacesOptions) => {
    const access = createClipAccess({
      rules: accessRules(options),
      scratchDir: temporaryScratch(options.scratch === undefined ? undefined : resolve(options.scratch)),
      scratchBytes: options.scratchSize,
      limits: {
        leastBytesPerS: options.fetchRate,
        ...{ answerS: options.fetchTimeout, windowS: options.fetchTimeout },
      },
    })
    const { device, threads, maxDeaths } = options
    const checkpointsDir = resolve(
      options.checkpoints === undefined || options.checkpoints === ''
        ? defaultCheckpointsDir(options.scratch)
        : options.checkpoints,
    )
    await ffmpegVersion()
    for (const root of options.root ?? []) checkRoot(root)
    // The usual models are loaded at once: a device that cannot be used is told at the start, not by the first clip.
    const pack = await usePack(defaultPackName)
    const encoders = await chooseEncoders(options, undefined)
    const recipe = createRecipe(pack, defaultSettings, undefined, encoders)
    const loadPack = (name: string) => usePack(ownPack(name, options.pack))
    await run('faces', options, (context, onFatal) => {
      if (options.root === undefined)
        context.log.warn('the root is /: any file that this user may read can be submitted')
      return createFacesStage(context, {
        ...{ access, device, threads, maxDeaths, loadPack, modelsDir: defaultModelsDir(), encoders, onFatal },
        usual: recipe,
        checkpointEveryS: options.checkpointEvery,
        openCheckpoints: (onTrouble) => openCheckpointFolder(checkpointsDir, onTrouble),
      })
    })
  })

/**
 * The pack that a job names: one of the catalog, or one that this worker was started with. A job must not choose which file is
 * read. @throws RECIPE_MISMATCH
 */
function ownPack(name: string, files: readonly string[] = []): string {
  if (!name.endsWith('.json')) return name
  const own =
    files.find((file) => resolve(file) === name) ?? files.find((file) => basename(file) === basename(name))
  if (own !== undefined) return own
  throw new CameoError(
    'RECIPE_MISMATCH',
    `the clip was submitted with the model pack ${basename(name)}, which this worker does not have: start "cameo worker faces --pack FILE" with the same file, then "cameo dead-letters retry"`,
  )
}

interface DescribeOptions extends CommonOptions {
  readonly head?: string
  readonly device: DeviceChoice
}

const describeCommand = stageCommand(
  'describe',
  'Turn the embeddings of each track into its descriptor. Any number, anywhere.',
)
  .addOption(
    new Option(
      '--head <file>',
      'ONNX head over the pooled embedding, the same that clips are submitted with',
    ),
  )
  .addOption(deviceOption())
  .action(async (options: DescribeOptions) => {
    const { device } = options
    const head = options.head === undefined ? undefined : await readHeadFile(options.head)
    const describer = startDescriber({ headFile: head?.path, device })
    await run('describe', options, (context) => startDescribeWorker({ context, describer, head }))
    await describer.stop()
  })

interface IndexOptions extends CommonOptions {
  readonly archive: string
  readonly reprocess: boolean
  readonly head?: string
}

const indexCommand = stageCommand(
  'index',
  'Write described tracks into an archive and its index. One an archive; it can be searched meanwhile.',
)
  .addOption(archiveOption())
  .addOption(
    new Option('--reprocess', 'take over other settings than the archive has, with the next clip').default(
      false,
    ),
  )
  .addOption(
    new Option('--head <file>', 'the head that the describe workers have, for searches in this archive'),
  )
  .action(async (options: IndexOptions) => {
    const { archive: archiveDir, reprocess, head } = options
    const headFile = head === undefined ? undefined : await readHeadFile(head)
    await run('index', options, (context, onFatal) =>
      startIndexWorker({ context, archiveDir, reprocess, onFatal, head: headFile }),
    )
  })

export const workerCommand = new Command('worker')
  .description('Work on submitted clips: one process a stage, on any machine that reaches the brokers.')
  .addCommand(facesCommand)
  .addCommand(describeCommand)
  .addCommand(indexCommand)
