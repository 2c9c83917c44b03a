/** Ranked clips of each identity, best first, without duplicates. */
export type Rankings = ReadonlyMap<string, readonly string[]>

/** All clips of each identity. */
export type GroundTruth = ReadonlyMap<string, ReadonlySet<string>>

/** Clips that may be retrieved. */
export type Pool = ReadonlySet<number>

/** The clips of a query, best first. The score of a clip is the score of its best track. */
export type RankedClips = readonly { readonly clip: number; readonly score: number }[]
