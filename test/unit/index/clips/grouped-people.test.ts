/** `show` and `list` where tracks were grouped into people. */
import assert from 'node:assert/strict'
import { before, describe, it } from 'node:test'
import { withModels } from '../../../../index/archive/archive-models.js'
import { openFilledArchive, type FilledArchive } from '../../../../index/archive/open-archive.js'
import { listClips, type ListParts } from '../../../../index/clips/list-clips.js'
import { listPeople } from '../../../../index/clips/list-people.js'
import { showClip } from '../../../../index/clips/show-clip.js'
import { hitsOfClip } from '../../../../index/editing/hits.js'
import { forgetName } from '../../../../index/identities/identities.js'
import { mergePeople } from '../../../../index/people/correct-people.js'
import { namePerson } from '../../../../index/people/name-person.js'
import { findPack } from '../../../../pipeline/models/packs/catalog.js'
import { temporaryDir } from '../../../support/cameo.js'
import { group } from '../../../support/made-people.js'
import { peopleArchive, quietCaller } from '../../../support/people-archive.js'

const dir = temporaryDir()
let opened: FilledArchive

const ask = <T>(question: (parts: ListParts) => Promise<T>) =>
  withModels(opened, { device: { kind: 'cpu' } }, quietCaller(), (models) => question({ opened, models }))

async function shown(clip: string) {
  const { people } = await ask((parts) => showClip(parts, { clip }, quietCaller()))
  return people.map(({ name, personId, score, ranges }) => [
    ...[name, personId, score?.toFixed(2)],
    ranges.map(({ startS, endS }) => [startS, endS]),
  ])
}

before(async () => {
  // Ada is enrolled; Bo and Cy are faces that nobody has enrolled.
  const [ada, bo, cy] = [{ Ada: 0.9 }, { Bo: 0.9 }, { Cy: 0.9 }]
  peopleArchive(dir, ['Ada', 'Bo', 'Cy'], [
    { path: 'a.mp4', tracks: [
      { like: bo, spansS: [[0, 2]] }, { like: {}, spansS: [[1, 4]] }, { like: bo, spansS: [[10, 12]] }, { like: ada, spansS: [[5, 6]] },
    ] },
    { path: 'b.mp4', tracks: [{ like: bo, spansS: [[0, 9]] }, { like: cy, spansS: [[10, 15]] }] },
    { path: 'c.mp4', tracks: [{ like: cy, spansS: [[3, 5]] }] },
  ]).close() // prettier-ignore
  opened = openFilledArchive(dir, () => undefined)

  for (const name of ['Bo', 'Cy']) forgetName(opened.archive.database, name)
  await group(opened)
})

describe('a clip with grouped people', () => {
  it('shows the tracks of a group as one person; others stay by themselves', async () => {
    assert.deepEqual(await shown('/films/a.mp4'), [
      ['Ada', undefined, '0.90', [[5, 6]]],
      [undefined, 1, undefined, [[0, 2], [10, 12]]],
      [undefined, undefined, undefined, [[1, 4]]],
    ]) // prettier-ignore
    const clip = await ask((parts) => showClip(parts, { clip: '/films/a.mp4' }, quietCaller()))
    assert.deepEqual(
      hitsOfClip(clip).map(({ person }) => person),
      ['person 1', 'unnamed 3', 'Ada', 'person 1'],
    )
  })

  it('shows the name of a group also for tracks that do not match the name themselves', async () => {
    namePerson(opened, { pack: findPack('lite') }, { personId: 1, name: 'Bo' })
    mergePeople(opened.archive, [1, 2])
    assert.deepEqual(await shown('/films/c.mp4'), [['Bo', 1, '0.00', [[3, 5]]]])
    const { clips } = await ask((parts) => listClips(parts, { person: 'Bo' }, quietCaller()))
    assert.deepEqual(clips.map(({ path }) => path), ['/films/a.mp4', '/films/b.mp4', '/films/c.mp4']) // prettier-ignore
    const { people, unnamed } = await ask((parts) => listPeople(parts, {}, quietCaller()))
    assert.deepEqual(people.map((person) => [person.name, person.clips, person.tracks]), [['Ada', 1, 1], ['Bo', 3, 5]]) // prettier-ignore
    assert.equal(unnamed.tracks, 1)
  })
})
