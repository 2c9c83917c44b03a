import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { describe, it } from 'node:test'
import { withModels } from '../../../../index/archive/archive-models.js'
import { checkDeeply } from '../../../../index/archive/deep-check.js'
import { openFilledArchive } from '../../../../index/archive/open-archive.js'
import { prepareArchive } from '../../../../index/archive/prepare-archive.js'
import type { ListParts } from '../../../../index/clips/list-clips.js'
import { showClip } from '../../../../index/clips/show-clip.js'
import { coverageOfClip } from '../../../../index/coverage/read-coverage.js'
import { planRetention, type RetentionWish } from '../../../../index/retention/plan-retention.js'
import { eraseReturned } from '../../../../index/retention/unnamed-tracks.js'
import { isForgotten } from '../../../../index/store/forgotten-clips.js'
import { retain, type RetainRequest } from '../../../../workers/archive/retain.js'
import { countInFiles } from '../../../support/archive-bytes.js'
import { temporaryDir } from '../../../support/cameo.js'
import {
  madeClipId,
  peopleArchive,
  quietCaller,
  type MadeClip,
  type MadeTrack,
} from '../../../support/people-archive.js'
import { refusedWith } from '../../../support/refused-with.js'

const dayMs = 86_400_000
const daysAgo = (days: number) => new Date(Date.now() - days * dayMs)
const track = (like: MadeTrack['like'], startS: number): MadeTrack => ({
  ...{ like, spansS: [[startS, startS + 1]], thumbnailJpeg: randomBytes(64) },
})
const stranger = (startS: number) => track({}, startS)
const ada = (startS: number) => track({ Ada: 0.8 }, startS)

const oldAndNew: readonly MadeClip[] = [
  { path: 'a/old.mp4', tracks: [stranger(0), ada(2), stranger(4)], writtenAt: daysAgo(40) },
  { path: 'b/older.mp4', tracks: [stranger(0)], writtenAt: daysAgo(400) },
  { path: 'b/new.mp4', tracks: [stranger(0), ada(2)], writtenAt: daysAgo(2) },
]

function archiveOf(clips: readonly MadeClip[] = oldAndNew, names: readonly string[] = ['Ada']): string {
  const dir = temporaryDir()
  peopleArchive(dir, names, clips).close()
  return dir
}

/** Calls `work` with the archive in the folder. */
async function using<T>(dir: string, work: (parts: ListParts) => T | Promise<T>): Promise<T> {
  const opened = openFilledArchive(dir, () => undefined)
  try {
    return await withModels(opened, { device: { kind: 'cpu' } }, quietCaller(), async (models) => work({ opened, models })) // prettier-ignore
  } finally {
    opened.archive.close()
  }
}

const run = (dir: string, request: Omit<RetainRequest, 'waitMs'>) =>
  using(dir, (parts) => retain(parts, { waitMs: 0, ...request }, quietCaller()))

const plan = (dir: string, wish: RetentionWish) =>
  using(dir, (parts) => planRetention(parts, wish, Date.now(), () => undefined))

/** Path below the root, and number of tracks, of each entry. */
const shown = (entries: readonly { paths: readonly string[]; tracks: number }[]) =>
  entries.map(({ paths, tracks }) => [paths[0]?.slice('/films/'.length), tracks])

/** A value of each track of a clip that no other track has. */
const marksOf = (dir: string, clipId: string): Promise<Buffer[]> =>
  using(dir, ({ opened }) =>
    opened.archive.database
      .prepare<[string], Buffer>(
        'SELECT jpeg FROM thumbnails JOIN tracks USING (track_id) WHERE clip_id = ? ORDER BY number',
      )
      .pluck()
      .all(clipId),
  )

/** The same of every track. */
const allMarks = async (dir: string) =>
  (await Promise.all([0, 1, 2].map((index) => marksOf(dir, madeClipId(index))))).flat()

const isWhole = (dir: string) =>
  using(dir, ({ opened }) =>
    assert.deepEqual(checkDeeply(opened.archive.database), { damage: [], structure: [] }),
  )

describe('what is too old', () => {
  it('is found by the date of the clip, in a folder, and by when it was added', async () => {
    const dir = archiveOf()
    assert.deepEqual(shown((await plan(dir, { days: 30 })).entries), [['a/old.mp4', 3], ['b/older.mp4', 1]]) // prettier-ignore
    assert.deepEqual(shown((await plan(dir, { days: 41 })).entries), [['b/older.mp4', 1]])
    assert.deepEqual(shown((await plan(dir, { days: 30, folder: '/films/a' })).entries), [['a/old.mp4', 3]])
    assert.deepEqual((await plan(dir, { days: 30, by: 'added' })).entries, [])
    await using(dir, ({ opened }) =>
      opened.archive.database
        .prepare('UPDATE clips SET added_at = ? WHERE clip_id = ?')
        .run(daysAgo(31).toISOString(), madeClipId(2)),
    )
    assert.deepEqual(shown((await plan(dir, { days: 30, by: 'added' })).entries), [['b/new.mp4', 2]])
  })

  it('of unnamed people: tracks that show nobody who is enrolled', async () => {
    const { entries } = await plan(archiveOf(), { days: 30, what: 'unnamed-people' })
    assert.deepEqual(shown(entries), [['a/old.mp4', 2], ['b/older.mp4', 1]]) // prettier-ignore
  })

  it('refuses less than a day, and a number that is none', async () => {
    for (const days of [0, 0.5, -3, NaN])
      await assert.rejects(plan(archiveOf(), { days }), refusedWith('USAGE', /1 day or more/))
  })

  it('is not decided while a name cannot be compared: all its tracks would count as unnamed', async () => {
    const dir = archiveOf()
    await using(dir, ({ opened }) =>
      opened.archive.database.exec("UPDATE reference_faces SET embedder = 'of another model'"),
    )
    await assert.rejects(
      run(dir, { days: 30, what: 'unnamed-people' }),
      refusedWith('NAME_UNKNOWN', /none is erased/),
    )
    assert.equal((await marksOf(dir, madeClipId(0))).length, 3)
  })

  it('leaves a clip with a damaged row alone, and says so', async () => {
    const dir = archiveOf()
    await using(dir, ({ opened }) =>
      opened.archive.database
        .prepare('DELETE FROM faces WHERE track_id = (SELECT min(track_id) FROM tracks WHERE clip_id = ?)')
        .run(madeClipId(0)),
    )
    const report = await run(dir, { days: 30, what: 'unnamed-people' })
    assert.deepEqual(shown(report.clips), [['b/older.mp4', 1]])
    assert.deepEqual(report.damaged.map(({ clipId }) => clipId), [madeClipId(0)]) // prettier-ignore
  })
})

describe('retain', () => {
  it('a dry run, and a no, change nothing', async () => {
    const dir = archiveOf()
    const before = await allMarks(dir)
    const planned = await run(dir, { days: 30, dryRun: true })
    assert.deepEqual([planned.status, shown(planned.clips)], ['planned', [['a/old.mp4', 3], ['b/older.mp4', 1]]]) // prettier-ignore
    const asked: number[] = []
    const declined = await run(dir, {
      days: 30,
      confirm: ({ entries }) => Promise.resolve(asked.push(entries.length) > 1),
    })
    assert.deepEqual([declined.status, declined.clips, asked], ['declined', [], [2]])
    assert.equal(countInFiles(dir, before), before.length)
  })

  it('forgets old clips as forget does: they stay out, and no byte is left', async () => {
    const dir = archiveOf()
    const [old, fresh] = [await marksOf(dir, madeClipId(0)), await marksOf(dir, madeClipId(2))]
    assert.equal(countInFiles(dir, old), 3)
    const report = await run(dir, { days: 30 })
    assert.deepEqual([report.status, report.pending, report.clips.length], ['done', undefined, 2])
    assert.deepEqual([countInFiles(dir, old), countInFiles(dir, fresh)], [0, 2])
    await using(dir, ({ opened: { archive } }) => {
      const forgotten = [0, 1, 2].map((index) => isForgotten(archive.database, madeClipId(index)))
      assert.deepEqual(forgotten, [true, true, false])
    })
    assert.deepEqual((await run(dir, { days: 30 })).clips, [])
    await isWhole(dir)
  })

  it('erases unnamed people alone: clip, named people, row counts and coverage stay true', async () => {
    const dir = archiveOf()
    const [first, named, third] = await marksOf(dir, madeClipId(0))
    await run(dir, { days: 30, what: 'unnamed-people' })
    assert.equal(countInFiles(dir, [first!, third!]), 0)
    assert.equal(countInFiles(dir, [named!]), 1)
    await isWhole(dir)
    await using(dir, async (parts) => {
      const { people } = await showClip(parts, { clip: madeClipId(0) }, quietCaller())
      assert.deepEqual(people.map(({ name }) => name), ['Ada']) // prettier-ignore
      const { archive } = parts.opened
      const states = [0, 1, 2].map((index) => coverageOfClip(archive, madeClipId(index))?.states)
      assert.deepEqual(states, [['complete', 'unnamed-erased'], ['complete', 'unnamed-erased'], ['complete']])
    })
  })

  it('erases them again if the clip is processed again', async () => {
    const dir = archiveOf()
    await run(dir, { days: 30, what: 'unnamed-people' })
    await using(dir, async (parts) => {
      const { archive } = parts.opened
      assert.equal(await eraseReturned(parts), 0)
      const source = archive.database
        .prepare<[string], { recipe: string; spaceId: number }>(
          `SELECT recipe, space_id AS spaceId FROM tracks JOIN descriptors USING (track_id) WHERE clip_id = ?`,
        )
        .get(madeClipId(2))
      assert.ok(source !== undefined)
      const vector = Float32Array.from({ length: 512 }, (_, i) => (i === 500 ? 1 : 0))
      const point = { x: 1, y: 1 }
      archive.clips.storeSegment(
        { clipId: madeClipId(0), embedder: parts.opened.recipe.embedderDigest, ...source },
        {
          segment: { index: 0, startS: 0, endS: 20 },
          ...{ frames: 80, faces: 4, truncated: false, provider: 'cpu' },
          tracks: [
            {
              ...{ number: 0, spansS: [[0, 1]], samples: 4, quality: 0.5, descriptor: vector },
              thumbnailJpeg: Uint8Array.of(1, 2, 3),
              faces: [
                {
                  ...{ timeS: 0, boxXyxyPx: [0, 0, 9, 9], detectionScore: 1, quality: 0.5 },
                  landmarksPx: [point, point, point, point, point],
                  embedding: { float16: new Uint16Array(512).fill(15360), norm: 1 },
                },
              ],
            },
          ],
        },
      )
      assert.equal(await eraseReturned(parts), 1)
      assert.equal(await eraseReturned(parts), 0)
    })
    assert.deepEqual(await marksOf(dir, madeClipId(0)), [])
  })

  it('is finished by a second run if it is killed between two clips', async () => {
    const dir = archiveOf()
    const before = await allMarks(dir)
    const moduleOf = (name: string) => new URL(`../../../../${name}.js`, import.meta.url).href
    const script = `
      const { openFilledArchive } = await import('${moduleOf('index/archive/open-archive')}')
      const { ArchiveModels } = await import('${moduleOf('index/archive/archive-models')}')
      const { retain } = await import('${moduleOf('workers/archive/retain')}')
      const opened = openFilledArchive(process.argv[1], () => undefined)
      const caller = { notify() {}, progress: () => process.kill(process.pid, 'SIGKILL') }
      const models = new ArchiveModels(opened, { device: { kind: 'cpu' } }, caller)
      await retain({ opened, models }, { days: 30, waitMs: 0 }, caller)`
    const killed = spawnSync(process.execPath, ['--input-type=module', '-e', script, dir])
    assert.equal(killed.signal, 'SIGKILL', String(killed.stderr))
    await isWhole(dir)
    assert.deepEqual(shown((await plan(dir, { days: 30 })).entries), [['b/older.mp4', 1]])
    await prepareArchive(dir, { onNotice: () => undefined, onErasurePending: () => assert.fail('pending') })
    const left = await allMarks(dir)
    assert.equal(countInFiles(dir, before), left.length)
    assert.equal((await run(dir, { days: 30 })).clips.length, 1)
    assert.deepEqual((await plan(dir, { days: 30 })).entries, [])
  })

  it('stops between two clips, and says that it did', async () => {
    const dir = archiveOf()
    const stop = new AbortController()
    const caller = { ...quietCaller(), progress: () => stop.abort() }
    const report = await using(dir, (parts) =>
      retain(parts, { days: 30, waitMs: 0, signal: stop.signal }, caller),
    )
    assert.deepEqual([report.status, shown(report.clips)], ['interrupted', [['a/old.mp4', 3]]])
  })
})
