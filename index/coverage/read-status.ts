import type { Archive } from '../archive/open-archive.js'
import { listIdentities, type Identity } from '../store/identities.js'
import type { FileFailure } from '../store/file-facts.js'
import type { ArchiveRecipe } from '../store/meta.js'
import { presentPath } from '../store/present-path.js'
import { readCoverage, type ClipCoverage } from './read-coverage.js'
import { markMissing, sumCoverage, type CoverageSum } from './sum-coverage.js'

/** The contents of an archive. */
export interface ArchiveStatus {
  /** Clips that were examined to the end, or as far as possible. */
  readonly clips: number
  readonly tracks: number
  /** Number of these clips that have a failed part. */
  readonly partial: number
  /** Files that could not be read. */
  readonly failed: number
  readonly coverage: CoverageSum
  /** Clips of which no file exists at its path. */
  readonly missing: readonly ClipCoverage[]
  /** Enrolled names, sorted. */
  readonly identities: readonly Identity[]
  /** How the clips are processed. Undefined before the first ingest. */
  readonly recipe: ArchiveRecipe | undefined
  /** The files that failed, with the reasons. */
  readonly failures: readonly FailedPath[]
}

/** A file that failed. */
export interface FailedPath extends FileFailure {
  /** Set if the file no longer exists. */
  readonly missing?: true
}

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
