/**
 * Measures a pack's match threshold: clips of known people and of strangers, processed as any clip is, and the scores of
 * all pairs of tracks of different people. Prints the false-accept rate and the false-reject rate of each threshold.
 */
import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { basename, join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { openArchive, type Archive } from '../index/archive.js'
import { toFloat32 } from '../index/store/blobs.js'
import { dotProduct } from '../pipeline/embed/embed-faces.js'
import { note, print } from './output.js'
import { counted } from '../pipeline/counted.js'

const { values: options } = parseArgs({
  options: {
    images: { type: 'string', default: join(process.env['CAMEO_TEST_DATA'] ?? '../shared', 'data/people') },
    out: { type: 'string', default: 'bench-output/calibration' },
    pack: { type: 'string', default: 'lite' },
  },
})

const rates = [0.99, 0.9, 0.7, 0.5, 0.3, 0.1, 3e-2, 1e-2, 3e-3, 1e-3, 3e-4, 1e-4, 3e-5, 1e-5]

interface LabelledTrack {
  readonly clip: string
  /** The person that the clip is of. */
  readonly person: string
  readonly descriptor: Float32Array
}

function makeClips(out: string): void {
  if (!existsSync(options.images))
    throw new Error(`${options.images} is missing: give a folder of people with --images`)
  note('making clips (some minutes the first time) …')
  // No bystanders: every face of a clip is then of the person that the clip is of.
  const settings = '--strangers 300 --max-images 10 --train-copies 1 --bystanders 0 --hardness 0.7'.split(' ')
  const script = resolve('scripts/make-clips.mjs')
  execFileSync(process.execPath, [script, '--images', options.images, '--out', out, ...settings], {
    stdio: 'inherit',
  })
}

function ingest(out: string, archiveDir: string): void {
  const command = resolve('dist/scripts/cameo.js')
  const args = ['ingest', join(out, 'clips'), '--archive', archiveDir, '--pack', options.pack]
  execFileSync(process.execPath, [command, ...args], { stdio: ['ignore', 'ignore', 'inherit'] })
}

/** Clip to person, from the ground truth; clips that no line names are of strangers, one each. */
function readGroundTruth(out: string): Map<string, string> {
  const people = new Map<string, string>()
  const lines = (file: string) => readFileSync(join(out, file), 'utf8').trim().split('\n')
  for (const line of lines('train_gt.txt')) {
    const [clip = '', person = ''] = line.split(' ')
    people.set(clip, person)
  }
  for (const line of [...lines('val_gt.txt'), ...lines('test_gt.txt')]) {
    const [person = '', ...clips] = line.split(' ')
    for (const clip of clips) people.set(clip, person)
  }
  return people
}

function readTracks({ database, files }: Archive, people: ReadonlyMap<string, string>): LabelledTrack[] {
  return database
    .prepare<[], { clipId: string; vector: Uint8Array }>(
      'SELECT clip_id AS clipId, vector FROM descriptors JOIN tracks USING (track_id)',
    )
    .all()
    .map(({ clipId, vector }) => {
      const clip = basename(files.pathsOf(clipId)[0] ?? clipId)
      return { clip, person: people.get(clip) ?? `stranger ${clip}`, descriptor: toFloat32(vector) }
    })
}

const out = resolve(options.out)
makeClips(out)
const archiveDir = join(out, `archive-${basename(options.pack)}`)
ingest(out, archiveDir)
const archive = openArchive(archiveDir)
const tracks = readTracks(archive, readGroundTruth(out))
archive.close()

const mated: number[] = []
const nonMated: number[] = []
for (const [i, a] of tracks.entries())
  for (const b of tracks.slice(0, i)) {
    if (a.clip === b.clip) continue
    const scores = a.person === b.person ? mated : nonMated
    scores.push(dotProduct(a.descriptor, b.descriptor))
  }
nonMated.sort((a, b) => b - a)

print(
  `${options.pack}: ${counted(tracks.length, 'track')}, ${mated.length} mated and ${counted(nonMated.length, 'non-mated pair')}`,
)
print('false-accept rate  threshold  false-reject rate')
for (const rate of rates) {
  const threshold = nonMated[Math.floor(rate * nonMated.length)] ?? 1
  const rejected = mated.filter((score) => score < threshold).length / mated.length
  print(
    `${String(rate).padStart(17)}  ${threshold.toFixed(3).padStart(9)}  ${rejected.toFixed(3).padStart(17)}`,
  )
}
