import type { VectorIndex } from './vector-index.js'

/** One descriptor space of one archive. An engine indexes one space. */
export interface VectorSpace {
  /** Stays the same when the archive is moved or copied. Two copies of an archive must not share storage of an engine. */
  readonly archiveId: string
  readonly spaceId: number
  /** Digest of the recipe of the descriptors. Vectors of spaces with the same digest are comparable. */
  readonly digest: string
  readonly dimension: number
  /** Folder in the archive for the files of engines. Created when needed. */
  readonly dir: string
  /** Memory that an index may use, in bytes. Undefined means the available memory of the machine. */
  readonly maxBytes: number | undefined
}

/** How failed calls to an engine outside this process are retried. */
export interface ReachOptions {
  /** Maximum number of retries of a call. */
  readonly retries: number
  /** Pause before the first retry, in ms. Each further pause is four times as long, up to 10 s. */
  readonly firstPauseMs: number
  /** A call without an answer within this time has failed, in ms. */
  readonly answerWithinMs: number
}

/** Creates and loads the index of one space. */
export interface VectorEngine {
  /** Opens an empty index or, for an engine with its own storage, the stored index. */
  open(): Promise<VectorIndex>
  /**
   * Loads the index from the last snapshot. Absent if the engine writes no snapshots.
   * @param newestChange newest change of the archive. A snapshot with a newer change is from before a backup was
   * restored.
   * @throws INDEX_TOO_LARGE before memory is reserved
   */
  load?(newestChange: number): Promise<LoadedIndex>
  /** Removes the stored data of the space, in files or on a server. Absent if the engine stores nothing. */
  remove?(): Promise<void>
  /** How calls are retried if the engine cannot be reached. Default: four times within nine seconds. */
  readonly reach?: Partial<ReachOptions>
  /** Size of the engine's files in `VectorSpace.dir`, in bytes. */
  bytesOnDisk?(): number
}

/** The result of loading a snapshot. */
export type LoadedIndex =
  | {
      readonly kind: 'loaded'
      readonly index: VectorIndex
      /** The last change of the archive that the index contains. */
      readonly lastChange: number
    }
  | { readonly kind: 'absent' }
  /** There is a snapshot, but it cannot be used. `reason` completes the sentence "the snapshot …". */
  | { readonly kind: 'unusable'; readonly reason: string }

/** Called for each space that is opened. Must not connect to anything before `open` or `remove`. */
export type VectorEngineFactory = (space: VectorSpace) => VectorEngine

/** Engines by name. Archives are configured with these names. */
export type VectorEngines = Readonly<Record<string, VectorEngineFactory>>
