import { alignedFacePx } from '../../pipeline/align/align-face.js'
import type { ArchiveRecipe } from '../store/meta.js'
import { CameoError } from '../../pipeline/common/errors.js'
import { readHeadFile, type HeadFile } from '../../pipeline/describe/head/head-file.js'
import type { RgbImage } from '../../pipeline/data/image.js'
import { prepareForCpu } from '../../pipeline/stages/load-pack.js'
import { defaultPackName, findPack } from '../../pipeline/models/packs/catalog.js'
import type { DeviceChoice } from '../../pipeline/models/device.js'
import { pullPack } from '../../pipeline/models/packs/download.js'
import { noEncoders, type ExtraEncoders } from '../../pipeline/models/packs/encoder-file.js'
import { tinyWeight } from '../../pipeline/onnx/flush-weights.js'
import type { RunnableFile } from '../../pipeline/models/flushed-model.js'
import { packIsPresent } from '../../pipeline/models/packs/models-dir.js'
import type { Pack, PackFile } from '../../pipeline/models/packs/pack.js'
import { probeImages } from '../../pipeline/models/probe-images.js'
import { defaultSettings, featuresOf, recipeOf } from '../../pipeline/recipe/recipe.js'
import { loadStages, type Stages } from '../../pipeline/stages/load-pipeline.js'
import { chooseEncoders } from '../archive/choose-recipe.js'

interface Files {
  readonly pack: Pack
  readonly head: HeadFile | undefined
  readonly encoders: ExtraEncoders
}

/**
 * Verifies and loads the models of an archive, including its head and encoders. For an archive without clips, checks
 * the default pack, which may be absent because it is downloaded when needed. Returns a sentence about the models
 * that work.
 * @throws ARCHIVE_OTHER_RECIPE if the files have changed; and the errors of finding and loading them
 */
export async function checkModels(
  own: ArchiveRecipe | undefined,
  dir: string,
  device: DeviceChoice,
  modelsDir: string,
): Promise<string> {
  const packName = own?.packName ?? defaultPackName
  const files: Files = {
    pack: findPack(packName),
    head: own?.headFile === undefined ? undefined : await readHeadFile(own.headFile),
    encoders: own === undefined ? noEncoders : await chooseEncoders({}, own),
  }
  if (own !== undefined) checkUnchanged(files, own, dir)
  const { pack, head, encoders } = files
  if (!packIsPresent(pack, modelsDir)) {
    if (pack.name === defaultPackName)
      return `${pack.name} is not installed yet; it is downloaded when it is needed`
    throw new CameoError('MODEL_UNREADABLE', `the model pack ${pack.name} is not in ${modelsDir}`, {
      details: { remedy: 'pull-models', pack: packName },
    })
  }
  await pullPack(pack, { modelsDir })
  const settings = own?.settings ?? defaultSettings
  const stages = await loadStages({ pack, modelsDir, settings, device, headFile: head?.path, encoders })
  try {
    return [
      `${namesOf(files).join(', ')} in ${modelsDir}, on ${stages.provider}`,
      ...(await describeSpeed(stages)),
      ...(stages.provider === 'cpu' ? describeWeights(await prepareForCpu(pack, modelsDir)) : []),
    ].join('; ')
  } finally {
    await stages.dispose()
  }
}

/** Measures how long the models take for one item. */
async function describeSpeed({ detector, landmarker, embedder }: Stages): Promise<string[]> {
  const face = drawnFace(alignedFacePx, alignedFacePx)
  const frame = drawnFace(detector.canvasWidthPx, detector.canvasHeightPx)
  const box = [0, 0, alignedFacePx, alignedFacePx] as const
  const times = [
    ['one embedding', () => embedder.embed(face)],
    ['one detection pass', () => detector.detectOnCanvas(frame)],
    ...(landmarker === undefined
      ? []
      : [['the landmarks of one face', () => landmarker.findLandmarks(face, box)] as const]),
  ] as const
  const told: string[] = []
  for (const [what, work] of times) told.push(`${what} ${(await medianMs(work)).toFixed(1)} ms`)
  return [told.join(', ')]
}

const timedRuns = 7

/** The median of several runs, after one warm-up run. */
async function medianMs(work: () => Promise<unknown>): Promise<number> {
  await work()
  const times: number[] = []
  for (let run = 0; run < timedRuns; run++) {
    const startedMs = performance.now()
    await work()
    times.push(performance.now() - startedMs)
  }
  return times.sort((a, b) => a - b)[Math.floor(timedRuns / 2)] ?? 0
}

function drawnFace(width: number, height: number): RgbImage {
  const [image] = probeImages(width, height)
  if (image === undefined) throw new Error('there is no test image to measure with')
  return image
}

function describeWeights(files: readonly (RunnableFile & PackFile)[]): string[] {
  return files.flatMap(({ name, weights, tiny }) => {
    if (weights === 'none') return []
    const count = `${tiny.toLocaleString('en')} weights below ${tinyWeight}`
    return weights === 'flushed'
      ? `${name} runs with ${count} set to 0; its results stay bit-identical`
      : `${name} runs with ${count}, which may be slow: setting them to 0 would change its results, or the folder cannot be written`
  })
}

function checkUnchanged(files: Files, own: ArchiveRecipe, dir: string): void {
  const { digest, settings, features = [] } = own
  const known = new Set(features.map((feature) => feature.digest))
  const areKnown = featuresOf(files.encoders, settings).every((feature) => known.has(feature.digest))
  if (!areKnown || recipeOf(files.pack, settings, files.head?.sha256, features).digest !== digest)
    throw new CameoError(
      'ARCHIVE_OTHER_RECIPE',
      `the archive was made with another version of the installed models (${namesOf(files).join(', ')}): ` +
        'restore the earlier files, or process its clips again',
      { details: { remedy: 'reprocess', archive: dir, differs: 'version' } },
    )
}

const namesOf = ({ pack, head, encoders }: Files) => [
  pack.name,
  ...(head === undefined ? [] : [`head ${head.path}`]),
  ...[...encoders.embedders, ...encoders.contexts].map(({ name }) => name),
]
