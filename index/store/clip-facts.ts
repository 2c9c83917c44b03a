export interface ClipFacts {
  readonly sizeBytes: number
  readonly durationS: number | undefined
  readonly widthPx: number
  readonly heightPx: number
  readonly codec: string
  readonly container: string
  /** Sentences about content of the clip that is never examined. */
  readonly leftOut?: readonly string[] | undefined
}

export type RunState = 'working' | 'done' | 'partial'

export interface Run {
  readonly segments: number
  readonly cuttable: boolean
  readonly state: RunState
  readonly truncated: boolean
  /** Indexes of the segments stored so far. */
  readonly stored: ReadonlySet<number>
  readonly tracks: number
  /** Number of examined frames in these segments. */
  readonly frames: number
  /** Number of faces found in them. */
  readonly faces: number
  /** Length of the stretches of these segments that could not be decoded, in seconds. */
  readonly lostS: number
  /** Sentences about content of the clip that is never examined. */
  readonly leftOut: readonly string[]
}

/** A clip and the recipe under which its rows are written. */
export interface RunKey {
  readonly clipId: string
  readonly recipe: string
}

/** A run key with the embedder of its embeddings and the space of its descriptors. */
export interface SegmentKey extends RunKey {
  readonly embedder: string
  readonly spaceId: number
}

export interface Failure {
  readonly code: string
  readonly message: string
}
