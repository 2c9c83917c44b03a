import { findPack } from '../../pipeline/models/packs/catalog.js'
import { openIndexFor } from '../../index/archive/use-index.js'
import { openFilledArchive, type Archive, type FilledArchive } from '../../index/archive/open-archive.js'
import { forgetName } from '../../index/identities/identities.js'
import { groupPeople, type GroupPeopleRequest } from '../../index/people/group-people.js'
import { createTrackHits } from '../../index/store/track-hits.js'
import { activeSpace } from '../../index/store/meta.js'
import { PeopleRows } from '../../index/store/people-rows.js'
import { peopleArchive, quietCaller, type MadeClip } from './people-archive.js'

/** An archive in which several people are seen, and nobody is enrolled. */
export function namelessArchive(
  dir: string,
  people: readonly string[],
  clips: readonly MadeClip[],
): FilledArchive {
  const archive = peopleArchive(dir, people, clips)
  for (const name of people) forgetName(archive.database, name)
  archive.close()
  return openFilledArchive(dir, () => undefined)
}

export const group = (opened: FilledArchive, request: GroupPeopleRequest = {}) =>
  groupPeople(
    {
      opened,
      models: { pack: findPack(opened.recipe.packName) },
      useIndex: openIndexFor(opened.archive, quietCaller()),
    },
    request,
    quietCaller(),
  )

/** The tracks of a clip, by number, and the person of each. */
export function personsOf({ database }: Archive, clipId: string): (number | undefined)[] {
  const rows = new PeopleRows(database)
  const hits = createTrackHits(database, activeSpace(database)?.spaceId ?? 0)
  return hits.tracksOf(clipId).map(({ trackId }) => rows.ofTrack(trackId))
}
