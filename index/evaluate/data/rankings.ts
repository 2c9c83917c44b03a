/** Ranked clips of each identity, best first, no clip twice. */
export type Rankings = ReadonlyMap<string, readonly string[]>

/** All clips of each identity. */
export type GroundTruth = ReadonlyMap<string, ReadonlySet<string>>

/** Clips that may be retrieved. */
export type Pool = ReadonlySet<number>

/** Each query's clips, best first; a clip's score is that of its best track. */
export type RankedClips = readonly { readonly clip: number; readonly score: number }[]
