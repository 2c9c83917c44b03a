/**
 * Measures the meaning of a pack's scores on photos of labelled people (the LFW layout): the share of other
 * people that reaches a score, the probability that a score shows the same person, and how well one half of
 * the people predicts the other half. Prints the tables and the block for the pack's `calibration`.
 * Embeddings, clips and tracks are kept under --out, by the recipe that made them.
 *
 *   npm run calibrate [-- --pack NAME --images DIR --out DIR --hardness 1 --fresh]
 */
import { mkdirSync, rmSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import {
  defaultRate,
  fitCalibration,
  crossValidate,
  estimatedRates,
  heldReliability,
} from '../../index/evaluate/calibration/fit.js'
import { comparePairs } from '../../index/evaluate/calibration/pair-scores.js'
import { createRecipe, defaultSettings } from '../../pipeline/recipe/recipe.js'
import { embedPhotos } from './photos.js'
import { heldText, populationText, ratesText, reliabilityText } from './report.js'
import { makeTracks } from './tracks.js'
import { usePack } from '../cli/caller.js'
import { note, print } from '../cli/output.js'

const { values: options } = parseArgs({
  options: {
    images: { type: 'string', default: join(process.env['CAMEO_TEST_DATA'] ?? '../shared', 'data/people') },
    out: { type: 'string', default: 'bench-output/calibration' },
    pack: { type: 'string', default: 'lite' },
    hardness: { type: 'string', default: '1' },
    fresh: { type: 'boolean', default: false },
  },
})

/** Probabilities are checked as in an archive of this many tracks, one of which shows the person. */
const tracksOfArchive = 1000

const pack = await usePack(options.pack)
const { digest } = createRecipe(pack, defaultSettings)
const out = join(resolve(options.out), digest.slice(0, 12))
if (options.fresh) rmSync(out, { recursive: true, force: true })
mkdirSync(out, { recursive: true })

const images = resolve(options.images)
const found = await embedPhotos(images, pack, join(out, 'photos.json'))
const made = makeTracks(found.photos, {
  ...{ images, out: join(out, `hardness-${options.hardness}`) },
  ...{ packName: options.pack, hardness: options.hardness },
})
const people = [...new Set(found.photos.map(({ person }) => person))]
const samples = people.map((person) => found.photos.filter((photo) => photo.person === person).length)

note('comparing all pairs …')
const kinds = {
  photoTrack: comparePairs(found.photos, made.tracks, people),
  photoPhoto: comparePairs(found.photos, found.photos, people),
}
note('resampling people …')
const calibration = fitCalibration(kinds, people.length)

print(`${pack.name}: ${populationText(found, made, people.length, kinds)}`)
print(ratesText(calibration, kinds, estimatedRates))
print(heldText(crossValidate(kinds, samples, [1e-3, defaultRate, 1e-4])))
print(reliabilityText(heldReliability(kinds, samples, tracksOfArchive), tracksOfArchive))
print(`calibration: ${JSON.stringify(calibration)},`)
