import type { VectorIndex } from './vector-index.js'

/** One descriptor space of one archive: what an engine indexes. */
export interface VectorSpace {
  /** Stays the same when the archive is moved or copied. Two copies of an archive must not share storage of an engine. */
  readonly archiveId: string
  readonly spaceId: number
  /** Of what makes the descriptors: spaces with one digest hold comparable vectors. */
  readonly digest: string
  readonly dimension: number
  /** Folder in the archive for files of engines; made when it is needed. */
  readonly dir: string
  /** Memory that an index may take, bytes; undefined: what the machine has available. */
  readonly maxBytes: number | undefined
}

/** How calls to an engine outside of this process are repeated. */
export interface ReachOptions {
  /** How often a failed call is repeated. */
  readonly retries: number
  /** Before the first repetition, ms; each further pause is four times as long, up to 10 s. */
  readonly firstPauseMs: number
  /** A call that has not answered after so long has failed, ms. */
  readonly answerWithinMs: number
}

/** What makes and finds the indexes of one space. */
export interface VectorEngine {
  /** An empty index; of an engine with storage of its own, what is stored. */
  open(): Promise<VectorIndex>
  /**
   * The index of the last snapshot. Absent where the engine writes none.
   * @param newestChange of the archive: a snapshot that is ahead of it belongs to a state that a restored backup does not have
   * @throws INDEX_TOO_LARGE before memory is taken
   */
  load?(newestChange: number): Promise<LoadedIndex>
  /** Removes what the engine keeps of the space, in files or on a server. Absent where it keeps nothing. */
  remove?(): Promise<void>
  /** How calls are repeated where the engine cannot be reached. Default: four times within nine seconds. */
  readonly reach?: Partial<ReachOptions>
  /** Bytes that the engine's files take in `VectorSpace.dir`. */
  bytesOnDisk?(): number
}

/** What a snapshot gave. */
export type LoadedIndex =
  | {
      readonly kind: 'loaded'
      readonly index: VectorIndex
      /** The last change of the archive that is in it. */
      readonly lastChange: number
    }
  | { readonly kind: 'absent' }
  /** There is one, but it cannot be used; `reason` completes "the snapshot …". */
  | { readonly kind: 'unusable'; readonly reason: string }

/** Called for each space that is opened; connects to nothing before `open` or `remove`. */
export type VectorEngineFactory = (space: VectorSpace) => VectorEngine

/** Engines by the names under which archives are configured to use them. */
export type VectorEngines = Readonly<Record<string, VectorEngineFactory>>
