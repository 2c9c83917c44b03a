/**
 * Shows Cameo's main job on real faces. It makes clips from group photos, ingests them, searches for one
 * woman with a crop of a photo, and compares the answer with what the clips are known to show.
 *
 *   node dist/scripts/demo/demo.js
 *
 * Everything goes to ./demo-output. Exit code 1 if the answer differs from what the clips show.
 */
import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { rmSync } from 'node:fs'
import { basename, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { z } from 'zod'
import { imageLibrary } from '../../pipeline/image/image-library.js'
import type { BoxXyxyPx } from '../../pipeline/data/geometry.js'
import { makePrivateFolder, writePrivateFile } from '../../pipeline/common/private-files.js'
import { makeClips } from './demo-clips.js'
import { demoPhotosDir, faces, fetchPhotos, photos } from './demo-photos.js'
import { appearanceOf, demoClips, personOf, wanted, type DemoClip } from './demo-table.js'
import { exitCodes, print, reportError } from '../cli/output.js'
import { formatTime } from '../../pipeline/common/time-text.js'

const outputDir = 'demo-output'
const output = {
  clips: join(outputDir, 'clips'),
  archive: join(outputDir, 'archive'),
  query: join(outputDir, 'query.jpg'),
  answer: join(outputDir, 'answer.html'),
}

async function runDemo(): Promise<number> {
  const startedMs = performance.now()
  const photosDir = demoPhotosDir()
  await fetchPhotos(photosDir)
  for (const path of Object.values(output)) rmSync(path, { recursive: true, force: true })
  makePrivateFolder(outputDir)
  makePrivateFolder(output.clips)

  print(`Making ${demoClips.length} short clips of six group photos: camera moves, cuts, blur, dim light …`)
  await makeClips(demoClips, photosDir, output.clips)
  print(`${output.clips} is ready after ${secondsSince(startedMs)} s`)

  print('\nIngesting the clips into an archive ("cameo" is short for "node dist/scripts/cameo.js"):')
  const ingested = await runCameo(['ingest', output.clips, '--archive', output.archive])
  if (ingested !== exitCodes.ok) return ingested

  await writeQuery(photosDir)
  print(`\nIn which clips, and when, is the woman of ${output.query}?`)
  const search = ['search', '--image', output.query, '--archive', output.archive]
  const answered = await runCameo([...search, '--html', output.answer])
  if (answered !== exitCodes.ok) return answered

  const isRight = judge(await searchResults(search))
  print(`\nSee the faces that were found: open ${output.answer} in a browser.`)
  print(`The demo took ${secondsSince(startedMs)} s.`)
  return isRight ? exitCodes.ok : exitCodes.someFailed
}

const secondsSince = (startedMs: number) => ((performance.now() - startedMs) / 1000).toFixed(0)

const cameoScript = fileURLToPath(new URL('../cameo.js', import.meta.url))

/** Prints and runs a command line as a user would type it. Returns its exit code. */
async function runCameo(args: readonly string[]): Promise<number> {
  print(`$ cameo ${args.join(' ')}`)
  const child = spawn(process.execPath, [cameoScript, ...args], { stdio: 'inherit' })
  await once(child, 'exit')
  return child.exitCode ?? exitCodes.interrupted
}

/** The face to search for, cut out of its photo with some room around it. */
async function writeQuery(photosDir: string): Promise<void> {
  const { photo, boxXyxyPx } = faces[wanted]
  const [x1, y1, x2, y2]: BoxXyxyPx = boxXyxyPx
  const margin = Math.round((y2 - y1) * 0.4)
  const sharp = await imageLibrary()
  const face = await sharp(join(photosDir, photos[photo].file))
    .extract({
      left: x1 - margin,
      top: y1 - margin,
      width: x2 - x1 + 2 * margin,
      height: y2 - y1 + 2 * margin,
    })
    .jpeg({ quality: 90 })
    .toBuffer()
  writePrivateFile(output.query, face)
}

const resultsSchema = z.object({
  results: z.array(
    z.object({
      path: z.string(),
      score: z.number(),
      ranges: z.array(z.object({ startS: z.number(), endS: z.number() })),
    }),
  ),
})

type Result = z.infer<typeof resultsSchema>['results'][number]

/** Runs the same search again, as a program would. */
async function searchResults(search: readonly string[]): Promise<Result[]> {
  const { stdout } = await promisify(execFile)(process.execPath, [cameoScript, ...search, '--json'], {
    maxBuffer: 64 << 20,
  })
  return resultsSchema.parse(JSON.parse(stdout)).results
}

/** Prints, clip by clip, what is shown and what was found. True if both agree. */
function judge(results: readonly Result[]): boolean {
  print('\nWhat the clips are known to show of her, and what was found:')
  print(`  ${'clip'.padEnd(nameWidth)}  ${'shows her'.padEnd(14)}  ${'found'.padEnd(14)}  score`)
  let found = 0
  let wrong = 0
  const showing = demoClips.filter((clip) => rangesOf(clip).length > 0)
  for (const clip of demoClips) {
    const result = results.find(({ path }) => basename(path, '.mp4') === clip.name)
    const isShown = showing.includes(clip)
    if (result !== undefined && isShown) found++
    if (result !== undefined && !isShown) wrong++
    const mark = isShown === (result !== undefined) ? ' ' : '!'
    const foundRanges = result?.ranges.map(({ startS, endS }) => [startS, endS] as const) ?? []
    print(
      `${mark} ${clip.name.padEnd(nameWidth)}  ${formatRanges(rangesOf(clip)).padEnd(14)}  ` +
        `${formatRanges(foundRanges).padEnd(14)}  ${result?.score.toFixed(3) ?? '–'}`,
    )
  }
  const others = demoClips.length - showing.length
  print(
    `She was found in ${found} of the ${showing.length} clips that show her, and in ${wrong} of the ${others} others.`,
  )
  return found === showing.length && wrong === 0
}

const nameWidth = Math.max(...demoClips.map(({ name }) => name.length))

const rangesOf = (clip: DemoClip) => appearanceOf(personOf(wanted), clip).rangesS

function formatRanges(rangesS: readonly (readonly [number, number])[]): string {
  if (rangesS.length === 0) return '–'
  return rangesS.map(([startS, endS]) => `${formatTime(startS)}–${formatTime(endS)}`).join(', ')
}

try {
  process.exitCode = await runDemo()
} catch (error) {
  reportError(error, false)
  process.exitCode = exitCodes.failed
}
