import { basename, resolve } from 'node:path'
import { Option } from 'commander'
import { chooseEncoders } from '../../../index/archive/choose-recipe.js'
import { CameoError } from '../../../pipeline/common/errors.js'
import { usualLimits } from '../../../pipeline/common/transfer-pace.js'
import { ffmpegVersion } from '../../../pipeline/decode/ffmpeg.js'
import type { DeviceChoice } from '../../../pipeline/models/device.js'
import { defaultPackName } from '../../../pipeline/models/packs/catalog.js'
import { defaultModelsDir } from '../../../pipeline/models/packs/models-dir.js'
import { createRecipe, defaultSettings } from '../../../pipeline/recipe/recipe.js'
import {
  defaultCheckpointsDir,
  openCheckpointFolder,
} from '../../../workers/checkpoints/checkpoint-folder.js'
import { createFacesStage } from '../../../workers/kafka/stages/faces/faces-stage.js'
import { checkRoot, createClipAccess, type AccessRules } from '../../../workers/remote-clips/clip-access.js'
import { temporaryScratch } from '../../../workers/remote-clips/temporary-scratch.js'
import { usePack } from '../../cli/caller.js'
import { accessRules, hostOption, parseSize, rootOption } from '../../cli/kafka-options.js'
import { checkpointOption, defaultThreads, deviceOption, numberWithin } from '../../cli/options.js'
import { contextOption, embedderOption } from '../../cli/recipe-options.js'
import { runStageCommand, stageCommand, type CommonOptions } from './stage-command.js'

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

/**
 * More than a clip meets by bad luck: machines are switched off too. At half a minute or more per death it
 * takes some time.
 */
const defaultMaxDeaths = 12

export const facesCommand = stageCommand(
  'faces',
  'Take clips from the queue: decode them, find, follow and embed the faces. Any number, anywhere.',
)
  .addOption(rootOption())
  .addOption(hostOption())
  .addOption(
    new Option('--scratch <dir>', 'folder for fetched clips (default: a temporary one)').env('CAMEO_SCRATCH'),
  )
  .addOption(
    new Option('--scratch-size <size>', 'how much space fetched clips may take there, for example 20G')
      .env('CAMEO_SCRATCH_SIZE')
      .default(20 * 1024 ** 3, '20G')
      .argParser(parseSize),
  )
  .addOption(
    new Option(
      '--fetch-rate <size>',
      'smallest amount of data that a server must send per second, for example 64K',
    )
      .env('CAMEO_FETCH_RATE')
      .default(usualLimits.leastBytesPerS, '4K')
      .argParser(parseSize),
  )
  .addOption(
    new Option(
      '--fetch-timeout <s>',
      'stop fetching if a server does not answer, or sends less than that, for this many seconds',
    )
      .env('CAMEO_FETCH_TIMEOUT')
      .default(usualLimits.windowS)
      .argParser(numberWithin(1, 3600)),
  )
  .addOption(
    new Option(
      '--checkpoints <dir>',
      'folder for unfinished segments; another worker with the same folder continues them (default: a temporary one of this user)',
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
    new Option(
      '--threads <n>',
      'how many segments are processed at the same time, also if a GPU runs the models',
    )
      .default(defaultThreads)
      .argParser(numberWithin(1, 256, 'integer')),
  )
  .addOption(
    new Option('--max-deaths <n>', 'report a clip as failed after it has crashed this many workers')
      .default(defaultMaxDeaths)
      .argParser(numberWithin(1, 1000, 'integer')),
  )
  .addHelpText(
    'after',
    `
Everyone who can write to the queue can make this worker open any file below the roots: give the folders of your clips.
Without --root, that is every file that this user may read. Clips are fetched only from the hosts of --allow-host. S3 credentials
and endpoint come from the usual sources of the AWS SDK (AWS_*).
Models and settings are those that the clips were submitted with. Give the same files here for --embedder, --context and a --pack
of your own.`,
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
    // Loads the usual models at once, so that an unusable device is reported at the start, not with the first
    // clip.
    const pack = await usePack(defaultPackName)
    const encoders = await chooseEncoders(options, undefined)
    const recipe = createRecipe(pack, defaultSettings, undefined, encoders)
    const loadPack = (name: string) => usePack(ownPack(name, options.pack))
    await runStageCommand('faces', options, (context, onFatal) => {
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
 * The pack that a job names: a pack of the catalog, or one that this worker was started with. A job must not
 * choose which file is read. @throws RECIPE_MISMATCH
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
