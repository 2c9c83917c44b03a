/**
 * Ingests clips into an archive, then finds a person in them.
 *
 *     node ingest-and-search.js CLIPS PHOTO ARCHIVE
 */
import { CameoError, openCameo } from 'cameo'

const [clips = './clips', photo = './ada.jpg', archive = './cameo-data'] = process.argv.slice(2)

const cameo = await openCameo({ archive, notify: (notice) => console.error(notice) })
try {
  const { failed } = await cameo.ingest(clips)
  if (failed > 0) console.error(`${failed} clips failed`)

  const { matches, threshold } = await cameo.search({ image: photo, top: 10 })
  console.log(`${matches.length} clips reach the threshold ${threshold.threshold.toFixed(2)}`)
  for (const { path, score, ranges } of matches) {
    const times = ranges.map(({ startS, endS }) => `${startS.toFixed(1)}–${endS.toFixed(1)} s`)
    console.log(`${score.toFixed(2)} ${path}: ${times.join(', ')}`)
  }
} catch (error) {
  if (!(error instanceof CameoError)) throw error
  // Codes are stable; `retriable` says whether the same call may succeed later.
  console.error(`${error.code}: ${error.message}${error.retriable ? ' (try again)' : ''}`)
  process.exitCode = 1
} finally {
  await cameo.close()
}
