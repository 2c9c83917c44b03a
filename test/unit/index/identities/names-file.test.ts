import assert from 'node:assert/strict'
import { readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import type { Archive, FilledArchive } from '../../../../index/archive/open-archive.js'
import { correctTracks } from '../../../../index/identities/corrections.js'
import { describeName, giveAlias, noteName } from '../../../../index/identities/describe-name.js'
import { exportNames } from '../../../../index/identities/export-names.js'
import { enroll, referenceFacesOf } from '../../../../index/identities/identities.js'
import { importWith } from '../../../../index/identities/import-names.js'
import { readCorrections, tracksOfClip } from '../../../../index/identities/verdicts.js'
import { listIdentities } from '../../../../index/store/identities.js'
import { encodeFloat16 } from '../../../../pipeline/data/float16.js'
import { temporaryDir } from '../../../support/cameo.js'
import { damageRows } from '../../../support/damage-rows.js'
import { madeClipId, peopleArchive, quietCaller } from '../../../support/people-archive.js'
import { refusedWith } from '../../../support/refused-with.js'

const dir = temporaryDir()
let files = 0
const newFile = () => join(dir, `names-${files++}.jsonl`)

const clips = [{ path: 'a.mp4', tracks: [{ like: { Ada: 0.8 }, spansS: [[0, 5]] }] }] as const

const start = (names: readonly string[]) => filled(peopleArchive(temporaryDir(), names, clips))

function filled(archive: Archive): FilledArchive {
  assert.ok(archive.recipe !== undefined)
  return { archive, recipe: archive.recipe }
}

/** An archive in which Ada has two further faces, one of them with a picture and by two models, and all that can be said. */
function rich(): FilledArchive {
  const opened = start(['Ada', 'Bo'])
  const { database } = opened.archive
  const vector = (shade: number) =>
    encodeFloat16(Float32Array.from({ length: 512 }, (_, i) => shade + (i % 7)))
  const point = { x: 120.5, y: 130 }
  enroll(database, 'Ada', opened.recipe.embedderDigest, [
    {
      ...{ source: '/photos/2.jpg', quality: 0.75, embedding: { float16: vector(1), norm: 4 } },
      extraEmbeddings: [{ embedder: 'f'.repeat(16), float16: vector(2).slice(0, 16), norm: 3 }],
      picture: {
        jpeg: Uint8Array.of(0xff, 0xd8, 7),
        boxXyxyPx: [1, 2, 3, 4.5],
        landmarksPx: [point, point, point, point, point],
      },
    },
    { source: '/photos/3.jpg', quality: 0.5, embedding: { float16: vector(3), norm: 5 } },
  ])
  giveAlias(database, 'Ada', 'Countess')
  noteName(database, 'Ada', 'mathematician')
  correctTracks(database, 'Ada', {
    ...{ clipId: madeClipId(0), verdict: 'confirmed', tracks: tracksOfClip(database, madeClipId(0)) },
  })
  return opened
}

const exported = ({ archive }: FilledArchive, file = newFile()) => {
  exportNames(archive, { file }, () => undefined)
  return file
}

const noModels = { stages: () => Promise.reject(new Error('no models are needed')) }
const bringIn = (opened: FilledArchive, file: string) =>
  importWith({ opened, models: noModels }, { file }, quietCaller())

/** All that an archive knows of a name. */
const knowledge = ({ archive: { database } }: FilledArchive, name: string) => ({
  ...describeName(database, name),
  faces: referenceFacesOf(database, name).map(({ picture, ...face }) => ({
    ...face,
    picture: picture === undefined ? null : { ...picture, jpeg: [...picture.jpeg] },
  })),
  corrections: readCorrections(database, name).map(({ clipId, verdict, at, place }) => ({
    clipId,
    verdict,
    at,
    place,
  })),
})

describe('a file of names', () => {
  it('brings every name with all that is known of it into another archive', async () => {
    const from = rich()
    const file = newFile()
    const report = exportNames(from.archive, { file }, () => undefined)
    assert.deepEqual(report, { names: 2, faces: 4, pictures: 1, corrections: 1, damaged: [] })
    assert.equal(statSync(file).mode & 0o777, 0o600)
    const to = start([])
    const { names } = await bringIn(to, file)
    assert.deepEqual(names.map(({ name, status, faces, needsPhotos }) => [name, status, faces, needsPhotos]), [['Ada', 'added', 3, false], ['Bo', 'added', 1, false]]) // prettier-ignore
    for (const name of ['Ada', 'Bo']) assert.deepEqual(knowledge(to, name), knowledge(from, name))
    assert.equal(
      readCorrections(to.archive.database, 'Ada')[0]?.tracks.length,
      1,
      'the other archive has the clip',
    )
  })

  it('brings nothing twice', async () => {
    const from = rich()
    const file = exported(from)
    const before = knowledge(from, 'Ada')
    const { names } = await bringIn(from, file)
    assert.deepEqual(names.map(({ status, faces, corrections }) => [status, faces, corrections]), [['unchanged', 0, 0], ['unchanged', 0, 0]]) // prettier-ignore
    assert.deepEqual(knowledge(from, 'Ada'), before)
  })

  it('joins names, and replaces nothing', async () => {
    const file = exported(rich())
    const to = start(['Eve', 'Countess', 'Ada'])
    const { database } = to.archive
    const own = knowledge(to, 'Ada').faces
    noteName(database, 'Ada', 'another note')
    giveAlias(database, 'Eve', 'Bo')
    const { names } = await bringIn(to, file)
    assert.deepEqual(names, [
      {
        ...{ name: 'Ada', status: 'joined', faces: 3, corrections: 1, needsPhotos: false },
        ...{ leftOutAliases: ['Countess'], keptNote: true },
      },
      {
        ...{ name: 'Bo', into: 'Eve', status: 'joined', faces: 1, corrections: 0, needsPhotos: false },
        ...{ leftOutAliases: [], keptNote: false },
      },
    ])
    assert.deepEqual(knowledge(to, 'Ada').faces.slice(0, own.length), own)
    assert.equal(describeName(database, 'Ada').note, 'another note')
    assert.deepEqual(listIdentities(database).map(({ name, faces }) => [name, faces]), [['Ada', 4], ['Countess', 1], ['Eve', 2]]) // prettier-ignore
  })

  it('keeps a name that only other models know, and says that it needs photos', async () => {
    const from = start(['Ada'])
    enroll(from.archive.database, 'Cy', 'a'.repeat(16), [
      {
        source: '/c.jpg',
        quality: 0.5,
        embedding: { float16: encodeFloat16(Float32Array.of(1, 2)), norm: 2 },
      },
    ])
    const to = start([])
    const { names } = await bringIn(to, exported(from))
    assert.deepEqual(names.map(({ name, needsPhotos }) => [name, needsPhotos]), [['Ada', false], ['Cy', true]]) // prettier-ignore
    assert.deepEqual(knowledge(to, 'Cy'), knowledge(from, 'Cy'))
  })

  it('is not written over another file, and nothing is left of a failed export', () => {
    const from = start(['Ada'])
    const file = exported(from)
    const before = readFileSync(file, 'utf8')
    assert.throws(() => exported(from, file), refusedWith('USAGE', /there is a file/))
    assert.equal(readFileSync(file, 'utf8'), before)
    exportNames(from.archive, { file, overwrite: true }, () => undefined)
    assert.throws(
      () => exported(from, join(dir, 'no folder', 'names.jsonl')),
      refusedWith('NAMES_NOT_WRITTEN', /no folder/),
    )
  })

  it('leaves out what is damaged, and says so', () => {
    const from = rich()
    damageRows(from.archive.database, "UPDATE reference_faces SET norm = 9 WHERE source = '/photos/3.jpg'")
    const report = exportNames(from.archive, { file: newFile() }, () => undefined)
    assert.deepEqual([report.faces, report.damaged], [3, [{ name: 'Ada', what: 'reference_faces' }]])
  })
})

describe('a damaged file of names', () => {
  /** Nothing of it is imported. */
  async function refused(change: (text: string) => string, said: RegExp) {
    const file = newFile()
    writeFileSync(file, change(readFileSync(exported(rich()), 'utf8')))
    const to = start([])
    await assert.rejects(bringIn(to, file), refusedWith('NAMES_INVALID', said))
    assert.deepEqual(listIdentities(to.archive.database), [])
  }
  const lines = (text: string) => text.trimEnd().split('\n')

  it('is refused as a whole', async () => {
    await refused((text) => lines(text).slice(0, -1).join('\n'), /cut off/)
    await refused((text) => text.slice(0, -200), /line \d+ is not JSON|cut off/)
    await refused((text) => text.replace('mathematician', 'mathematiciaN'), /is damaged/)
    await refused((text) => `${text}{"kind":"cameo-names","version":1}\n`, /goes on after its last line/)
    await refused((text) => lines(text).slice(1).join('\n'), /does not begin/)
    await refused((text) => text.replace('"version":1', '"version":2'), /newer Cameo/)
    await refused(() => '', /is empty/)
    await refused(() => 'not json', /line 1 is not JSON/)
    await refused(
      (text) => text.replace('"quality":0.75', '"quality":75'),
      /line 4 does not fit the format.*quality/,
    )
    await refused(
      () => '{"kind":"cameo-names","version":1}\n' + 'x'.repeat(9_000_000),
      /longer than any line/,
    )
    await refused((text) => text.replace(/"vector":"[^"]*"/, '"vector":"AAAAAA=="'), /embedding that is none/)
    await refused(
      (text) => text.replace('"kind":"face","name":"Ada"', '"kind":"face","name":"Zoe"'),
      /a name that does not come before it/,
    )
    await assert.rejects(
      bringIn(start([]), join(dir, 'none')),
      refusedWith('NAMES_INVALID', /cannot be opened/),
    )
  })
})
