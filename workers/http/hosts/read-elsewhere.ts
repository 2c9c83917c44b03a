import { dirname } from 'node:path'
import { Worker } from 'node:worker_threads'
import { isReadForAnswers } from '../../../index/search/whole-archive-reads.js'
import type { ReadElsewhere } from '../../../index/store/kept-reads.js'

/** What a thread is to read. */
export interface WholeRead {
  readonly archiveDir: string
  /** Among kept reads. */
  readonly name: string
}

/** Reads what answers tell of a whole archive in a thread that ends afterwards. */
export const readElsewhere: ReadElsewhere = (file, name) => {
  if (!isReadForAnswers(name)) return undefined
  const workerData: WholeRead = { archiveDir: dirname(file), name }
  return new Promise((resolve, reject) => {
    const thread = new Worker(new URL('./read-thread.js', import.meta.url), { workerData })
    thread.on('message', resolve)
    thread.on('error', reject)
    thread.on('exit', () => reject(new Error('the thread told nothing')))
    // It does not keep a server from stopping.
    thread.unref()
  })
}
