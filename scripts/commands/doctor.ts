import { accessSync, constants, existsSync } from 'node:fs'
import { dirname } from 'node:path'
import { Command } from 'commander'
import { openArchive } from '../../index/archive.js'
import { HnswIndex } from '../../index/hnsw-index.js'
import { ffmpegVersion } from '../../pipeline/decode/ffmpeg.js'
import { messageOf } from '../../pipeline/errors.js'
import { defaultPackName, findPack } from '../../pipeline/models/catalog.js'
import { pullPack } from '../../pipeline/models/download.js'
import { defaultModelsDir, packIsPresent } from '../../pipeline/models/models-dir.js'
import { cudaIsBuiltIn, runtimeVersion } from '../../pipeline/models/session.js'
import { defaultSettings } from '../../pipeline/settings.js'
import { loadStages } from '../../pipeline/stages.js'
import type { DeviceChoice } from '../../pipeline/models/device.js'
import { archiveOption, deviceOption, jsonOption } from '../options.js'
import { exitCodes, print, printJson } from '../output.js'

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
      await check('models', async () => {
        const pack = findPack(defaultPackName)
        const modelsDir = defaultModelsDir()
        if (!packIsPresent(pack, modelsDir))
          return `${pack.name} is not here yet; the first ingest fetches it`
        await pullPack(pack, { modelsDir })
        const stages = await loadStages({
          pack,
          modelsDir,
          settings: defaultSettings,
          device: options.device,
        })
        await stages.dispose()
        return `${pack.name} in ${modelsDir}, on ${stages.provider}`
      }),
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

function describeArchive(dir: string): string {
  if (!existsSync(dir)) {
    accessSync(dirname(dir), constants.W_OK)
    return `${dir} does not exist yet; the first ingest makes it`
  }
  const archive = openArchive(dir)
  try {
    const { clips, tracks } = archive.clips.counts()
    const damage = archive.database.pragma('quick_check', { simple: true })
    if (damage !== 'ok') throw new Error(`${dir} is damaged: ${String(damage)}`)
    return `${dir}: ${clips} clips, ${tracks} tracks, intact`
  } finally {
    archive.close()
  }
}
