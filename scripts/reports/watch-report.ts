import { summariseCoverage } from '../../index/coverage/sum-coverage.js'
import type { Archive } from '../../index/archive/open-archive.js'
import type { IngestWatcher } from '../../workers/archive/ingest-archive.js'
import type { ClipResult } from '../../workers/ingest/ingest-events.js'
import { counted, note, print, printJson } from '../cli/output.js'
import { holdsText } from './coverage-text.js'
import { formatResult } from './ingest-report.js'

/** Results that tell nothing new: the archive had the clip before, or the file is none. */
const oldNews: ReadonlySet<ClipResult['status']> = new Set(['unchanged', 'skipped'])

/** Shows a watch: one line for each clip that is new. Keeps nothing, since a watch runs for days. */
export class WatchReporter implements IngestWatcher {
  readonly #archive: Archive
  readonly #json: boolean
  #known = 0

  constructor(archive: Archive, json: boolean) {
    this.#archive = archive
    this.#json = json
  }

  onFound = () => undefined
  onAllFound = () => undefined
  onMeasured = () => undefined
  onResumed = () => undefined
  onFrames = () => undefined
  onSegment = () => undefined

  onResult: IngestWatcher['onResult'] = (result) => {
    if (result.status === 'unchanged') this.#known++
    if (oldNews.has(result.status)) return
    if (this.#json) printJson(result)
    else print(formatResult(result))
  }

  summarise(): void {
    if (this.#known > 0) note(`${counted(this.#known, 'file')} in the folders had been ingested before`)
    note(holdsText(this.#archive.dir, this.#archive.clips.counts(), summariseCoverage(this.#archive)))
  }
}
