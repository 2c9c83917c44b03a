/**
 * Follows an ingest clip by clip. Ctrl-C stops it; the next run continues where it stopped.
 *
 *     node follow-progress.js CLIPS ARCHIVE
 */
import { basename } from 'node:path'
import { openCameo, type ClipEvent } from 'cameo'

const [clips = './clips', archive = './cameo-data'] = process.argv.slice(2)

const lengthsS = new Map<string, number>()

function show(event: ClipEvent): void {
  if (event.kind === 'measured' && event.durationS !== undefined) lengthsS.set(event.path, event.durationS)
  if (event.kind === 'frames') {
    const lengthS = lengthsS.get(event.path)
    const share = lengthS === undefined ? '' : `, ${Math.round((100 * event.timeS) / lengthS)} %`
    console.log(`${basename(event.path)}: at ${event.timeS.toFixed(1)} s${share}`)
  }
  if (event.kind === 'result') {
    const { status, tracks = 0, code } = event.result
    console.log(`${basename(event.path)}: ${code ?? `${status}, ${tracks} tracks`}`)
  }
}

const stop = new AbortController()
process.once('SIGINT', () => stop.abort())

const cameo = await openCameo({ archive })
const { status, results } = await cameo.ingest(clips, { onEvent: show, signal: stop.signal })
console.log(`${status}: ${JSON.stringify(results)}`)
await cameo.close()
