/** A track, or what of it shows nobody who is enrolled. */
export interface UnnamedTrack {
  readonly trackId: number
  readonly spans: readonly (readonly [startS: number, endS: number])[]
  /** The person into whom it was grouped; undefined if it was not, or shows somebody else in these spans. */
  readonly personId?: number | undefined
}

/** Somebody whose faces match no enrolled name, with the tracks that show them. */
export interface UnnamedPerson {
  readonly personId: number | undefined
  readonly tracks: readonly UnnamedTrack[]
}

/** The people of a clip whose faces match no enrolled name: tracks of one group are one person, each other track is one of its own. */
export function unnamedPeople(tracks: readonly UnnamedTrack[]): readonly UnnamedPerson[] {
  const people: UnnamedPerson[] = []
  const grouped = new Map<number, UnnamedTrack[]>()
  for (const track of tracks) {
    const { personId } = track
    const known = personId === undefined ? undefined : grouped.get(personId)
    if (known !== undefined) {
      known.push(track)
      continue
    }
    const own = [track]
    if (personId !== undefined) grouped.set(personId, own)
    people.push({ personId, tracks: own })
  }
  return people
}
