import sharp from 'sharp'
import { hitRanks, precisionRecall } from '../../index/evaluate/metrics/precision-recall.js'
import { reportVersion, type EvaluationReport } from '../../index/evaluate/report/report-data.js'
import { summariseScores } from '../../index/evaluate/report/summarise-scores.js'
import { worstIdentities, type RankedIdentity } from '../../index/evaluate/report/worst-identities.js'
import { averagePrecision, mean } from './map.js'
import { seededRandom } from './random.js'

const depth = 100

/**
 * Mean score of positives per step, similar to the published ladder: a large first step, then smaller and
 * smaller ones.
 */
const ladder = [
  { name: 'ArcFace R100, clip centre', positiveMean: 0.34 },
  { name: '+ quality weights', positiveMean: 0.37 },
  {
    name: '+ 3-layer MLP',
    positiveMean: 0.47,
    note: '1024 units, softmax over 401 classes, noise as class 0',
  },
  { name: '+ context features', positiveMean: 0.474 },
  { name: '+ ensemble of 2', positiveMean: 0.49 },
] as const

const names = [
  'Ada <b>Lovelace</b>',
  'O’Neill & "Sons"',
  "=HYPERLINK('x')",
  'Αθηνά Παππά',
  '山田 太郎',
  'Zoë Ångström',
]

export interface SyntheticOptions {
  readonly identities?: number
  readonly steps?: number
  readonly seed?: number
}

/**
 * A report of an evaluation that did not take place, made with the functions that make real reports. Seeded.
 */
export function syntheticReport({
  identities = 400,
  steps = 5,
  seed = 7,
}: SyntheticOptions = {}): EvaluationReport {
  const random = seededRandom(seed)
  const normal = () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random())
  const owners = new Map<string, string>()
  const people = Array.from({ length: identities }, (_, i) => {
    const identity = String(i + 1)
    const positives = Array.from(
      { length: random() < 0.03 ? 130 : 3 + Math.floor(random() * 40) },
      (_, j) => `IQIYI_VID_VAL_${String(i * 200 + j).padStart(7, '0')}.mp4`,
    )
    for (const clip of positives) owners.set(clip, identity)
    const difficulty = random() < 0.1 ? 0.2 + 0.2 * random() : 0.2 * random()
    return { identity, name: nameOf(i), positives: new Set(positives), difficulty }
  })
  const others = [...owners.keys()]
  const mated: number[] = []
  const nonMated: number[] = []

  const ranked = ladder.slice(0, steps).map(({ positiveMean }, step) =>
    people.map(({ identity, name, positives, difficulty }): RankedIdentity => {
      const scored = new Map<string, number>()
      for (const clip of positives) scored.set(clip, positiveMean - difficulty + 0.1 * normal())
      for (let i = 0; i < 250; i++) {
        const clip =
          random() < 0.4
            ? `noise_${Math.floor(random() * 1e6)}.mp4`
            : (others[Math.floor(random() * others.length)] ?? '')
        if (!scored.has(clip)) scored.set(clip, 0.02 + 0.09 * normal())
      }
      if (step === Math.min(steps, ladder.length) - 1)
        for (const [clip, score] of scored) (positives.has(clip) ? mated : nonMated).push(score)
      const best = [...scored].sort(([, a], [, b]) => b - a).slice(0, depth)
      const ranking = best.map(([clip]) => clip)
      return {
        identity,
        name,
        positives,
        ranking,
        scores: best.map(([, score]) => score),
        ap: averagePrecision(ranking, positives),
      }
    }),
  )
  const aps = ranked.map((step) => step.map(({ ap }) => ap))
  const chosen = ladder[ranked.length - 1]?.name ?? ''
  return {
    version: reportVersion,
    title: 'iQIYI-VID validation <synthetic>',
    startedAt: '2026-11-24T09:30:00.000Z',
    durationS: 754,
    depth,
    settings: {
      command: 'cameo eval ladder --gt val_gt.txt --report report',
      archive: 'cameo-data',
      models: { pack: 'antelopev2', detector: 'SCRFD-10G', embedder: 'ResNet100, Glint360K', dimension: 512 },
      head: {
        layers: [512, 1024, 1024, 401],
        loss: 'softmax',
        learningRate: 0.2,
        weightDecay: 0.0005,
        epochs: 40,
      },
      bootstrap: { samples: 200, seed, paired: true },
      ground_truth: 'val_gt.txt <b>&amp;',
    },
    warnings: [
      {
        message: 'clips of the ground truth are not in the archive; they count as never found',
        count: 37,
        examples: Array.from({ length: 37 }, (_, i) => `IQIYI_VID_VAL_09${String(i).padStart(5, '0')}.mp4`),
      },
      { message: 'the ensemble\'s second model has no scores for <script>alert("x")</script>' },
    ],
    steps: aps.map((ap, i) => {
      const before = aps[i - 1]
      const { name, ...rest } = ladder[i] ?? { name: '' }
      const map = mean(ap)
      const differences = ap.map((value, j) => value - (before?.[j] ?? 0))
      return {
        name,
        map,
        ci95: bootstrap(ap, random),
        ...(before === undefined
          ? {}
          : { gain: { value: map - mean(before), ci95: bootstrap(differences, random) } }),
        ...('note' in rest ? { note: rest.note } : {}),
      }
    }),
    chosenStep: chosen,
    identities: people.map(({ identity, name, positives }, i) => ({
      identity,
      ...(name === undefined ? {} : { name }),
      positives: positives.size,
      found: ranked.map((step) => hitRanks(step[i]?.ranking ?? [], positives).length),
      ap: aps.map((ap) => ap[i] ?? 0),
    })),
    precisionRecall: ranked.map((step, i) => ({
      step: ladder[i]?.name ?? '',
      precision: precisionRecall(
        step.map(({ ranking, positives }) => ({
          hitRanks: hitRanks(ranking, positives),
          positives: positives.size,
        })),
      ),
    })),
    scores: summariseScores(Float32Array.from(mated), Float32Array.from(nonMated), 'cosine similarity'),
    worst: worstIdentities(ranked.at(-1) ?? [], (clip) => owners.get(clip)),
  }
}

function nameOf(i: number): string | undefined {
  if (i < names.length) return names[i]
  return i % 5 === 0 ? undefined : `Person ${i + 1}`
}

/** Percentile interval of the mean. */
function bootstrap(values: readonly number[], random: () => number): [number, number] {
  const means = Array.from({ length: 200 }, () =>
    mean(values.map(() => values[Math.floor(random() * values.length)] ?? 0)),
  ).sort((a, b) => a - b)
  return [means[4] ?? 0, means[195] ?? 0]
}

/** A drawn face for looking at pages. The seed determines its colours. */
export async function syntheticThumbnail(seed: number): Promise<Uint8Array> {
  const random = seededRandom(seed)
  const hue = (lightness: number) => `hsl(${Math.floor(random() * 360)}, 35%, ${lightness}%)`
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="160" height="160">
    <rect width="160" height="160" fill="${hue(70)}"/><ellipse cx="80" cy="165" rx="65" ry="45" fill="${hue(35)}"/>
    <ellipse cx="80" cy="75" rx="42" ry="54" fill="hsl(${20 + random() * 15}, 45%, ${45 + random() * 35}%)"/>
    <path d="M36 70 Q40 10 80 16 Q120 10 124 70 Q110 40 80 42 Q50 40 36 70" fill="${hue(25)}"/>
    <circle cx="64" cy="72" r="5"/><circle cx="96" cy="72" r="5"/>
    <path d="M62 102 q18 ${5 + random() * 14} 36 0" stroke="#722" stroke-width="4" fill="none"/></svg>`
  return sharp(Buffer.from(svg)).jpeg({ quality: 80 }).toBuffer()
}
