import assert from 'node:assert/strict'
import { mkdtempSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { openArchive } from '../../../../../../index/archive/open-archive.js'
import { createInbox } from '../../../../../../index/store/inbox.js'
import { defaultSettings } from '../../../../../../pipeline/recipe/recipe.js'
import { applyDescriptors } from '../../../../../../workers/kafka/stages/index/apply-descriptors.js'
import {
  endReplay,
  isDescribedHere,
  isReplaying,
} from '../../../../../../workers/kafka/stages/index/archive-recipes.js'
import { resetForReplay } from '../../../../../../workers/kafka/stages/index/archive-source.js'
import { encodeMessage, type WireRecipe } from '../../../../../../workers/kafka/messages/schemas.js'
import { dumpArchive } from '../../../../../support/archive-dump.js'
import { temporaryDir } from '../../../../../support/cameo.js'
import { good, recipeWith } from '../../../../../support/described.js'

const archives = temporaryDir()
const usual = recipeWith()
const other = recipeWith(undefined, { ...defaultSettings, facesPerTrack: 3 })

interface Written {
  readonly clip: string
  readonly recipe: WireRecipe
  readonly ms: number
}

const written = (clip: string, recipe: WireRecipe, ms: number): Written => ({
  ...{ clip: clip.repeat(64), recipe, ms },
})

const newArchive = () => mkdtempSync(join(archives, 'archive-'))

/** Applies clips of one segment each. Returns the codes of the refused ones. */
function apply(dir: string, clips: readonly Written[], reprocess = false): string[] {
  const archive = openArchive(dir, { create: true })
  const options = { archive, inbox: createInbox(archive.database), connection: { prefix: 'test' } }
  const codes = clips.flatMap(({ clip, recipe, ms }) => {
    const of = { uri: `/clips/${clip[0]}.mp4`, root: '/clips' }
    const messages = good(0, { segments: 1, pass: `${ms}`, of, recipe, clip }).map((message) => ({
      ...{ value: Buffer.from(encodeMessage(message)), timestamp: `${ms}` },
    }))
    const { refused } = archive.database.transaction(() =>
      applyDescriptors(messages, { ...options, reprocess, head: undefined }),
    )()
    return refused.map(({ error }) => error.code)
  })
  archive.close()
  return codes
}

function replay(dir: string, clips: readonly Written[]): string[] {
  resetForReplay(dir)
  const codes = apply(dir, clips)
  const archive = openArchive(dir)
  assert.ok(isReplaying(archive.database))
  endReplay(archive.database)
  archive.close()
  return codes
}

const ownRecipe = (dir: string) => {
  const archive = openArchive(dir)
  const digest = archive.recipe?.digest
  archive.close()
  return digest
}

describe('an archive whose topic holds clips of two recipes', () => {
  const first = written('a', usual, 1000)
  const second = written('b', other, 2000)

  it('accepted both: a replay gives the same archive, in any order of the partitions', () => {
    const dir = newArchive()
    assert.deepEqual(apply(dir, [first]), [])
    assert.deepEqual(apply(dir, [second], true), [])
    assert.equal(ownRecipe(dir), other.digest)
    const rows = dumpArchive(dir)
    assert.equal(rows.filter((row) => row.startsWith('track ')).length, 2)
    for (const order of [
      [first, second],
      [second, first],
    ]) {
      assert.deepEqual(replay(dir, order), [])
      assert.deepEqual(dumpArchive(dir), rows)
      assert.equal(ownRecipe(dir), other.digest)
    }
  })

  it('refused one: a replay refuses it again', () => {
    const dir = newArchive()
    assert.deepEqual(apply(dir, [first, second]), ['ARCHIVE_OTHER_RECIPE'])
    const rows = dumpArchive(dir)
    for (const order of [
      [first, second],
      [second, first],
    ]) {
      assert.deepEqual(replay(dir, order), ['ARCHIVE_OTHER_RECIPE'])
      assert.deepEqual(dumpArchive(dir), rows)
      assert.equal(ownRecipe(dir), usual.digest)
    }
  })

  it('is lost: a replay gives it the recipe of the newest message, in any order of reading', () => {
    for (const order of [
      [first, second],
      [second, first],
    ]) {
      const dir = newArchive()
      assert.deepEqual(replay(dir, order), [])
      assert.equal(ownRecipe(dir), other.digest)
      assert.equal(dumpArchive(dir).filter((row) => row.startsWith('track ')).length, 2)
    }
  })

  it('a late message of the earlier recipe does not change the archive back; a newer message does', () => {
    const dir = newArchive()
    apply(dir, [first, second], true)
    assert.deepEqual(apply(dir, [written('c', usual, 1500)], true), [])
    assert.equal(ownRecipe(dir), other.digest)
    assert.deepEqual(apply(dir, [written('d', usual, 2500)], true), [])
    assert.equal(ownRecipe(dir), usual.digest)
  })

  it('a clip that was processed with both has the rows of the later one', () => {
    const dir = newArchive()
    const again = written('a', other, 2000)
    apply(dir, [first, again], true)
    const rows = dumpArchive(dir)
    assert.equal(rows.filter((row) => row.startsWith('runs ')).length, 1)
    replay(dir, [first, again])
    assert.deepEqual(dumpArchive(dir), rows)
  })

  it('other recipes are refused after the replay as before it', () => {
    const dir = newArchive()
    apply(dir, [first])
    replay(dir, [first])
    assert.deepEqual(apply(dir, [second]), ['ARCHIVE_OTHER_RECIPE'])
  })
})

describe('an archive that a head was applied to', () => {
  it('is distinguished from an archive with descriptors from messages, and a replay restores these', () => {
    const dir = newArchive()
    const clip = written('a', usual, 1000)
    apply(dir, [clip])
    const archive = openArchive(dir)
    assert.equal(isDescribedHere(archive), false)
    const own = archive.recipe ?? assert.fail()
    archive.database
      .prepare('UPDATE meta SET value = ? WHERE key = ?')
      .run(JSON.stringify({ ...own, digest: 'd'.repeat(64), headFile: '/heads/own.onnx' }), 'recipe')
    assert.equal(isDescribedHere(archive), true)
    archive.close()
    assert.deepEqual(replay(dir, [clip]), [])
    assert.equal(ownRecipe(dir), usual.digest)
  })
})
