/**
 * Compares model packs on photos of labelled people (the LFW layout). Each pack uses its own detector,
 * embedder and settings. Also measures the embedders of two packs together, with the mean of both
 * similarities. Then compares the detectors on 1080p frames made from such photos, and the cost of a frame on
 * one thread.
 *
 *   npm run bench:models [-- --images DIR --packs lite,sface --frames 40 --json]
 */
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { pairedDifference, bootstrapMean, type Interval } from '../../index/evaluate/metrics/bootstrap.js'
import { tprAtFpr } from '../../index/evaluate/metrics/roc.js'
import { defaultModelsDir } from '../../pipeline/models/packs/models-dir.js'
import { defaultSettings } from '../../pipeline/recipe/recipe.js'
import { loadStages } from '../../pipeline/stages/load-pipeline.js'
import { pullWithProgress } from '../cli/caller.js'
import { findPack } from '../../pipeline/models/packs/catalog.js'
import { numberWithin } from '../cli/options.js'
import { exitCodes, print, printJson, reportError } from '../cli/output.js'
import { compareDetector, makeFrames, type DetectorFigures } from './model-frames.js'
import { embedPeople, type EmbeddedPeople } from './model-photos.js'
import { dotProduct } from '../../pipeline/data/vector-math.js'

const targetFars = [1e-3, 1e-4]

interface EmbedderFigures {
  readonly name: string
  /** Number of photos without a face. */
  readonly notFound: number
  readonly embedMs: number
  readonly rank1: number
  /**
   * For each FAR target: the mean over people of the share of their accepted pairs, with its 95 % interval.
   */
  readonly tars: readonly {
    readonly far: number
    readonly threshold: number
    readonly tar: number
    readonly ci95: Interval
  }[]
  /** For each FAR target: the value of each person with a pair. */
  readonly perPerson: readonly (readonly number[])[]
}

/** Similarity of two photos by their numbers; −1 if a face was not found. */
type Similarity = (a: number, b: number) => number

const similarityOf =
  ({ units }: EmbeddedPeople): Similarity =>
  (a, b) => {
    const [x, y] = [units[a], units[b]]
    return x === undefined || y === undefined ? -1 : dotProduct(x, y)
  }

function figuresOf(name: string, people: readonly EmbeddedPeople[]): EmbedderFigures {
  const similarities = people.map(similarityOf)
  const similarity: Similarity = (a, b) =>
    similarities.reduce((sum, of) => sum + of(a, b), 0) / similarities.length
  const persons = people[0]?.persons ?? []
  const mated: { readonly person: number; readonly score: number }[] = []
  const nonMated: number[] = []
  const best = persons.map(() => ({ score: -Infinity, person: -1 }))
  const note = (photo: number, score: number, person: number) => {
    const own = best[photo]
    if (own !== undefined && score > own.score) Object.assign(own, { score, person })
  }
  for (const [a, person] of persons.entries())
    for (let b = a + 1; b < persons.length; b++) {
      const other = persons[b] ?? -1
      const score = similarity(a, b)
      if (other === person) mated.push({ person, score })
      else nonMated.push(score)
      note(a, score, other)
      note(b, score, person)
    }
  const withMates = new Set(mated.map(({ person }) => person))
  const asked = persons.flatMap((person, photo) =>
    withMates.has(person) ? [best[photo]?.person === person] : [],
  )
  const points = tprAtFpr(
    {
      mated: Float32Array.from(mated, ({ score }) => score),
      nonMated: Float32Array.from(nonMated),
      nonMatedCount: nonMated.length,
    },
    targetFars,
  )
  const perPerson = points.map(({ threshold }) =>
    [...withMates].map((person) => {
      const own = mated.filter((pair) => pair.person === person)
      return own.filter(({ score }) => score >= threshold).length / own.length
    }),
  )
  const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length
  return {
    name,
    notFound: Math.max(...people.map(({ units }) => units.filter((unit) => unit === undefined).length)),
    embedMs: people.reduce((sum, { embedMs }) => sum + embedMs, 0),
    rank1: asked.filter(Boolean).length / asked.length,
    tars: points.map(({ targetFpr, threshold }, i) => ({
      ...{
        far: targetFpr,
        threshold,
        tar: mean(perPerson[i] ?? []),
        ci95: bootstrapMean(perPerson[i] ?? []),
      },
    })),
    perPerson,
  }
}

function report(embedders: readonly EmbedderFigures[], detectors: readonly DetectorFigures[]): void {
  const [first] = embedders
  for (const { name, notFound, embedMs, rank1, tars, perPerson } of embedders) {
    print(
      `${name}: ${notFound} photos without a face, ${embedMs.toFixed(1)} ms per embedding, rank-1 ${rank1.toFixed(4)}`,
    )
    for (const [i, { far, threshold, tar, ci95 }] of tars.entries()) {
      const { value, ci95: ofDifference } = pairedDifference(first?.perPerson[i] ?? [], perPerson[i] ?? [])
      print(
        `  TAR at FAR ${far.toExponential(0)}: ${tar.toFixed(4)} (${ci95.map((end) => end.toFixed(4)).join(' to ')}), threshold ${threshold.toFixed(3)}` +
          (name === first?.name
            ? ''
            : `; ${value >= 0 ? '+' : ''}${value.toFixed(4)} (${ofDifference.map((end) => end.toFixed(4)).join(' to ')}) beside ${first?.name ?? ''}`),
      )
    }
  }
  for (const { name, ms, passes, recall, precision } of detectors)
    print(
      `${name} as a detector: ${ms.toFixed(1)} ms per 1080p frame in ${passes} passes; recall ${recall.toFixed(3)}, precision ${precision.toFixed(3)}`,
    )
}

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      images: { type: 'string', default: join(process.env['CAMEO_TEST_DATA'] ?? '../shared', 'data/people') },
      packs: { type: 'string', default: 'lite,sface' },
      frames: { type: 'string', default: '40' },
      json: { type: 'boolean', default: false },
    },
  })
  try {
    const images = resolve(values.images)
    const frames = await makeFrames(images, numberWithin(1, 1000, 'integer')(values.frames))
    const names = values.packs.split(',')
    const people: EmbeddedPeople[] = []
    const detectors: DetectorFigures[] = []
    for (const name of names) {
      const pack = findPack(name)
      await pullWithProgress(pack)
      const stages = await loadStages({
        ...{ pack, modelsDir: defaultModelsDir(), settings: defaultSettings, device: { kind: 'cpu' } },
      })
      people.push(await embedPeople(images, stages))
      detectors.push(await compareDetector(pack.name, frames, stages))
      await stages.dispose()
    }
    const embedders = people.map((own, i) => figuresOf(names[i] ?? '', [own]))
    if (people.length > 1) embedders.push(figuresOf(names.join('+'), people))
    if (values.json) printJson({ embedders, detectors })
    else report(embedders, detectors)
    return exitCodes.ok
  } catch (error) {
    reportError(error, values.json)
    return exitCodes.failed
  }
}

process.exitCode = await main()
