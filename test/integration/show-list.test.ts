/** `show` and `list` with real faces. */
import assert from 'node:assert/strict'
import { existsSync, mkdirSync, rmSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { before, describe, it } from 'node:test'
import { z } from 'zod'
import { openCameo } from '../../workers/cameo.js'
import { cameo, temporaryDir } from '../support/cameo.js'
import { makeFaceClip, makeFacePhoto } from '../support/faces.js'

const dir = temporaryDir()
const at = (...names: string[]) => join(dir, ...names)
const here = ['--archive', at('archive')]
const films = at('films')
const turns = join(films, 'turns.mp4')

async function run(...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await cameo([...args, ...here])
  assert.equal(code, 0, stderr)
  return stdout
}

const shownSchema = z.object({
  path: z.string(),
  date: z.string(),
  people: z.array(
    z.object({
      name: z.string().nullable(),
      score: z.number().nullable(),
      ranges: z.array(z.object({ startS: z.number(), endS: z.number() })),
      thumbnail: z.string(),
    }),
  ),
  coverage: z.object({ states: z.array(z.string()) }),
})

before(async () => {
  mkdirSync(films)
  await makeFaceClip(turns, 'costumes right', { seconds: 4, then: ['party first'] })
  await makeFaceClip(join(films, 'ada.mp4'), 'costumes right', { seconds: 2 })
  await makeFaceClip(join(films, 'cy.mp4'), 'window third', { seconds: 2 })
  await makeFacePhoto(at('ada.jpg'), 'costumes right')
  await run('ingest', films)
  await run('enroll', 'Ada', at('ada.jpg'))
})

describe('cameo show', () => {
  it('says who is in a clip, when, and with which face', async () => {
    const shown = shownSchema.parse(JSON.parse(await run('show', turns, '--json')))
    assert.deepEqual([shown.path, shown.coverage.states], [turns, ['complete']])
    const [ada, other, ...more] = shown.people
    assert.deepEqual(more, [])
    assert.deepEqual([ada?.name, other?.name, other?.score], ['Ada', null, null])
    assert.ok((ada?.ranges[0]?.endS ?? 9) <= 2 && (other?.ranges[0]?.startS ?? 0) >= 2)
    assert.match(ada?.thumbnail ?? '', /^data:image\/jpeg;base64,\/9j\//)
  })

  it('takes an id, its first digits and a link to the file; and prints people by number', async () => {
    symlinkSync(turns, at('link.mp4'))
    const text = await run('show', at('link.mp4'))
    assert.match(text, /^ {3}1 0\.\d{3} {2}Ada: 0:00\.0–0:01\.\d$/m)
    assert.match(text, /^ {3}2 {8}unnamed: 0:02\.0–0:03\.\d$/m)
    const id = /\(clip ([0-9a-f]{12})\)/.exec(text)?.[1] ?? ''
    assert.equal(await run('show', id), text)
  })

  it('ends with exit code 2 for a clip that is not there', async () => {
    const { code, stderr } = await cameo(['show', at('none.mp4'), ...here])
    assert.equal(code, 2)
    assert.match(stderr, /\[CLIP_UNKNOWN\]/)
  })
})

describe('cameo list', () => {
  const namesOf = async (...args: string[]) => {
    const { clips } = z.object({ clips: z.array(z.object({ path: z.string() })) }).parse(JSON.parse(await run('list', 'clips', ...args, '--json'))) // prettier-ignore
    return clips.map(({ path }) => path.slice(films.length + 1))
  }

  it('lists clips with the people in them, by filters', async () => {
    assert.deepEqual(await namesOf(), ['ada.mp4', 'cy.mp4', 'turns.mp4'])
    assert.deepEqual(await namesOf('--person', 'Ada'), ['ada.mp4', 'turns.mp4'])
    assert.deepEqual(await namesOf('--unnamed'), ['cy.mp4', 'turns.mp4'])
    assert.deepEqual(await namesOf('--min-duration', '3'), ['turns.mp4'])
    assert.deepEqual(await namesOf('--until', '2001'), [])
    assert.match(
      await run('list', 'clips'),
      /turns\.mp4\n {5}0:04\.0, \d{4}-\d\d-\d\d: Ada \(1\.\d+ s\), 1 without a name/,
    )
  })

  it('says how to get the next page', async () => {
    const page = await run('list', 'clips', '--limit', '2')
    const after = /there are more: --after "(.*)"/.exec(page)?.[1] ?? ''
    assert.deepEqual(await namesOf('--after', after), ['turns.mp4'])
  })

  it('lists people', async () => {
    assert.match(await run('list', 'people'), /^Ada: 2 clips, 2 tracks, [\d.]+ s; enrolled with 1 face$/m)
    assert.match(await run('list', 'people'), /^without a name: 2 clips, 2 tracks/m)
  })

  it('ends with exit code 2 for a name that nobody has, or a limit that is none', async () => {
    for (const args of [
      ['--person', 'Eve'],
      ['--limit', '0'],
      ['--since', 'x'],
    ])
      assert.equal((await cameo(['list', 'clips', ...args, ...here])).code, 2)
  })
})

it('a program gets the same, also of a clip whose file is away', async () => {
  rmSync(turns)
  assert.ok(!existsSync(turns))
  const library = await openCameo({ archive: at('archive') })
  const shown = await library.showClip({ clip: turns })
  assert.deepEqual([shown.isMissing, shown.people.map(({ name }) => name)], [true, ['Ada', undefined]])
  const { clips } = await library.listClips({ person: 'Ada' })
  const { people } = await library.listPeople()
  await library.close()
  assert.deepEqual([clips.length, people.map(({ name, tracks }) => [name, tracks])], [2, [['Ada', 2]]])
})
