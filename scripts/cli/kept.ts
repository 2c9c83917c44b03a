import { AsyncLocalStorage } from 'node:async_hooks'
import type { IngestCaller } from '../../workers/archive/ingest-archive.js'

/** What a process keeps that runs many command lines: the threads of an ingest, with their models. */
export type Kept = Pick<IngestCaller, 'startThreads'>

/** Of the command line that runs. A process that runs only one keeps nothing. */
export const kept = new AsyncLocalStorage<Kept>()
