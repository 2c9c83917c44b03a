export interface ClipFacts {
  readonly sizeBytes: number
  readonly durationS: number | undefined
  readonly widthPx: number
  readonly heightPx: number
  readonly codec: string
  readonly container: string
  /** Sentences: what of it is not looked at. */
  readonly leftOut?: readonly string[] | undefined
}

export type RunState = 'working' | 'done' | 'partial'

export interface Run {
  readonly segments: number
  readonly cuttable: boolean
  readonly state: RunState
  readonly truncated: boolean
  /** Of the segments stored so far. */
  readonly stored: ReadonlySet<number>
  readonly tracks: number
  /** Looked at, and found in them. */
  readonly frames: number
  readonly faces: number
  /** What of these segments could not be decoded, s. */
  readonly lostS: number
  /** Sentences: what of the clip is not looked at. */
  readonly leftOut: readonly string[]
}

/** The recipe under which a segment's rows are written. */
export interface RunKey {
  readonly clipId: string
  readonly recipe: string
}

/** And what its embeddings and descriptors are of. */
export interface SegmentKey extends RunKey {
  readonly embedder: string
  readonly spaceId: number
}

export interface Failure {
  readonly code: string
  readonly message: string
}
