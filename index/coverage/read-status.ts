import type { Archive } from '../archive/open-archive.js'
import { listIdentities, type Identity } from '../store/identities.js'
import type { FileFailure } from '../store/file-facts.js'
import type { ArchiveRecipe } from '../store/meta.js'
import { presentPath } from '../store/present-path.js'
import { readCoverage, type ClipCoverage } from './read-coverage.js'
import { markMissing, sumCoverage, type CoverageSum } from './sum-coverage.js'

/** What an archive holds. */
export interface ArchiveStatus {
  /** Clips that were looked at to their end, or as far as they can be. */
  readonly clips: number
  readonly tracks: number
  /** Those of the clips of which a part was given up. */
  readonly partial: number
  /** Files that could not be read. */
  readonly failed: number
  readonly coverage: CoverageSum
  /** Clips no file of which is where it was. */
  readonly missing: readonly ClipCoverage[]
  /** Enrolled names, in order. */
  readonly identities: readonly Identity[]
  /** How its clips are processed; undefined before the first ingest. */
  readonly recipe: ArchiveRecipe | undefined
  /** The files that failed, and why. */
  readonly failures: readonly FailedPath[]
}

/** A file that failed. */
export interface FailedPath extends FileFailure {
  /** The file is not there any more. */
  readonly missing?: true
}

/** What an archive holds. */
export function readStatus(archive: Archive): ArchiveStatus {
  const clips = markMissing(readCoverage(archive))
  return {
    ...archive.clips.counts(),
    failed: archive.files.countFailed(),
    coverage: sumCoverage(clips),
    missing: clips.filter(({ states }) => states.includes('missing')),
    identities: listIdentities(archive.database),
    recipe: archive.recipe,
    failures: archive.files.failures().map(withMissing),
  }
}

const withMissing = (failure: FileFailure): FailedPath =>
  presentPath([failure.path])?.isMissing === true ? { ...failure, missing: true } : failure
