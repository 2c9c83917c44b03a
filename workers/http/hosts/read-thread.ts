import { parentPort, workerData } from 'node:worker_threads'
import { openArchiveToRead } from '../../../index/archive/open-archive.js'
import { readForAnswers } from '../../../index/search/whole-archive-reads.js'
import type { WholeRead } from './read-elsewhere.js'

// Reads something of a whole archive once, tells it, and ends. `readElsewhere` starts it.
const { archiveDir, name } = workerData as WholeRead
const archive = openArchiveToRead(archiveDir, () => undefined)
try {
  parentPort?.postMessage(readForAnswers(archive, name))
} finally {
  archive.close()
}
