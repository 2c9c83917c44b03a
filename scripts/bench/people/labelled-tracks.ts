import type { TracksToGroup } from '../../../index/people/tracks-to-group.js'

/** Tracks with whom they show. */
export interface LabelledTracks extends TracksToGroup {
  /** Undefined: somebody who is not measured. */
  readonly people: readonly (string | undefined)[]
}

/** A copy, since grouping overwrites the descriptors. */
export const copyOf = <Tracks extends TracksToGroup>(tracks: Tracks): Tracks => ({
  ...tracks,
  vectors: tracks.vectors.slice(),
})

/** Only these rows, in this order. */
export function rowsOf(tracks: LabelledTracks, rows: readonly number[]): LabelledTracks {
  const { dimension } = tracks
  const vectors = new Float32Array(rows.length * dimension)
  const spans = rows.map(
    (row) =>
    Array.from({ length: (tracks.firstSpan[row + 1] ?? 0) - (tracks.firstSpan[row] ?? 0) }, (_, i) => (tracks.firstSpan[row] ?? 0) + i), // prettier-ignore
  )
  for (const [at, row] of rows.entries())
    vectors.set(tracks.vectors.subarray(row * dimension, (row + 1) * dimension), at * dimension)
  let end = 0
  return {
    ...{ count: rows.length, dimension, vectors },
    qualities: Float32Array.from(rows, (row) => tracks.qualities[row] ?? 0),
    clips: Int32Array.from(rows, (row) => tracks.clips[row] ?? 0),
    firstSpan: Uint32Array.from([0, ...spans.map((own) => (end += own.length))]),
    startsS: Float64Array.from(spans.flat(), (span) => tracks.startsS[span] ?? 0),
    endsS: Float64Array.from(spans.flat(), (span) => tracks.endsS[span] ?? 0),
    people: rows.map((row) => tracks.people[row]),
  }
}

/**
 * Two halves: every second person, of those with most tracks first, with the clips that show only people of this half. Clips without a
 * measured person are dealt out in turn.
 */
export function halvesOf(tracks: LabelledTracks): readonly [LabelledTracks, LabelledTracks] {
  const sizes = new Map<string, number>()
  for (const person of tracks.people)
    if (person !== undefined) sizes.set(person, (sizes.get(person) ?? 0) + 1)
  const order = [...sizes].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1))
  const halfOf = new Map(order.map(([person], at) => [person, at % 2]))
  const halfOfClip = new Map<number, number>()
  for (const [row, person] of tracks.people.entries())
    if (person !== undefined) halfOfClip.set(tracks.clips[row] ?? 0, halfOf.get(person) ?? 0)
  const rows: [number[], number[]] = [[], []]
  for (let row = 0; row < tracks.count; row++) {
    const clip = tracks.clips[row] ?? 0
    rows[(halfOfClip.get(clip) ?? clip % 2) === 0 ? 0 : 1].push(row)
  }
  return [rowsOf(tracks, rows[0]), rowsOf(tracks, rows[1])]
}

/** The pairs of every two rows: for methods without a graph of neighbours. [count, count] cosines. */
export function cosinesOf({ count, dimension, vectors }: TracksToGroup): Float32Array {
  const cosines = new Float32Array(count * count)
  for (let a = 0; a < count; a++)
    for (let b = 0; b <= a; b++) {
      let dot = 0
      for (let i = a * dimension, j = b * dimension, end = i + dimension; i < end; i++, j++)
        dot += (vectors[i] ?? 0) * (vectors[j] ?? 0)
      cosines[a * count + b] = dot
      cosines[b * count + a] = dot
    }
  return cosines
}
