/**
 * Measures "cameo head apply" as a user runs it, with its vector index, on an archive of synthetic clips.
 * Exit code 1 if the target is missed.
 *
 *   node dist/scripts/bench/apply.js [--clips N] [--tracks N] [--faces N] [--json]
 */
import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { loadavg, tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs, promisify } from 'node:util'
import { openArchive } from '../../index/archive/open-archive.js'
import { fillArchive } from './archive-data.js'
import { writeUntrainedHead } from './bench-head.js'
import { cores } from './measure.js'

const targetS = 60

/**
 * The number of identities of iQIYI-VID. Only the descriptors are computed: the scores are not needed and
 * would take most of the time.
 */
const classes = 4934

const cameo = fileURLToPath(new URL('../cameo.js', import.meta.url))

const { values } = parseArgs({
  options: {
    clips: { type: 'string', default: '10000' },
    tracks: { type: 'string', default: '2' },
    faces: { type: 'string', default: '8' },
    json: { type: 'boolean', default: false },
  },
})
const size = {
  clips: Number(values.clips),
  tracksPerClip: Number(values.tracks),
  facesPerTrack: Number(values.faces),
}
const dir = mkdtempSync(join(tmpdir(), 'cameo-bench-apply-'))
try {
  const archiveDir = join(dir, 'archive')
  fillArchive(archiveDir, size)
  const archive = openArchive(archiveDir)
  const { recipe } = archive
  archive.close()
  if (recipe === undefined) throw new Error('the archive was not filled')
  const head = join(dir, 'head.onnx')
  const embedders = [{ digest: recipe.embedderDigest, name: recipe.packName, dimension: 512 }]
  writeUntrainedHead(head, { embedders, classes, width: 1024, change: 0.5 })
  const runs: { readonly what: string; readonly seconds: number }[] = []
  for (const [what, arg] of [
    ['head apply', head],
    ['head apply --none', '--none'],
  ] as const) {
    const startedMs = performance.now()
    await promisify(execFile)(process.execPath, [cameo, 'head', 'apply', arg, '--archive', archiveDir])
    runs.push({ what, seconds: (performance.now() - startedMs) / 1000 })
  }
  const load = loadavg()[0] ?? 0
  if (values.json) process.stdout.write(`${JSON.stringify({ ...size, runs, load })}\n`)
  else {
    const { clips, tracksPerClip, facesPerTrack } = size
    const write = (text: string) => process.stdout.write(`${text}\n`)
    write(`${clips} clips of ${tracksPerClip} tracks of ${facesPerTrack} faces, with the vector index:`)
    for (const { what, seconds } of runs)
      write(`  ${what.padEnd(20)} ${seconds.toFixed(1)} s (target ${targetS} s)`)
    write(`  machine              ${cores} cores, load ${load.toFixed(1)}`)
  }
  if (runs.some(({ seconds }) => seconds > targetS)) process.exitCode = 1
} finally {
  rmSync(dir, { recursive: true, force: true })
}
