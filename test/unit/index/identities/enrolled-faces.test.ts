import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { openArchive } from '../../../../index/archive/open-archive.js'
import { enrolledFaces, forgetFace } from '../../../../index/identities/enrolled-faces.js'
import { enroll, referenceFacesOf } from '../../../../index/identities/identities.js'
import { listIdentities } from '../../../../index/store/identities.js'
import { journalAfter } from '../../../../index/store/journal.js'
import { encodeFloat16 } from '../../../../pipeline/data/float16.js'
import { temporaryDir } from '../../../support/cameo.js'

const [own, further] = ['e'.repeat(16), 'f'.repeat(16)]

/** A face with distinctive values, by two embedders. */
const face = (source: string, shade: number) => {
  const float16 = encodeFloat16(new Float32Array(8).fill(shade))
  return {
    ...{ source, quality: shade, embedding: { float16, norm: 5 } },
    extraEmbeddings: [{ embedder: further, float16, norm: 6 }],
  }
}

const start = () => openArchive(temporaryDir(), { create: true }).database

describe('one face of a name', () => {
  it('is erased for every embedder, and the others stay', () => {
    const database = start()
    enroll(database, 'Ada', own, [face('clip', 0.25), face('clip', 0.5), face('photo', 0.75)])
    enroll(database, 'Bob', own, [face('clip', 0.25)])
    assert.deepEqual(
      enrolledFaces(database, 'Ada', own).map(({ number, source }) => [number, source]),
      [
        [1, 'clip'],
        [2, 'clip'],
        [3, 'photo'],
      ],
    )
    assert.deepEqual(forgetFace(database, 'Ada', own, 2), { source: 'clip', left: 2 })
    assert.deepEqual(
      referenceFacesOf(database, 'Ada').map(({ source, embedder, quality }) => [source, embedder, quality]),
      [
        ['clip', own, 0.25],
        ['clip', further, 0.25],
        ['photo', own, 0.75],
        ['photo', further, 0.75],
      ],
    )
    assert.equal(enrolledFaces(database, 'Bob', own).length, 1)
  })

  it('leaves no trace of its file if it was the last face from it', () => {
    const database = start()
    enroll(database, 'Ada', own, [face('clip', 0.25), face('photo', 0.75)])
    forgetFace(database, 'Ada', own, 2)
    assert.deepEqual(
      journalAfter(database, 0, 9).map(({ subject }) => subject),
      [{ name: 'Ada', sources: ['clip'] }],
    )
  })

  it('is erased together with the name if it was the last face', () => {
    const database = start()
    enroll(database, 'Ada', own, [face('photo', 0.75)])
    assert.deepEqual(forgetFace(database, 'Ada', own, 1), { source: 'photo', left: 0 })
    assert.deepEqual([listIdentities(database), journalAfter(database, 0, 9)], [[], []])
  })

  it('is refused if it does not exist, and nothing is erased', () => {
    const database = start()
    enroll(database, 'Ada', own, [face('photo', 0.75)])
    assert.throws(() => forgetFace(database, 'Ada', own, 2), {
      code: 'FACE_UNKNOWN',
      message: /no face 2/,
      details: { remedy: 'list-faces', name: 'Ada' },
    })
    assert.equal(enrolledFaces(database, 'Ada', own).length, 1)
  })
})
