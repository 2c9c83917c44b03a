// The bare vector index in a thread, for serve.ts: searches as many random tracks as it can, 20 nearest each.
import { parentPort, workerData } from 'node:worker_threads'
import { openArchiveIndex } from '../../../index/archive/open-archive-index.js'
import { openArchive } from '../../../index/archive/open-archive.js'
import { describedTrackReader } from '../../../index/store/stored-tracks.js'
import { trackOf } from './served-archive.js'

const { archive: dir, tracks, seconds } = workerData as { archive: string; tracks: number; seconds: number }
const archive = openArchive(dir)
const index = await openArchiveIndex(archive)
const readTrack = describedTrackReader(archive.database)
parentPort?.postMessage('ready')
parentPort?.once('message', () => {
  void (async () => {
    const until = performance.now() + 1000 * seconds
    let searches = 0
    while (performance.now() < until) {
      const track = readTrack(trackOf(searches, tracks))
      if (track !== undefined) await index.search([track.descriptor], 20)
      searches++
    }
    parentPort?.postMessage(searches / seconds)
    await index.close()
    archive.close()
    parentPort?.close()
  })()
})
