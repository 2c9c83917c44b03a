/** A track, or what of it shows nobody who is enrolled. */
export interface UnnamedTrack {
  readonly trackId: number
  readonly spans: readonly (readonly [startS: number, endS: number])[]
}

/**
 * The people of a clip who have no name, each with the tracks that show them. Nothing is known yet of which tracks show the same
 * person, so each track is a person of its own. Groups of people without names belong here: tracks of one group are one person,
 * with the group's id.
 */
export const unnamedPeople = (tracks: readonly UnnamedTrack[]): (readonly UnnamedTrack[])[] =>
  tracks.map((track) => [track])
