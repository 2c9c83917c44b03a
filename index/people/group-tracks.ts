import { EdgeQueue } from './edge-queue.js'
import { PeopleInWork, type KnownLinks } from './people-in-work.js'
import { removeQualityDirection } from './quality-direction.js'
import { samePersonSimilarity, type GroupPair } from './same-person.js'
import type { TracksToGroup } from './tracks-to-group.js'

/** Pairs of rows that may show one person: `from[i]` and `to[i]`. */
export interface CandidatePairs {
  readonly from: Int32Array
  readonly to: Int32Array
}

export interface GroupingOptions {
  /** Similarity from which two tracks are one person. */
  readonly threshold: number
  /** How alike two groups are. Default: how likely they are one person. */
  readonly similarityOf?: (pair: GroupPair) => number
  /** Tracks that share frames are two people. Default: true. */
  readonly keepsApart?: boolean
  /** Remove what varies with the quality of faces. Default: true. */
  readonly removesQuality?: boolean
}

/** Groups may become alike only by growing, so pairs are looked at again until nothing changes. */
const maxRounds = 20

/**
 * Groups tracks into people: joins the two most similar groups of all candidate pairs again and again, as long as their similarity
 * reaches the threshold and nothing says that they are two people. (Agglomerative clustering over a graph of neighbours.)
 * @param tracks their `vectors` are overwritten
 * @returns the rows of each group, also of those with one row, in order of their first rows
 */
export function groupTracks(
  tracks: TracksToGroup,
  pairs: CandidatePairs,
  links: KnownLinks,
  options: GroupingOptions,
): readonly (readonly number[])[] {
  const { threshold, similarityOf = samePersonSimilarity, keepsApart = true, removesQuality = true } = options
  if (removesQuality) removeQualityDirection(tracks)
  const people = new PeopleInWork(tracks, links, keepsApart)
  const compare = (a: number, b: number): number => similarityOf(people.compare(a, b))
  for (let round = 0; round < maxRounds; round++) if (!joinOnce(people, pairs, compare, threshold)) break
  return people.groups()
}

/** Returns false if nothing was joined. */
function joinOnce(
  people: PeopleInWork,
  { from, to }: CandidatePairs,
  compare: (a: number, b: number) => number,
  threshold: number,
): boolean {
  const queue = new EdgeQueue()
  const add = (a: number, b: number): void => {
    const similarity = compare(a, b)
    if (similarity < threshold) return
    queue.push({ a, b, similarity, version: people.versionOf(a) + people.versionOf(b) })
  }
  for (let i = 0; i < from.length; i++) {
    const [a, b] = [people.groupOf(from[i] ?? 0), people.groupOf(to[i] ?? 0)]
    if (a !== b) add(Math.min(a, b), Math.max(a, b))
  }
  let hasJoined = false
  for (let edge = queue.pop(); edge !== undefined; edge = queue.pop()) {
    const [a, b] = [people.groupOf(edge.a), people.groupOf(edge.b)]
    if (a === b) continue
    if (people.versionOf(a) + people.versionOf(b) !== edge.version) add(Math.min(a, b), Math.max(a, b))
    else if (people.mayJoin(a, b)) {
      people.join(a, b)
      hasJoined = true
    }
  }
  return hasJoined
}
