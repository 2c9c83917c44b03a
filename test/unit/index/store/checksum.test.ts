import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { openArchive } from '../../../../index/archive/open-archive.js'
import { checkDeeply, repairStructure } from '../../../../index/archive/deep-check.js'
import { checkedColumns, rowChecksum } from '../../../../index/store/checksum.js'
import { findDamage } from '../../../../index/store/damage.js'
import { createDescriptorStore } from '../../../../index/store/descriptors.js'
import { temporaryDir } from '../../../support/cameo.js'
import { flipLastOf, flipStored, swapStored } from '../../../support/flip.js'
import { storeClips } from '../../../support/stored-clips.js'

const exponentByte = 3
const exponentBit = 6

/** Reads the stored vectors in order of labels, and closes the archive. */
function storedVectors(dir: string): Buffer[] {
  const archive = storeClips(dir, 3)
  const vectors = archive.database
    .prepare<[], Buffer>('SELECT vector FROM descriptors ORDER BY label')
    .pluck()
    .all()
  archive.close()
  return vectors
}

describe('the checksum of a row', () => {
  it('covers every column of every table', () => {
    const archive = openArchive(temporaryDir(), { create: true })
    const { database } = archive
    const tables = database
      .prepare<[], string>("SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite%'")
      .pluck()
      .all()
    const columns = Object.fromEntries(
      tables.map((table) => [
        table,
        database.prepare<[string], string>('SELECT name FROM pragma_table_info(?)').pluck().all(table),
      ]),
    )
    assert.deepEqual(columns, checkedColumns)
    for (const table of tables) {
      const all = database
        .prepare<[string], string>('SELECT name FROM pragma_table_xinfo(?)')
        .pluck()
        .all(table)
      assert.ok(all.includes('crc'), `${table} has no checksum`)
    }
    archive.close()
  })

  it('differs for the same bytes split elsewhere, and for a number and its text', () => {
    const checksums = [
      rowChecksum('t', 'ab', 'c'),
      rowChecksum('t', 'a', 'bc'),
      rowChecksum('t', 'a', null, 'bc'),
      rowChecksum('t', '1'),
      rowChecksum('t', 1),
      rowChecksum('t', Uint8Array.of(1), Uint8Array.of(2, 3)),
      rowChecksum('t', Uint8Array.of(1, 2), Uint8Array.of(3)),
    ]
    assert.equal(new Set(checksums).size, checksums.length)
  })

  it('is updated with every write of a row, from any process', () => {
    const archive = storeClips(temporaryDir(), 2)
    archive.database.exec("UPDATE clips SET codec = 'vp9'; UPDATE paths SET code = 'CLIP_GONE'")
    assert.deepEqual(findDamage(archive.database), [])
    archive.close()
  })

  it('reports a flipped bit of a vector with its clip and track, and does not load the vector', () => {
    const dir = temporaryDir()
    const [vector] = storedVectors(dir)
    flipStored(dir, vector!, exponentByte, exponentBit)
    const archive = openArchive(dir)
    const { descriptors } = createDescriptorStore(archive.database).liveAfter(1, -1, 100)
    assert.deepEqual(
      descriptors.filter((row) => row.vector === 'damaged').map(({ label }) => label),
      [1],
    )
    const { damage, structure } = checkDeeply(archive.database)
    assert.deepEqual(damage, [{ clipId: '0'.repeat(64), trackId: 1, what: 'descriptors' }])
    assert.deepEqual(structure, [])
    archive.close()
  })

  it('reports both of two swapped vectors', () => {
    const dir = temporaryDir()
    const [a, b] = storedVectors(dir)
    swapStored(dir, a!, b!)
    const archive = openArchive(dir)
    assert.equal(findDamage(archive.database).filter(({ what }) => what === 'descriptors').length, 2)
    archive.close()
  })

  it('rebuilds a damaged index in a repair', () => {
    for (const name of ['descriptors_track', 'sqlite_autoindex_tracks_1']) {
      const dir = temporaryDir()
      storeClips(dir, 3).close()
      flipLastOf(dir, name)
      const archive = openArchive(dir)
      assert.notDeepEqual(checkDeeply(archive.database).structure, [], name)
      assert.deepEqual(repairStructure(archive.database), [], name)
      assert.deepEqual(checkDeeply(archive.database).structure, [], name)
      archive.close()
    }
  })

  it('detects a label that would be reused, and a repair prevents it', () => {
    const { database } = storeClips(temporaryDir(), 2)
    database.exec("UPDATE sqlite_sequence SET seq = 7 WHERE name = 'descriptors'")
    assert.match(checkDeeply(database).structure.join(), /id counter of descriptors/)
    assert.deepEqual(repairStructure(database), [])
    const last = database.prepare("SELECT seq FROM sqlite_sequence WHERE name = 'descriptors'").pluck().get()
    assert.equal(last, 8)
    database.close()
  })

  it('detects a lost row by the count of its owner', () => {
    const archive = storeClips(temporaryDir(), 2)
    archive.database.exec('DELETE FROM embeddings WHERE face_id = 1')
    assert.deepEqual(findDamage(archive.database), [{ clipId: '0'.repeat(64), what: 'missing rows' }])
    archive.database.exec('PRAGMA foreign_keys = OFF; DELETE FROM descriptors WHERE label = 8')
    assert.equal(findDamage(archive.database)[1]?.trackId, 8)
    archive.close()
  })
})
