/** Several people, several photos, and parts of an archive, with real faces through the command and the library. */
import assert from 'node:assert/strict'
import { mkdirSync, utimesSync } from 'node:fs'
import { join } from 'node:path'
import { before, describe, it } from 'node:test'
import { z } from 'zod'
import { openCameo } from '../../workers/cameo.js'
import { cameo, temporaryDir } from '../support/cameo.js'
import { ffmpeg, makeFaceClip, makeFacePhoto, x264 } from '../support/faces.js'

const dir = temporaryDir()
const at = (...names: string[]) => join(dir, ...names)
const here = ['--archive', at('archive')]
const films = at('films')

const rangesSchema = z.array(z.object({ startS: z.number(), endS: z.number() }))
const answerSchema = z.object({
  query: z.object({
    value: z.string(),
    photos: z.array(z.object({ source: z.string(), disagrees: z.boolean(), quality: z.number() })).optional(),
    notices: z.array(z.string()).optional(),
  }),
  scope: z.record(z.string(), z.unknown()).optional(),
  results: z.array(
    z.object({
      path: z.string(),
      ranges: rangesSchema,
      with: z.array(z.object({ name: z.string(), ranges: rangesSchema })).optional(),
    }),
  ),
})

async function search(...args: string[]) {
  const { code, stdout, stderr } = await cameo(['search', ...args, ...here, '--json'])
  assert.equal(code, 0, stderr)
  return { ...answerSchema.parse(JSON.parse(stdout)), stderr }
}

const namesOf = ({ results }: z.infer<typeof answerSchema>) =>
  results.map(({ path }) => path.slice(films.length + 1)).sort()

before(async () => {
  mkdirSync(join(films, 'old'), { recursive: true })
  await makeFaceClip(join(films, 'ada.mp4'), 'costumes right', { seconds: 2 })
  await makeFaceClip(join(films, 'old', 'turns.mp4'), 'costumes right', { seconds: 4, then: ['party first'] })
  await makeFaceClip(at('bo.mp4'), 'party first', { seconds: 2 })
  const side = ['-filter_complex', '[0:v][1:v]hstack', ...x264]
  await ffmpeg('-i', join(films, 'ada.mp4'), '-i', at('bo.mp4'), ...side, join(films, 'side.mp4'))
  await makeFacePhoto(at('ada.jpg'), 'costumes right')
  await makeFacePhoto(at('ada2.jpg'), 'bar middle')
  await makeFacePhoto(at('bo.jpg'), 'party first')
  const may = new Date(2020, 4, 1, 12)
  utimesSync(join(films, 'old', 'turns.mp4'), may, may)
  for (const args of [
    ['ingest', films],
    ['enroll', 'Ada', at('ada.jpg')],
    ['enroll', 'Bo', at('bo.jpg')],
  ]) {
    const { code, stderr } = await cameo([...args, ...here])
    assert.equal(code, 0, stderr)
  }
})

describe('a search for several people in real clips', () => {
  it('finds two people in one clip, on screen together, and one without the other', async () => {
    assert.deepEqual(namesOf(await search('--name', 'Ada')), ['ada.mp4', 'old/turns.mp4', 'side.mp4'])
    assert.deepEqual(namesOf(await search('--name', 'Ada', '--with', 'Bo')), ['old/turns.mp4', 'side.mp4'])
    assert.deepEqual(namesOf(await search('--name', 'Ada', '--without', 'Bo')), ['ada.mp4'])
    const together = await search('--image', at('ada.jpg'), '--with', 'Bo', '--together')
    assert.deepEqual(namesOf(together), ['side.mp4'])
    const [match] = together.results
    assert.ok(match !== undefined && match.ranges.every(({ startS, endS }) => startS >= 0 && endS <= 2))
    assert.deepEqual(
      match.with?.map(({ name }) => name),
      ['Bo'],
    )
    assert.deepEqual(together.scope, { with: ['Bo'], together: true })
  })

  it('finds clips of a folder and of a date', async () => {
    assert.deepEqual(namesOf(await search('--name', 'Ada', '--folder', join(films, 'old'))), [
      'old/turns.mp4',
    ])
    assert.deepEqual(namesOf(await search('--name', 'Ada', '--until', '2020-05-01')), ['old/turns.mp4'])
    assert.deepEqual(namesOf(await search('--name', 'Ada', '--since', '2020-05-02')), ['ada.mp4', 'side.mp4'])
  })

  it('prints the others below the clip', async () => {
    const { code, stdout } = await cameo(['search', '--name', 'Ada', '--with', 'Bo', ...here])
    assert.equal(code, 0)
    assert.match(stdout, /^ {12}with Bo 0\.\d{3}: 0:0\d/m)
  })

  it('refuses what contradicts itself', async () => {
    for (const [args, said] of [
      [['--name', 'Ada', '--with', 'Ada'], /"Ada" is asked for more than once/],
      [['--name', 'Ada', '--together'], /nobody is named/],
      [['--name', 'Ada', '--since', '2021', '--until', '2020'], /no clip is of/],
      [['--name', 'Ada', '--since', 'today'], /a date as 2024/],
      [['--image', at('ada.jpg'), '--image', at('bo.jpg'), '--face', '1'], /several photos/],
    ] as const) {
      const { code, stderr } = await cameo(['search', ...args, ...here])
      assert.equal(code, 2, args.join(' '))
      assert.match(stderr, said)
    }
  })
})

describe('a search by several photos', () => {
  it('pools their faces, and says how they fit each other', async () => {
    const photos = ['--image', at('ada.jpg'), '--image', at('ada2.jpg')]
    const { query, results, stderr } = await search(...photos)
    assert.deepEqual(query.photos?.map(({ source, disagrees }) => [source, disagrees]), [
      [at('ada.jpg'), false],
      [at('ada2.jpg'), false],
    ]) // prettier-ignore
    assert.equal(results.length, 3)
    assert.ok(!stderr.includes('somebody else'), stderr)
  })

  it('warns where a photo shows somebody else', async () => {
    const { query, stderr } = await search(...['ada.jpg', 'ada2.jpg', 'bo.jpg'].flatMap((name) => ['--image', at(name)])) // prettier-ignore
    assert.deepEqual(query.photos?.map(({ disagrees }) => disagrees), [false, false, true]) // prettier-ignore
    assert.match(stderr, /some photos seem to show somebody else/)
    assert.match(query.notices?.at(-1) ?? '', /bo\.jpg: 0 of 2 reached/)
  })

  it('is one photo where the same is given twice', async () => {
    const { query } = await search('--image', at('ada.jpg'), '--image', at('ada.jpg'))
    assert.deepEqual([query.photos, query.value], [undefined, at('ada.jpg')])
  })

  it('works through the library, with others and dates', async () => {
    const library = await openCameo({ archive: at('archive') })
    const { matches } = await library.search({
      ...{ image: [at('ada.jpg'), at('ada2.jpg')], with: ['Bo'], together: true },
      since: new Date(2021, 0, 1),
    })
    await library.close()
    assert.deepEqual(matches.map(({ path, others }) => [path, others?.[0]?.name]), [[join(films, 'side.mp4'), 'Bo']]) // prettier-ignore
  })
})
