/** `cameo retain` with real clips. */
import assert from 'node:assert/strict'
import { existsSync, mkdirSync, realpathSync, utimesSync } from 'node:fs'
import { join } from 'node:path'
import { before, describe, it } from 'node:test'
import { z } from 'zod'
import { listReceipts } from '../../index/erasure/list-receipts.js'
import { openCameo } from '../../workers/cameo.js'
import { ingest } from '../support/answers.js'
import { countInFiles, faceBytes } from '../support/archive-bytes.js'
import { withLog } from '../support/audit.js'
import { cameo, startCameo, temporaryDir } from '../support/cameo.js'
import { makeFaceClip, makeFacePhoto } from '../support/faces.js'

const dir = realpathSync(temporaryDir())
const at = (...names: string[]) => join(dir, ...names)
const archive = at('archive')
const here = ['--archive', archive]

const reportSchema = z.object({
  status: z.string(),
  clips: z.array(z.object({ paths: z.array(z.string()), tracks: z.number(), names: z.array(z.string()) })),
  tracks: z.number(),
})

async function run(...args: readonly string[]) {
  const { code, stdout, stderr } = await cameo(['retain', ...args, ...here, '--json'])
  assert.equal(code, 0, stderr)
  const { status, clips, tracks } = reportSchema.parse(JSON.parse(stdout))
  return { status, tracks, paths: clips.map(({ paths }) => paths[0]) }
}

before(async () => {
  mkdirSync(at('clips', 'news'), { recursive: true })
  const old = new Date(Date.now() - 100 * 86_400_000)
  const clips: readonly [name: string, ...faces: Parameters<typeof makeFaceClip>[1][]][] = [
    ['both.mp4', 'costumes right', 'party first'],
    ['news/old.mp4', 'window third'],
    ['fresh.mp4', 'party first'],
  ]
  for (const [name, face = 'party first', ...then] of clips) {
    await makeFaceClip(at('clips', name), face, { seconds: 3, then, variant: name.length })
    if (name !== 'fresh.mp4') utimesSync(at('clips', name), old, old)
  }
  await makeFacePhoto(at('ada.jpg'), 'costumes right')
  assert.equal((await ingest([at('clips'), ...here])).code, 0)
  assert.equal((await cameo(['enroll', 'Ada', at('ada.jpg'), ...here])).code, 0)
})

// The tests follow one archive, in order.
describe('cameo retain', () => {
  it('needs somebody to ask, or --yes or --dry-run', async () => {
    // Standard input of the test may be a terminal.
    const { code, stderr } = await startCameo(['retain', '--days', '30', ...here]).finished
    assert.equal(code, 2)
    assert.match(stderr, /--yes.*--dry-run.*\[USAGE\]/)
  })

  it('refuses days that are none, and both kinds at once', async () => {
    for (const args of [[], ['--days', '0'], ['--days', 'x'], ['--days', '3', '--clips', '--unnamed-people']])
      assert.equal((await cameo(['retain', ...args, '--yes', ...here])).code, 2, args.join(' '))
  })

  it('lists with --dry-run what would go, and changes nothing', async () => {
    const before = faceBytes(archive)
    assert.deepEqual(await run('--days', '30', '--dry-run'), {
      ...{ status: 'planned', tracks: 3 },
      paths: [at('clips', 'both.mp4'), at('clips', 'news/old.mp4')],
    })
    const { stdout } = await cameo(['retain', '--days', '30', '--unnamed-people', '--dry-run', ...here])
    assert.match(stdout, /both\.mp4: 1 unnamed track$/m)
    assert.match(stdout, /^2 unnamed tracks in 2 clips of \d{4}-\d\d-\d\d or earlier would be forgotten$/m)
    assert.equal(countInFiles(archive, before), before.length)
  })

  it('erases unnamed people, also of a part of the archive, and no later ingest brings them back', async () => {
    const before = faceBytes(archive)
    const folder = ['--folder', at('clips', 'news')]
    const people = ['--days', '30', '--unnamed-people', '--yes']
    assert.deepEqual((await run(...people, ...folder)).paths, [at('clips', 'news/old.mp4')])
    assert.deepEqual((await run(...people)).paths, [at('clips', 'both.mp4')])
    const kept = faceBytes(archive)
    assert.equal(countInFiles(archive, before), kept.length)
    assert.equal((await ingest([at('clips'), ...here])).of('both.mp4').status, 'unchanged')
    const again = await ingest([at('clips'), ...here, '--reprocess', '--fps', '3'])
    assert.equal(again.of('both.mp4').status, 'done', again.stderr)
    assert.match(again.stderr, /2 tracks of people without names had come back .*erased/)
    const receipt = await withLog(archive, (log) => listReceipts(log).at(-1))
    assert.deepEqual([receipt?.subject.kind, receipt?.subject.count], ['unnamed-people', 2])
    assert.deepEqual([receipt?.erased.rows['tracks'], receipt?.check.rowsFound], [2, 0])
    assert.equal((await run(...people)).tracks, 0)
    const library = await openCameo({ archive })
    const { people: seen } = await library.showClip({ clip: at('clips', 'both.mp4') })
    const { clips } = await library.coverage({ states: ['unnamed-erased'] })
    await library.close()
    assert.deepEqual([seen.map(({ name }) => name), clips.length], [['Ada'], 2])
  })

  it('lets them back in with --include-forgotten', async () => {
    const again = await ingest([at('clips'), ...here, '--reprocess', '--fps', '4', '--include-forgotten'])
    assert.equal(again.code, 0, again.stderr)
    assert.equal((await run('--days', '30', '--unnamed-people', '--dry-run')).tracks, 2)
  })

  it('forgets old clips, quietly if that is wanted; the files stay, and stay out', async () => {
    const { code, stdout, stderr } = await cameo(['retain', '--days', '30', '--yes', '--quiet', ...here])
    assert.deepEqual([code, stdout], [0, ''], stderr)
    assert.ok(existsSync(at('clips', 'both.mp4')))
    const again = await ingest([at('clips'), ...here])
    const statuses = ['both.mp4', 'old.mp4', 'fresh.mp4'].map((name) => again.of(name).status)
    assert.deepEqual(statuses, ['forgotten', 'forgotten', 'unchanged'])
    assert.deepEqual(await run('--days', '30', '--yes'), { status: 'done', tracks: 0, paths: [] })
  })

  it('does the same for a program', async () => {
    const library = await openCameo({ archive })
    const planned = await library.retain({ days: 1, by: 'added', dryRun: true })
    assert.deepEqual([planned.status, planned.clips], ['planned', []])
    await assert.rejects(library.retain({ days: 0 }), { code: 'USAGE' })
    await library.close()
  })
})
