/**
 * Measures how well people are found in an archive of labelled clips.
 *
 *     node evaluate.js ARCHIVE GALLERY TRUTH
 *
 * GALLERY and TRUTH are text files with one "CLIP ID" per line. GALLERY shows what each person looks like.
 * TRUTH is scored.
 */
import { openCameo } from 'cameo'

const [archive = './cameo-data', gallery = 'train_gt.txt', groundTruth = 'val_gt.txt'] = process.argv.slice(2)

const cameo = await openCameo({ archive })
const { map, ci95, scores, rankings, pool, warnings } = await cameo.evaluateMap({
  ...{ gallery, groundTruth },
  pool: 'listed',
})
for (const warning of warnings) console.error(warning)
const [low, high] = ci95
console.log(`MAP@100 ${map.toFixed(3)} [${low.toFixed(3)}, ${high.toFixed(3)}] over ${pool.clips} clips`)
for (const { identity, found, positives, averagePrecision } of scores) {
  const [best = 'none'] = rankings.get(identity) ?? []
  console.log(`${identity}: AP ${averagePrecision.toFixed(3)}, ${found} of ${positives} found, first ${best}`)
}
await cameo.close()
