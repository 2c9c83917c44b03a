import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { openArchive } from '../../../../index/archive/open-archive.js'
import { describeName, giveAlias, noteName, takeAlias } from '../../../../index/identities/describe-name.js'
import { enroll, forgetName, knownName } from '../../../../index/identities/identities.js'
import { pendingErasure } from '../../../../index/store/erasure.js'
import { journalAfter } from '../../../../index/store/journal.js'
import { encodeFloat16 } from '../../../../pipeline/data/float16.js'
import { temporaryDir } from '../../../support/cameo.js'
import { refusedWith } from '../../../support/refused-with.js'

const face = {
  ...{ source: '/photos/1.jpg', quality: 0.5 },
  embedding: { float16: encodeFloat16(new Float32Array(8).fill(0.1)), norm: 5 },
}

function start() {
  const { database } = openArchive(temporaryDir(), { create: true })
  for (const name of ['Ada', 'Bo']) enroll(database, name, 'e', [face])
  return database
}

const actions = (database: ReturnType<typeof start>) =>
  journalAfter(database, 2, 99).map(({ action }) => action)

describe('an alias', () => {
  it('answers as the name does, in any encoding of accents', () => {
    const database = start()
    assert.equal(giveAlias(database, 'Ada', ' Comtesse Adélaïde '.normalize('NFD')), 'Ada')
    assert.equal(knownName(database, 'Comtesse Adélaïde'), 'Ada')
    assert.equal(giveAlias(database, 'Comtesse Adélaïde', 'Countess'), 'Ada', 'also by an alias')
    assert.deepEqual(describeName(database, 'Ada').aliases, ['Comtesse Adélaïde', 'Countess'])
    assert.equal(knownName(database, 'Eve'), 'Eve')
  })

  it('belongs to one person, and is no name', () => {
    const database = start()
    giveAlias(database, 'Ada', 'A.')
    assert.throws(
      () => giveAlias(database, 'Bo', 'A.'),
      refusedWith('NAME_TAKEN', /already an alias of "Ada"/),
    )
    assert.throws(() => giveAlias(database, 'Ada', 'Bo'), refusedWith('NAME_TAKEN', /"Bo" is a name already/))
    assert.throws(() => giveAlias(database, 'Eve', 'E.'), refusedWith('NAME_UNKNOWN', /"Eve"/))
    assert.throws(() => takeAlias(database, 'Bo', 'A.'), refusedWith('NAME_UNKNOWN', /not an alias of "Bo"/))
    assert.deepEqual(
      [describeName(database, 'Ada').aliases, describeName(database, 'Bo').aliases],
      [['A.'], []],
    )
  })

  it('goes without a trace, also with its name', () => {
    const database = start()
    giveAlias(database, 'Ada', 'A.')
    giveAlias(database, 'Ada', 'Countess')
    takeAlias(database, 'Ada', 'A.')
    assert.notEqual(pendingErasure(database), undefined)
    assert.equal(knownName(database, 'A.'), 'A.')
    takeAlias(database, 'Ada', 'Countess')
    assert.deepEqual(actions(database), [])
    giveAlias(database, 'Ada', 'Countess')
    forgetName(database, 'Ada')
    assert.equal(knownName(database, 'Countess'), 'Countess')
    assert.equal(database.prepare('SELECT count(*) FROM identity_aliases').pluck().get(), 0)
    assert.equal(actions(database).includes('describe-name'), false)
  })
})

describe('a note', () => {
  it('replaces the one before; an empty one removes it', () => {
    const database = start()
    noteName(database, 'Ada', 'wrote the first program')
    assert.equal(noteName(database, 'Ada', ' mathematician\n'), 'Ada')
    assert.equal(describeName(database, 'Ada').note, 'mathematician')
    assert.equal(describeName(database, 'Bo').note, undefined)
    noteName(database, 'Ada', '  ')
    assert.equal(describeName(database, 'Ada').note, undefined)
    assert.deepEqual(actions(database), [])
    assert.throws(() => noteName(database, 'Ada', 'x'.repeat(5000)), refusedWith('USAGE', /5000 characters/))
  })
})
