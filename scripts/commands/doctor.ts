import { accessSync, constants, existsSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { Command } from 'commander'
import { openArchiveToRead } from '../../index/archive.js'
import { summariseCoverage } from '../../index/coverage/sum-coverage.js'
import { HnswIndex } from '../../index/hnsw-index.js'
import { databaseFileName, translateSqliteErrors } from '../../index/store/database.js'
import type { ArchiveRecipe } from '../../index/store/meta.js'
import { ffmpegVersion } from '../../pipeline/decode/ffmpeg.js'
import { messageOf } from '../../pipeline/errors.js'
import type { DeviceChoice } from '../../pipeline/models/device.js'
import { cudaIsBuiltIn, runtimeVersion } from '../../pipeline/models/session.js'
import { checkModels } from '../check-models.js'
import { coverageLine } from '../coverage-text.js'
import { archiveOption, deviceOption, jsonOption } from '../options.js'
import { counted, exitCodes, print, printJson } from '../output.js'

interface Check {
  readonly name: string
  readonly ok: boolean
  readonly detail: string
}

export const doctorCommand = new Command('doctor')
  .description('Check that everything a machine needs is there and works.')
  .addOption(archiveOption())
  .addOption(deviceOption())
  .addOption(jsonOption())
  .action(async (options: { archive: string; device: DeviceChoice; json: boolean }) => {
    const checks = [
      await check('ffmpeg', async () => {
        const { path, version } = await ffmpegVersion()
        return `${version} (${path})`
      }),
      await check('onnxruntime', () =>
        Promise.resolve(`${runtimeVersion()}, ${cudaIsBuiltIn() ? 'with CUDA' : 'CPU only'}`),
      ),
      await check('models', () => checkModels(recipeOf(options.archive), options.device)),
      await check('hnswlib', () => Promise.resolve(tryHnsw())),
      await check('archive', () => Promise.resolve(describeArchive(options.archive))),
    ]
    const ok = checks.every((entry) => entry.ok)
    if (options.json) printJson({ ok, checks })
    else for (const entry of checks) print(`${entry.ok ? '✓' : '✗'} ${entry.name.padEnd(12)} ${entry.detail}`)
    process.exitCode = ok ? exitCodes.ok : exitCodes.failed
  })

async function check(name: string, work: () => Promise<string>): Promise<Check> {
  try {
    return { name, ok: true, detail: await work() }
  } catch (error) {
    return { name, ok: false, detail: messageOf(error) }
  }
}

/** The native library is compiled at installation; a broken build shows here and not in the middle of an ingest. */
function tryHnsw(): string {
  const index = HnswIndex.create(2)
  index.add(0, Float32Array.of(1, 0))
  const [found] = index.search(Float32Array.of(1, 0), 1)
  if (found?.label !== 0)
    throw new Error('it does not find the one vector it holds: rebuild it with "npm rebuild hnswlib-node"')
  return 'works'
}

/** Undefined, too, where the archive cannot be opened: its own check says why. */
function recipeOf(dir: string): ArchiveRecipe | undefined {
  try {
    const archive = openArchiveToRead(dir, () => undefined)
    try {
      return archive.recipe
    } finally {
      archive.close()
    }
  } catch {
    return undefined
  }
}

function describeArchive(dir: string): string {
  if (!existsSync(join(dir, databaseFileName))) {
    checkCanBeMade(dir)
    return `${dir} holds no archive yet; the first ingest makes it`
  }
  const notices: string[] = []
  const archive = openArchiveToRead(dir, (notice) => notices.push(notice))
  try {
    const { clips, tracks } = archive.clips.counts()
    const coverage = coverageLine(summariseCoverage(archive))
    const damage = archive.database.pragma('quick_check', { simple: true })
    if (damage !== 'ok') throw new Error(`${dir} is damaged: ${String(damage)}`)
    const held = `${counted(clips, 'clip')}, ${counted(tracks, 'track')}`
    return coverage === undefined
      ? [`${dir}: ${held}, intact`, ...notices].join('; ')
      : [`${dir}: ${held}, its file is intact, but ${coverage}`, ...notices].join('; ')
  } finally {
    archive.close()
  }
}

/** An ingest makes all the folders that are missing, below the nearest that is there. */
function checkCanBeMade(dir: string): void {
  let nearest = dir
  while (!existsSync(nearest)) nearest = dirname(nearest)
  if (!statSync(nearest).isDirectory())
    throw new Error(`the archive ${dir} cannot be made: ${nearest} is no folder`)
  translateSqliteErrors(dir, () => accessSync(nearest, constants.W_OK | constants.X_OK))
}
