import { existsSync } from 'node:fs'
import { Command, Option } from 'commander'
import { redescribe, type Redescribed } from '../../../index/archive/redescribe.js'
import { lockArchive } from '../../../index/store/locks.js'
import type { ArchiveRecipe } from '../../../index/store/meta.js'
import { createDescriber } from '../../../pipeline/describe/describe-track.js'
import { CameoError } from '../../../pipeline/common/errors.js'
import { checkHead, loadDescriberHead, readHeadFile } from '../../../pipeline/describe/head/head-file.js'
import { findPack } from '../../../pipeline/models/packs/catalog.js'
import type { DeviceChoice } from '../../../pipeline/models/device.js'
import { sha256OfFile } from '../../../pipeline/common/digest.js'
import { modelLoader } from '../../../pipeline/models/model-loader.js'
import type { Pack } from '../../../pipeline/models/packs/pack.js'
import { recipeOf } from '../../../pipeline/recipe/recipe.js'
import { tellDamage } from '../../reports/damage-report.js'
import { archiveOption, deviceOption, jsonOption } from '../../cli/options.js'
import { counted, exitCodes, note, print, printJson } from '../../cli/output.js'
import { startProgress } from '../../cli/progress.js'
import { openFilledArchive, type OpenedArchive } from '../../../index/archive/archive-models.js'
import { untilStopped } from '../../cli/until-stopped.js'

interface ApplyOptions {
  readonly archive: string
  readonly none: boolean
  readonly device: DeviceChoice
  readonly json: boolean
}

export const applyCommand = new Command('apply')
  .description(
    'Describe the clips of an archive anew with a head, from their stored embeddings: no video is read. The archive is then as if it had been ingested with "--head".',
  )
  .argument('[head]', 'ONNX file of the head')
  .addOption(archiveOption())
  .addOption(new Option('--none', 'take the head away: plain pooled embeddings again').default(false))
  .addOption(deviceOption())
  .addOption(jsonOption())
  .addHelpText(
    'after',
    `
The archive can be searched meanwhile, with what it had before. Stopped or killed at any moment, it stays whole: run the
command again to go on. With Kafka, stop "cameo worker index" first, and start the workers with the new head afterwards.
With --json: {status, tracks, described, damaged, dimension, seconds}; status is done, unchanged or interrupted.
Exit code: 0 done, 2 the command could not run, 130 interrupted.`,
  )
  .action(async (head: string | undefined, options: ApplyOptions) => {
    if ((head === undefined) !== options.none)
      throw new CameoError('USAGE', 'give either the file of a head, or --none')
    process.exitCode = await runApply(head, options)
  })

async function runApply(head: string | undefined, options: ApplyOptions): Promise<number> {
  const opened = openFilledArchive(options.archive)
  try {
    const lock = lockArchive(opened.archive.dir)
    try {
      return await untilStopped((signal) => applyTo(opened, head, options, signal))
    } finally {
      lock.release()
    }
  } finally {
    opened.archive.close()
  }
}

async function applyTo(
  { archive, recipe: own }: OpenedArchive,
  path: string | undefined,
  { device, json }: ApplyOptions,
  signal: AbortSignal,
): Promise<number> {
  const startedMs = performance.now()
  const pack = findPack(own.packName)
  await checkPack(pack, own, archive.dir)
  const file = path === undefined ? undefined : await readHeadFile(path)
  if (file !== undefined) checkHead(file, own)
  const { dimension } = pack.embedder
  const load = modelLoader({ device, intraOpThreads: 0 })
  const head = file === undefined ? undefined : await loadDescriberHead(file, dimension, load)
  const bar = startProgress('{bar} {percentage}% {value}/{total} tracks', 5)
  try {
    const describer = await createDescriber({ digest: own.embedderDigest, dimension }, head)
    const result = await redescribe(archive, {
      recipe: recipeOf(pack, own.settings, file?.sha256, own.features ?? []),
      headFile: file?.path,
      dimension: describer.dimension,
      describe: (tracks) => describer.describeAll(tracks),
      signal,
      onProgress(done, total) {
        bar.update(done, total, {})
      },
      onNotice: note,
    })
    bar.stop()
    const seconds = Math.round(performance.now() - startedMs) / 1000
    const { damage, ...counts } = result
    const damaged = tellDamage(archive, damage)
    if (json) printJson({ ...counts, damaged, dimension: describer.dimension, seconds })
    else if (result.status !== 'interrupted') print(summaryOf(result, path, seconds))
    return result.status === 'interrupted' ? exitCodes.interrupted : exitCodes.ok
  } finally {
    bar.stop()
    await head?.model.dispose()
  }
}

function summaryOf({ status, tracks, described }: Redescribed, path: string | undefined, seconds: number) {
  const by = path === undefined ? 'plain pooling' : `the head ${path}`
  return status === 'unchanged'
    ? `the ${counted(tracks, 'track is', 'tracks are')} described by ${by} already`
    : `${counted(tracks, 'track is', 'tracks are')} described by ${by} now (${described} in ${seconds.toFixed(1)} s)`
}

/**
 * The rows get the recipe that a new ingest has: so the models must be those that they were made with. A head that is lost is no
 * hindrance to another.
 * @throws ARCHIVE_OTHER_RECIPE
 */
async function checkPack(pack: Pack, own: ArchiveRecipe, dir: string): Promise<void> {
  const { headFile } = own
  const sha256 = headFile !== undefined && existsSync(headFile) ? await sha256OfFile(headFile) : undefined
  const now = recipeOf(pack, own.settings, sha256, own.features ?? [])
  const isSame =
    now.spaceDigest === own.spaceDigest
      ? now.digest === own.digest
      : headFile !== undefined && now.embedderDigest === own.embedderDigest
  if (!isSame)
    throw new CameoError(
      'ARCHIVE_OTHER_RECIPE',
      `the archive ${dir} was made with another version of the models ${own.packName}: ingest again with --reprocess, or use the Cameo that made it`,
    )
}
