import { inScope } from '../archive/in-scope.js'
import type { Archive } from '../archive/open-archive.js'
import { runStates } from '../store/run-rows.js'
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
  /** Enrolled names, sorted. Empty where only some folders are asked about: listing people says who is seen there. */
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

/** Which part of an archive is meant. */
export interface StatusRequest {
  /** Only what is below one of these folders and URLs: see `ClipScope`. Default: all. */
  readonly folders?: readonly string[] | undefined
}

export function readStatus(whole: Archive, { folders }: StatusRequest = {}): ArchiveStatus {
  const archive = inScope(whole, folders)
  const clips = markMissing(readCoverage(archive))
  return {
    ...countsOf(archive),
    failed: archive.files.countFailed(),
    coverage: sumCoverage(clips),
    missing: clips.filter(({ states }) => states.includes('missing')),
    identities: archive.visible === undefined ? listIdentities(archive.database) : [],
    recipe: archive.recipe,
    failures: archive.files.failures().map(withMissing),
  }
}

function countsOf({
  clips,
  database,
  visible,
}: Archive): Pick<ArchiveStatus, 'clips' | 'tracks' | 'partial'> {
  if (visible === undefined) return clips.counts()
  const runs = runStates(database).filter(({ clipId }) => visible.clipIds.has(clipId))
  const ended = runs.filter(({ state }) => state !== 'working').map(({ clipId }) => clipId)
  return {
    clips: new Set(ended).size,
    tracks: visible.countTracks(),
    partial: runs.filter(({ state }) => state === 'partial').length,
  }
}

const withMissing = (failure: FileFailure): FailedPath =>
  presentPath([failure.path])?.isMissing === true ? { ...failure, missing: true } : failure
