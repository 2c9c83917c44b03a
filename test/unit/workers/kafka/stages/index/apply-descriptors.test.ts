import assert from 'node:assert/strict'
import { mkdtempSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { openArchive, type Archive } from '../../../../../../index/archive/open-archive.js'
import type { FileFailure } from '../../../../../../index/store/file-facts.js'
import { createInbox } from '../../../../../../index/store/inbox.js'
import type { HeadFile } from '../../../../../../pipeline/describe/head/head-file.js'
import { applyDescriptors } from '../../../../../../workers/kafka/stages/index/apply-descriptors.js'
import {
  decodeStatus,
  encodeMessage,
  type ClipSource,
  type DescriptorsMessage,
  type StatusMessage,
} from '../../../../../../workers/kafka/messages/schemas.js'
import { dumpArchive } from '../../../../../support/archive-dump.js'
import { temporaryDir } from '../../../../../support/cameo.js'
import { clipId, givenUp, good, recipeWith, source } from '../../../../../support/described.js'

const archives = temporaryDir()
const copy: ClipSource = { uri: '/clips/copy.mp4', root: '/clips' }

interface Outcome {
  readonly rows: readonly string[]
  readonly failures: readonly FileFailure[]
  readonly statuses: readonly Omit<StatusMessage, 'at'>[]
  readonly refused: readonly string[]
}

/** Applies each message in its own transaction, as an index worker that reads slowly does. */
function applied(messages: readonly DescriptorsMessage[], head?: HeadFile): Outcome {
  const dir = mkdtempSync(join(archives, 'archive-'))
  const archive = openArchive(dir, { create: true })
  const refused = messages.flatMap((message) => applyOne(archive, message, head))
  const statuses = createInbox(archive.database)
    .unpublished(1000)
    .map(({ value }) => {
      const { at, ...status } = decodeStatus(value)
      assert.ok(Date.parse(at) > 0)
      return status
    })
  const failures = archive.files.failures()
  archive.close()
  return { rows: dumpArchive(dir), failures, statuses, refused }
}

function applyOne(archive: Archive, message: DescriptorsMessage, head: HeadFile | undefined): string[] {
  const options = { archive, inbox: createInbox(archive.database), connection: { prefix: 'test' } }
  const { refused } = archive.database.transaction(() =>
    applyDescriptors([record(message)], { ...options, reprocess: false, head }),
  )()
  return refused.map(({ error }) => error.code)
}

const record = (message: DescriptorsMessage) => ({
  value: Buffer.from(encodeMessage(message)),
  timestamp: '1',
})

const givenUpOf = (segment: number) => {
  const message = givenUp(segment, 'CLIP_STUCK', { segments: 1, pass: 'odd' })
  assert.ok(message.kind === 'given-up')
  return message
}

function permutations<T>(items: readonly T[]): T[][] {
  if (items.length <= 1) return [[...items]]
  return items.flatMap((item, i) =>
    permutations([...items.slice(0, i), ...items.slice(i + 1)]).map((rest) => [item, ...rest]),
  )
}

const last = <T>(items: readonly T[]): T => {
  const item = items.at(-1)
  assert.ok(item !== undefined)
  return item
}

describe('described segments in an archive', () => {
  it('two of three segments fail: rows, failure and last status are the same in every order', () => {
    const pass = { segments: 3, pass: 'first' }
    const [described, closing] = good(0, pass)
    assert.ok(described !== undefined && closing !== undefined)
    const messages = [
      [givenUp(1, 'CLIP_STUCK', pass)],
      [givenUp(2, 'CLIP_DECODE_FAILED', pass)],
      [described],
      [closing],
    ]
    const reason = { code: 'CLIP_STUCK', message: 'segment 1 of /clips/a.mp4: CLIP_STUCK' }
    const orders = permutations(messages)
    assert.equal(orders.length, 24)
    const rows = applied(messages.flat()).rows
    assert.equal(rows.filter((row) => /^segments .*state="failed"/.test(row)).length, 2)
    assert.equal(rows.filter((row) => row.startsWith('track ')).length, 1)
    for (const order of orders) {
      const outcome = applied(order.flat())
      assert.deepEqual(outcome.rows, rows)
      assert.deepEqual(outcome.failures, [{ path: source.uri, clipId, ...reason }])
      assert.equal(outcome.statuses.length, 1, 'reported when the last segment is there, not before')
      const { state, failure, tracks, uri } = last(outcome.statuses)
      assert.deepEqual({ state, failure, tracks, uri }, { state: 'partial', failure: reason, tracks: 1, uri: source.uri }) // prettier-ignore
    }
  })

  it('an unreadable clip fails with the reason of its first segment, in every order', () => {
    const pass = { segments: 3, pass: 'first' }
    const messages = ([0, 1, 2] as const).map((i) =>
      givenUp(i, (['CLIP_STUCK', 'CLIP_DECODE_FAILED', 'CLIP_UNREADABLE'] as const)[i], pass),
    )
    for (const order of permutations(messages)) {
      const { rows, failures, statuses } = applied(order)
      assert.deepEqual(rows.filter((row) => !row.startsWith('spaces')), []) // prettier-ignore
      assert.deepEqual(failures.map(({ code }) => code), ['CLIP_STUCK']) // prettier-ignore
      assert.deepEqual(statuses.map(({ state, failure }) => [state, failure?.code]), [['failed', 'CLIP_STUCK']]) // prettier-ignore
    }
  })

  it('failed segments succeed when submitted again: the old failure disappears, in every order', () => {
    const first = { segments: 3, pass: 'first' }
    const before = [...good(0, first), givenUp(1, 'CLIP_STUCK', first), givenUp(2, 'CLIP_UNREADABLE', first)]
    const again = { segments: 3, pass: 'again' }
    const whole = applied([0, 1, 2].flatMap((segment) => good(segment, first)))
    assert.deepEqual([whole.failures, whole.statuses.map(({ state }) => state)], [[], ['indexed']])
    for (const order of permutations([good(0, again), good(1, again), good(2, again)])) {
      const { rows, failures, statuses } = applied([...before, ...order.flat()])
      assert.deepEqual(rows, whole.rows)
      assert.deepEqual(failures, [])
      // One status for the partial end, then only statuses of the whole clip: repeated segments report it
      // again.
      const [partial, ...rest] = statuses
      assert.equal(partial?.state, 'partial')
      assert.ok(rest.length > 0)
      assert.ok(rest.every(({ state, failure }) => state === 'indexed' && failure === undefined))
    }
  })

  it('segments that fail again report the new reason, and duplicate messages change nothing', () => {
    const first = { segments: 2, pass: 'first' }
    const again = { segments: 2, pass: 'again' }
    const before = [...good(0, first), givenUp(1, 'CLIP_STUCK', first)]
    for (const order of permutations([good(0, again), [givenUp(1, 'CLIP_UNREADABLE', again)]])) {
      const outcome = applied([...before, ...order.flat(), ...order.flat(), ...before])
      assert.ok(outcome.rows.some((row) => /^runs .*state="partial"/.test(row)))
      assert.equal(last(outcome.statuses).state, 'partial')
      assert.equal(outcome.statuses.filter(({ failure }) => failure === undefined).length, 0)
      const once = applied([...before, ...order.flat()])
      assert.deepEqual([once.failures[0]?.code, last(once.statuses).failure?.code], ['CLIP_UNREADABLE', 'CLIP_UNREADABLE']) // prettier-ignore
    }
  })

  it('a copy that could be read completely clears the failure of the content, not the failure of a file', () => {
    const first = { segments: 2, pass: 'first' }
    const second = { segments: 2, pass: 'copy', of: copy }
    const reasons = [
      ['CLIP_STUCK', []],
      ['CLIP_GONE', ['CLIP_GONE']],
    ] as const
    for (const [code, left] of reasons) {
      const { failures, statuses } = applied([
        ...good(0, first),
        givenUp(1, code, first),
        ...good(0, second),
        ...good(1, second),
      ])
      assert.deepEqual(failures.map((failure) => failure.code), left) // prettier-ignore
      const { uri, state } = last(statuses)
      assert.deepEqual([uri, state], [copy.uri, 'indexed'])
    }
  })

  it('keeps segments of one job apart if their messages are mixed in a batch', () => {
    const pass = { segments: 2, pass: 'first' }
    const [first, second] = ([0, 1] as const).map((segment) =>
      good(segment, pass).map((message) =>
        message.kind === 'given-up' ? message : { ...message, attempt: 'one' },
      ),
    )
    const dir = mkdtempSync(join(archives, 'archive-'))
    const archive = openArchive(dir, { create: true })
    const mixed = [first?.at(-1), second?.[0], first?.[0], second?.at(-1)].flatMap((message) => message ?? [])
    assert.equal(mixed.length, 4)
    const { refused, segments } = archive.database.transaction(() =>
      applyDescriptors(mixed.map(record), {
        ...{ archive, inbox: createInbox(archive.database), connection: { prefix: 'test' } },
        ...{ reprocess: false, head: undefined },
      }),
    )()
    archive.close()
    assert.deepEqual([refused, segments], [[], 2])
  })

  it('a segment that lacks a track is refused, and a later pass repairs the clip', () => {
    const first = { segments: 1, pass: 'first' }
    const [, closing] = good(0, first)
    assert.ok(closing?.kind === 'closing')
    const lacking = { ...closing, parts: 0 }
    const { refused, failures, rows } = applied([lacking])
    assert.deepEqual([refused, failures[0]?.code], [['MESSAGE_INVALID'], 'MESSAGE_INVALID'])
    assert.equal(rows.filter((row) => row.startsWith('clips ')).length, 0)
    const mended = applied([lacking, ...good(0, { segments: 1, pass: 'again' })])
    assert.deepEqual([mended.failures, last(mended.statuses).state], [[], 'indexed'])
  })

  it('messages that match their schemas but not each other are refused, and leave nothing behind', () => {
    const pass = { segments: 1, pass: 'odd' }
    const [described, closing] = good(0, pass)
    assert.ok(described?.kind === 'described' && closing?.kind === 'closing')
    const [track] = described.tracks
    assert.ok(track !== undefined)
    const withTracks = (tracks: typeof described.tracks) => [
      { ...described, tracks },
      { ...closing, tracks: tracks.length },
    ]
    const vector = (...values: number[]) => new Uint8Array(Float32Array.of(...values).buffer)
    const plan = closing.plan
    const odd: Record<string, readonly DescriptorsMessage[]> = {
      'two tracks of the same number': withTracks([track, track]),
      'another dimension': withTracks([{ ...track, descriptor: vector(1, 0, 0) }]),
      'an invalid vector': withTracks([{ ...track, descriptor: vector(NaN, 0) }]),
      'a segment beyond the plan': [
        { ...described, segment: 5 },
        { ...closing, segment: 5 },
      ],
      'a part beyond the closing message': [{ ...described, part: 3 }, closing],
      'another dimension than the space': [
        { ...described, tracks: [{ ...track, descriptor: vector(1, 0, 0) }] },
        { ...closing, plan: { ...plan, dimension: 3 } },
      ],
      'a failed segment beyond the plan': [{ ...givenUpOf(4), plan }],
    }
    const before = good(0, { segments: 1, pass: 'before', clip: 'b'.repeat(64), of: copy })
    const whole = applied(before).rows
    for (const [name, messages] of Object.entries(odd))
      for (const order of permutations(messages)) {
        const { rows, refused, statuses } = applied([...before, ...order])
        assert.deepEqual(refused, ['MESSAGE_INVALID'], name)
        assert.deepEqual(rows, whole, name)
        assert.deepEqual(statuses.map(({ state }) => state), ['indexed', 'failed'], name) // prettier-ignore
      }
  })

  it('an archive accepts descriptors only with the head that made them', () => {
    const own = { path: '/heads/own.onnx', sha256: 'a'.repeat(64), metadata: undefined }
    const other = { path: '/heads/other.onnx', sha256: 'b'.repeat(64), metadata: undefined }
    const withHead = good(0, { segments: 1, pass: 'p', recipe: recipeWith(own.sha256) })
    const without = good(0, { segments: 1, pass: 'p' })
    const cases = [
      [withHead, own, undefined],
      [withHead, other, 'RECIPE_MISMATCH'],
      [withHead, undefined, 'RECIPE_MISMATCH'],
      [without, undefined, undefined],
      [without, own, 'RECIPE_MISMATCH'],
    ] as const
    for (const [messages, head, code] of cases)
      for (const order of permutations(messages)) {
        const { refused, statuses, failures } = applied(order, head)
        assert.deepEqual(refused, code === undefined ? [] : [code])
        assert.deepEqual(statuses.map(({ failure }) => failure?.code), [code]) // prettier-ignore
        assert.equal(failures[0]?.code, code)
      }
  })
})
