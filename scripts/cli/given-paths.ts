import { CameoError } from '../../pipeline/common/errors.js'
import { isUrl } from '../../index/store/whole-path.js'
import { mayExist } from '../../workers/ingest/find-clips.js'
import { oneLine } from './output.js'

/** Number of paths in the message; the rest are counted. */
const mostNamed = 5

/** Throws USAGE if none of the paths exists. If some exist, the missing ones fail as single clips. */
export function checkSomeExist(paths: readonly string[], outcome: 'ingested' | 'submitted'): void {
  if (paths.some((path) => isUrl(path) || mayExist(path))) return
  const named = paths.slice(0, mostNamed).map(oneLine).join(', ')
  const more = paths.length > mostNamed ? ` (and ${paths.length - mostNamed} more)` : ''
  throw new CameoError('USAGE', `there is no file or folder ${named}${more}: nothing was ${outcome}`)
}

/**
 * Longest command line with which ONNX Runtime 1.30 loads on the main thread's stack: see
 * workers/threads/thread-limits.ts.
 */
const longestCommandLine = 20_000

/** Throws USAGE if the command line is too long to load models. Call it before models are loaded. */
export function checkCommandLine(): void {
  if (process.argv.join(' ').length > longestCommandLine)
    throw new CameoError('USAGE', 'too many files for one command: give some of them, then the rest')
}
