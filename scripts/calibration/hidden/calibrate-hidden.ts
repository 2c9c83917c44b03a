/**
 * Trains the detection of partly hidden faces for a pack: a logistic model on its embeddings. The training
 * data are photos of labelled people (the LFW layout) with painted masks, sunglasses, hands and half faces.
 * Also measures the score from which two such faces match. The model of one half of the people is tested on
 * the other half, also with covers that it was not trained on. The final values use all people. Prints the
 * tables and the pack's `hiddenFaces`.
 *
 *   npm run calibrate:hidden [-- --pack NAME --images DIR --photos 12]
 */
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { hiddenProbability, isHidden } from '../../../pipeline/embed/hidden-face.js'
import { defaultModelsDir } from '../../../pipeline/models/packs/models-dir.js'
import { defaultSettings } from '../../../pipeline/recipe/recipe.js'
import { loadStages } from '../../../pipeline/stages/load-pipeline.js'
import { usePack } from '../../cli/caller.js'
import { fitLogistic } from './logistic.js'
import { heldCovers, trainingCovers } from './paint.js'
import { paintedSamples, type OcclusionSample } from './samples.js'
import { numberWithin } from '../../cli/options.js'
import { print } from '../../cli/output.js'
import type { HiddenFaces } from '../../../pipeline/models/packs/pack.js'
import { dotProduct } from '../../../pipeline/data/vector-math.js'
import { thresholdOfModels } from '../../../pipeline/models/packs/pack-threshold.js'

const { values: options } = parseArgs({
  options: {
    images: { type: 'string', default: join(process.env['CAMEO_TEST_DATA'] ?? '../shared', 'data/people') },
    pack: { type: 'string', default: 'lite' },
    photos: { type: 'string', default: '12' },
  },
})

const pack = await usePack(options.pack)
const usual = { threshold: thresholdOfModels(pack), rate: pack.calibration?.falseAcceptRate ?? 3e-4 }
const stages = await loadStages({
  ...{ pack, modelsDir: defaultModelsDir(), settings: defaultSettings },
  ...{ device: { kind: 'auto' }, intraOpThreads: 0 },
})
const samples = await paintedSamples(
  resolve(options.images),
  numberWithin(1, 1000, 'integer')(options.photos),
  stages,
)
await stages.dispose()

type Model = Pick<HiddenFaces, 'weights' | 'bias'>

/** Share of the unpainted faces that may be classified as hidden: some wear glasses or hats. */
const falseAlarms = 0.05

/** The score that this share reaches; scores are ascending. */
function thresholdAt(scores: Float64Array, rate: number): number {
  return scores[Math.ceil(scores.length * (1 - rate))] ?? 1
}

const fit = (from: readonly OcclusionSample[]): Model =>
  fitLogistic(
    from.map(({ unit }) => unit),
    from.map(({ cover }) => cover !== undefined),
  )

/** The bias is chosen on people who did not train the model: for its own people the model is too good. */
const folds = 3

function learn(from: readonly OcclusionSample[]): Model {
  const { weights, bias } = fit(from)
  const foldOf = ({ person }: OcclusionSample) => Math.floor(person / 2) % folds
  const excess = Array.from({ length: folds }, (_, fold) => {
    const others = fit(from.filter((sample) => foldOf(sample) !== fold))
    const unitWeights = Float32Array.from(others.weights)
    return from
      .filter((sample) => foldOf(sample) === fold && sample.cover === undefined)
      .map(({ unit }) => dotProduct(unit, unitWeights) + others.bias)
  })
  return { weights, bias: bias - thresholdAt(Float64Array.from(excess.flat()).sort(), falseAlarms) }
}

/**
 * Scores of pairs of two people, or of one person, with faces that are hidden by the same kind of cover and
 * classified as hidden.
 */
function hiddenPairs(of: readonly OcclusionSample[], model: Model, isSame: boolean): Float64Array {
  const scores: number[] = []
  const known = of.filter(
    ({ cover, unit }) => cover !== undefined && isHidden(unit, { ...model, threshold: 1 }),
  )
  for (const cover of new Set(known.map((sample) => sample.cover))) {
    const own = known.filter((sample) => sample.cover === cover)
    for (const [i, a] of own.entries())
      for (const b of own.slice(i + 1))
        if ((a.person === b.person) === isSame) scores.push(dotProduct(a.unit, b.unit))
  }
  return Float64Array.from(scores).sort()
}

const reaching = (scores: Float64Array, threshold: number) =>
  scores.filter((score) => score >= threshold).length / Math.max(1, scores.length)

const percent = (share: number) => `${(share * 100).toFixed(share < 0.01 ? 3 : 1)} %`
const halves = [0, 1].map((half) => samples.filter(({ person }) => person % 2 === half))

print(`${pack.name}: ${samples.length} faces of ${new Set(samples.map(({ person }) => person)).size} people`)
for (const [half, held] of halves.entries()) {
  const others = halves[1 - half] ?? []
  const model = learn(others.filter(({ cover = '' }) => !(cover in heldCovers)))
  const threshold = Math.max(usual.threshold, thresholdAt(hiddenPairs(others, model, false), usual.rate))
  const hiddenShareOf = (cover: string | undefined) => {
    const own = held.filter((sample) => sample.cover === cover)
    return (
      own.filter(({ unit }) => hiddenProbability(unit, { ...model, threshold }) > 0.5).length / own.length
    )
  }
  print(`\nhalf ${half + 1}: classified as hidden, of unpainted faces ${percent(hiddenShareOf(undefined))}`)
  for (const [title, covers] of Object.entries({ taught: trainingCovers, 'not trained': heldCovers }))
    print(
      `  ${title}: ${Object.keys(covers)
        .map((cover) => `${cover} ${percent(hiddenShareOf(cover))}`)
        .join(', ')}`,
    )
  const [twoPeople, onePerson] = [hiddenPairs(held, model, false), hiddenPairs(held, model, true)]
  for (const [title, at] of [
    ['usual', usual.threshold],
    ['of hidden faces', threshold],
  ] as const)
    print(
      `  threshold ${at.toFixed(3)} (${title}): ${percent(reaching(twoPeople, at))} of ${twoPeople.length} pairs of two people ` +
        `reach it, ${percent(reaching(onePerson, at))} of ${onePerson.length} of one`,
    )
}

const model = learn(samples)
const threshold = Math.max(usual.threshold, thresholdAt(hiddenPairs(samples, model, false), usual.rate))
const rounded = model.weights.map((weight) => Number(weight.toFixed(2)))
print(
  `\nhiddenFaces: ${JSON.stringify({ weights: rounded, bias: Number(model.bias.toFixed(2)), threshold: Number(threshold.toFixed(3)) })},`,
)
