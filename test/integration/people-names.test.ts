/** Corrections, pictures and files of names with real faces and models. */
import assert from 'node:assert/strict'
import {
  copyFileSync,
  cpSync,
  mkdirSync,
  readFileSync,
  realpathSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { before, describe, it } from 'node:test'
import { z } from 'zod'
import { openArchive } from '../../index/archive/open-archive.js'
import { referenceFacesOf } from '../../index/identities/identities.js'
import { dotProduct } from '../../pipeline/data/vector-math.js'
import { unitOf } from '../../pipeline/data/embedding.js'
import { findPack } from '../../pipeline/models/packs/catalog.js'
import { defaultModelsDir, packDir } from '../../pipeline/models/packs/models-dir.js'
import { imageLibrary } from '../../pipeline/image/image-library.js'
import { openCameo } from '../../workers/cameo.js'
import { assertRefused, foundFiles, ingest, search } from '../support/answers.js'
import { countInFiles } from '../support/archive-bytes.js'
import { cameo, temporaryDir } from '../support/cameo.js'
import { makeFaceClip, makeFacePhoto } from '../support/faces.js'

const sharp = await imageLibrary()

const dir = realpathSync(temporaryDir())
const at = (...names: string[]) => join(dir, ...names)
const archive = at('archive')
const here = ['--archive', archive]
/** The models of `lite` with the colours exchanged: another embedder, with the same files. */
const otherPack = at('mine.json')

async function run(...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await cameo([...args, ...here])
  assert.equal(code, 0, stderr)
  return stdout
}

const shownSchema = z.object({
  name: z.string(),
  aliases: z.array(z.string()),
  note: z.string().nullable(),
  needsPhotos: z.boolean(),
  otherFaces: z.object({ count: z.number(), withPicture: z.number() }),
  faces: z.array(
    z.object({ number: z.number(), source: z.string(), odd: z.boolean(), picture: z.string().nullable() }),
  ),
  corrections: z.array(z.object({ path: z.string().nullable(), verdict: z.string(), found: z.boolean() })),
})

const shown = async (name: string, ...more: string[]) =>
  shownSchema.parse(JSON.parse(await run('people', 'show', name, '--json', ...more)))

/** Every kept picture, as bytes. */
function pictures(of = archive): Buffer[] {
  const opened = openArchive(of)
  try {
    return opened.database.prepare<[], Buffer>('SELECT jpeg FROM reference_pictures').pluck().all()
  } finally {
    opened.close()
  }
}

function faces(name: string, of = archive) {
  const opened = openArchive(of)
  try {
    return referenceFacesOf(opened.database, name)
  } finally {
    opened.close()
  }
}

before(async () => {
  mkdirSync(at('clips'))
  await makeFaceClip(at('clips/costumes.mp4'), 'costumes right')
  await makeFaceClip(at('clips/bar.mp4'), 'bar middle')
  await makeFaceClip(at('clips/party.mp4'), 'party first')
  await makeFacePhoto(at('ada.jpg'), 'costumes right')
  await makeFacePhoto(at('ada too.jpg'), 'bar middle')
  await makeFacePhoto(at('other.jpg'), 'party first')
  assert.equal((await ingest([at('clips'), ...here])).code, 0)
  const lite = findPack('lite')
  const embedder = { ...lite.embedder, input: { ...lite.embedder.input, channelOrder: 'rgb' } }
  const folder = packDir(lite, defaultModelsDir())
  // The pack of these tests stays out of the cache that all tests share.
  mkdirSync(at('models'))
  symlinkSync(folder, at('models/lite'))
  process.env['CAMEO_MODELS'] = at('models')
  writeFileSync(
    otherPack,
    JSON.stringify({ ...lite, name: 'mine', source: { kind: 'folder', folder }, embedder }),
  )
})

// The tests of this file follow one archive, in order.
describe('enrolled faces', () => {
  it('keep their pictures, of photos and of clips', async () => {
    await run('enroll', 'Ada', at('ada.jpg'), at('ada too.jpg'))
    await run('enroll', 'Bo', at('clips/party.mp4'))
    const [ada, bo] = [await shown('Ada'), await shown('Bo')]
    assert.deepEqual(ada.faces.map(({ source, odd }) => [source, odd]), [[at('ada.jpg'), false], [at('ada too.jpg'), false]]) // prettier-ignore
    assert.ok(bo.faces.length >= 2 && [...ada.faces, ...bo.faces].every(({ picture }) => picture !== null))
    const sizes = pictures().map(({ byteLength }) => byteLength)
    assert.ok(Math.max(...sizes) <= 64 * 1024, `${Math.max(...sizes)} bytes`)
  })

  it('are listed with odd ones marked, in text and as a page', async () => {
    await run('enroll', 'Ada', at('other.jpg'), '--force')
    const text = await run('people', 'show', 'Ada', '--html', at('ada.html'))
    assert.match(
      text,
      /^ {2}3: .*other\.jpg \(quality 0\.\d\d, similarity to the others -?0\.\d\d\) {2}odd$/m,
    )
    assert.equal(text.match(/ {2}odd$/gm)?.length, 1)
    const page = readFileSync(at('ada.html'), 'utf8')
    assert.equal(page.match(/data:image\/jpeg/g)?.length, 3)
    assert.equal(statSync(at('ada.html')).mode & 0o777, 0o600)
    await run('forget', '--name', 'Ada', '--face', '3')
    assert.equal((await shown('Ada')).faces.length, 2)
  })

  it('without a picture by wish; then nothing of it is left in the archive', async () => {
    const before = pictures()
    assert.equal(countInFiles(archive, before), before.length)
    await run('enroll', 'Ada', at('ada.jpg'), '--no-keep-photo')
    const kept = pictures()
    assert.equal(kept.length, before.length - 1)
    await run('status')
    assert.equal(countInFiles(archive, before), before.length - 1)
    assert.deepEqual((await shown('Ada')).faces.map(({ picture }) => picture === null), [false, true]) // prettier-ignore
  })
})

describe('corrections by command', () => {
  it('change what a search finds, until they are taken back', async () => {
    const found = async () => foundFiles(await search(['--name', 'Ada', ...here])).sort()
    assert.deepEqual(await found(), ['bar.mp4', 'costumes.mp4'])
    assert.match(
      await run('reject', 'Ada', at('clips/bar.mp4')),
      /^rejected for "Ada": .*bar\.mp4, 0:00\.0–0:01\.\d$/m,
    )
    assert.deepEqual(await found(), ['costumes.mp4'])
    await run('confirm', 'Ada', at('clips/party.mp4'), '--range', '0-2')
    assert.deepEqual(await found(), ['costumes.mp4', 'party.mp4'])
    assert.match(await run('search', '--name', 'Ada'), /party\.mp4\n.*\(confirmed\)/)
    assert.deepEqual((await shown('Ada')).corrections.map(({ verdict, found: isFound }) => [verdict, isFound]), [['rejected', true], ['confirmed', true]]) // prettier-ignore
    assert.match(await run('people', 'show', 'Ada'), /^ {2}confirmed: .*party\.mp4, 0:00\.0/m)
    await run('reject', 'Ada', at('clips/bar.mp4'), '--undo')
    await run('confirm', 'Ada', at('clips/party.mp4'), '--undo')
    assert.deepEqual(await found(), ['bar.mp4', 'costumes.mp4'])
  })

  it('are refused where it is not clear what is meant', async () => {
    assertRefused(
      await cameo(['reject', 'Ada', at('clips/party.mp4'), ...here, '--json']),
      'TRACK_UNCLEAR',
      '--range',
    )
    assertRefused(
      await cameo(['reject', 'Eve', at('clips/party.mp4'), ...here, '--json']),
      'NAME_UNKNOWN',
      'Eve',
    )
    assertRefused(
      await cameo(['confirm', 'Ada', at('none.mp4'), ...here, '--json']),
      'CLIP_UNKNOWN',
      'none.mp4',
    )
    for (const range of ['x', '3-1', '-'])
      assert.equal((await cameo(['reject', 'Ada', at('clips/bar.mp4'), '--range', range, ...here])).code, 2)
  })

  it('stay when the clips are processed with other settings', async () => {
    await run('reject', 'Ada', at('clips/bar.mp4'))
    await run('reject', 'Ada', at('clips/bar.mp4'))
    assert.equal((await ingest([at('clips'), ...here, '--fps', '6', '--reprocess'])).code, 0)
    assert.deepEqual(foundFiles(await search(['--name', 'Ada', ...here])), ['costumes.mp4'])
    assert.equal((await shown('Ada')).corrections[0]?.found, true)
  })
})

describe('aliases and notes', () => {
  it('answer and are shown', async () => {
    assert.equal(await run('people', 'alias', 'Ada', 'Countess'), '"Ada" is also "Countess"\n')
    await run('people', 'note', 'Countess', 'wrote the first program')
    assert.deepEqual(foundFiles(await search(['--name', 'Countess', ...here])), ['costumes.mp4'])
    const { name, aliases, note } = await shown('Countess')
    assert.deepEqual([name, aliases, note], ['Ada', ['Countess'], 'wrote the first program'])
    assertRefused(await cameo(['people', 'alias', 'Bo', 'Countess', ...here, '--json']), 'NAME_TAKEN', 'Ada')
    assertRefused(
      await cameo(['search', '--name', 'Ada', '--with', 'Countess', ...here, '--json']),
      'USAGE',
      'more than once',
    )
  })
})

describe('names in an archive with other models', () => {
  const elsewhere = at('elsewhere')
  const there = ['--archive', elsewhere]
  const file = at('names.jsonl')

  it('are embedded again from their pictures; those without pictures are kept and need photos', async () => {
    await run('enroll', 'Cy', at('other.jpg'), '--no-keep-photo')
    const written = JSON.parse(await run('people', 'export', '--out', file, '--json')) as {
      names: number
      pictures: number
    }
    assert.deepEqual([written.names, written.pictures], [3, pictures().length])
    await pullOtherPack()
    const made = await cameo(['ingest', at('clips'), ...there, '--pack', otherPack])
    assert.equal(made.code, 0, made.stderr)
    const result = await cameo(['people', 'import', file, ...there, '--json'])
    assert.equal(result.code, 1, result.stderr)
    const { names, embedded } = JSON.parse(result.stdout) as {
      names: { name: string; needsPhotos: boolean }[]
      embedded: number
    }
    assert.deepEqual(names.map(({ name, needsPhotos }) => [name, needsPhotos]), [['Ada', false], ['Bo', false], ['Cy', true]]) // prettier-ignore
    assert.equal(embedded, pictures().length)
    assert.deepEqual(
      foundFiles(await search(['--name', 'Countess', ...there])),
      ['costumes.mp4'],
      'with alias and correction',
    )
    assert.deepEqual(foundFiles(await search(['--name', 'Bo', ...there])), ['party.mp4'])
    assertRefused(await cameo(['search', '--name', 'Cy', ...there, '--json']), 'NAME_UNKNOWN', 'needs photos')
    const text = (await cameo(['people', 'show', 'Cy', ...there])).stdout
    assert.match(text, /^ {2}needs photos/m)
  })

  it('have nearly the embeddings that a photo gives', async () => {
    const again = await cameo(['enroll', 'Same', at('ada too.jpg'), ...there])
    assert.equal(again.code, 0, again.stderr)
    const own = faces('Same', elsewhere)[0]
    assert.ok(own !== undefined)
    const moved = faces('Ada', elsewhere).find(
      ({ embedder, picture }) => embedder === own.embedder && picture !== undefined,
    )
    assert.ok(moved !== undefined)
    const similarity = dotProduct(unitOf(own.embedding), unitOf(moved.embedding))
    assert.ok(similarity > 0.97, `${similarity}`)
  })

  it('a damaged file changes nothing', async () => {
    const text = readFileSync(file, 'utf8')
    writeFileSync(at('damaged.jsonl'), text.slice(0, text.length / 2))
    const before = await cameo(['people', 'show', 'Ada', ...there, '--json'])
    assertRefused(
      await cameo(['people', 'import', at('damaged.jsonl'), ...there, '--json']),
      'NAMES_INVALID',
      'damaged.jsonl',
    )
    assert.equal((await cameo(['people', 'show', 'Ada', ...there, '--json'])).stdout, before.stdout)
  })

  it('come back when the archive itself gets other models', async () => {
    const made = await cameo(['ingest', at('clips'), ...here, '--pack', otherPack, '--reprocess'])
    assert.equal(made.code, 0, made.stderr)
    assert.match(made.stderr, /2 names can be searched for when .*cameo people refresh/)
    assert.match(made.stderr, /1 name without pictures needs photos/)
    assertRefused(
      await cameo(['search', '--name', 'Bo', ...here, '--json']),
      'NAME_UNKNOWN',
      'cameo people refresh',
    )
    const { otherFaces, needsPhotos } = await shown('Bo')
    assert.deepEqual(
      [otherFaces.count > 0, otherFaces.count === otherFaces.withPicture, needsPhotos],
      [true, true, false],
    )
    const refreshed = await cameo(['people', 'refresh', ...here])
    assert.equal(refreshed.code, 1, refreshed.stderr)
    assert.match(refreshed.stdout, /^"Bo": \d+ faces embedded$/m)
    assert.match(refreshed.stdout, /^"Cy" needs photos/m)
    assert.deepEqual(foundFiles(await search(['--name', 'Bo', ...here])), ['party.mp4'])
  })
})

it('a picture in which the models see no face is left out, and the others are embedded', async () => {
  const copy = at('copy')
  cpSync(archive, copy, { recursive: true })
  const black = await sharp({ create: { width: 336, height: 336, channels: 3, background: 'black' } })
    .jpeg()
    .toBuffer()
  const opened = openArchive(copy)
  const ofBo = "identity_id = (SELECT identity_id FROM identities WHERE name = 'Bo')"
  opened.database
    .prepare(
      `UPDATE reference_pictures SET jpeg = ?
       WHERE picture_id = (SELECT max(picture_id) FROM reference_pictures WHERE ${ofBo})`,
    )
    .run(black)
  const lost = opened.database
    .prepare(`DELETE FROM reference_faces WHERE embedder = ? AND ${ofBo}`)
    .run(opened.recipe?.embedderDigest).changes
  opened.close()
  const { stdout, stderr } = await cameo(['people', 'refresh', '--archive', copy, '--json'])
  assert.match(
    stderr,
    /a picture of "Bo" from .*party\.mp4 is left out: these models see no usable face in it/,
  )
  const { refreshed } = JSON.parse(stdout) as { refreshed: unknown }
  assert.ok(lost > 1)
  assert.deepEqual(refreshed, [{ name: 'Bo', faces: lost - 1 }])
})

it('everyone of a folder is enrolled, and what cannot be used is reported', async () => {
  const people = at('people')
  for (const name of ['Dee', 'Fay', 'Gus', 'Hal']) mkdirSync(join(people, name), { recursive: true })
  copyFileSync(at('ada.jpg'), join(people, 'Dee', '1.jpg'))
  writeFileSync(join(people, 'Dee', 'notes.txt'), 'not a photo')
  writeFileSync(join(people, 'Dee', 'broken.jpg'), 'broken')
  copyFileSync(at('ada.jpg'), join(people, 'Fay', '1.jpg'))
  copyFileSync(at('other.jpg'), join(people, 'Fay', '2.jpg'))
  copyFileSync(at('other.jpg'), join(people, 'Hal', '1.jpg'))
  const result = await cameo(['enroll', '--folder', people, ...here, '--json'])
  assert.equal(result.code, 1, result.stderr)
  const answer = z
    .object({ people: z.array(z.object({ name: z.string().optional(), added: z.number().optional(), code: z.string().optional(), failed: z.array(z.object({ source: z.string() })).optional() })) })
    .parse(JSON.parse(result.stdout)) // prettier-ignore
  assert.deepEqual(answer.people.map(({ name, added, code, failed }) => [name, added, code, failed?.map(({ source }) => source)]), [
    ['Dee', 1, undefined, [join(people, 'Dee', 'broken.jpg')]],
    [undefined, undefined, 'FACES_DISAGREE', undefined],
    [undefined, undefined, 'IMAGE_UNREADABLE', undefined],
    ['Hal', 1, undefined, []],
  ]) // prettier-ignore
  assertRefused(
    await cameo(['enroll', '--folder', join(people, 'Dee'), ...here, '--json']),
    'USAGE',
    'no folders',
  )
  assertRefused(await cameo(['enroll', 'Ada', '--folder', people, ...here, '--json']), 'USAGE', 'no name')
})

it('a program does the same', async () => {
  const library = await openCameo({ archive })
  await library.addAlias('Bo', 'Robert')
  await library.noteName('Bo', 'at the party')
  const { tracks } = await library.confirm('Robert', at('clips/party.mp4'))
  assert.equal(tracks.length, 1)
  const { name, note, corrections } = await library.showName('Robert')
  assert.deepEqual(
    [name, note, corrections.map(({ verdict }) => verdict)],
    ['Bo', 'at the party', ['confirmed']],
  )
  const { matches } = await library.search({ name: 'Robert' })
  assert.equal(matches[0]?.confirmed, true)
  await library.confirm('Robert', at('clips/party.mp4'), { undo: true })
  await library.removeAlias('Bo', 'Robert')
  const file = at('by program.jsonl')
  const { names } = await library.exportNames(file)
  const imported = await library.importNames(file)
  assert.deepEqual(
    [imported.names.length, new Set(imported.names.map(({ status }) => status))],
    [names, new Set(['unchanged'])],
  )
  await library.close()
})

it('a forgotten name leaves nothing of its pictures', async () => {
  const before = pictures()
  await run('forget', '--name', 'Bo')
  const after = pictures()
  assert.ok(after.length < before.length)
  const erased = before.filter((jpeg) => !after.some((kept) => kept.equals(jpeg)))
  assert.equal(countInFiles(archive, erased), 0)
})

/** A pack of a person's own is fetched knowingly. */
async function pullOtherPack(): Promise<void> {
  const { code, stderr } = await cameo(['models', 'pull', otherPack])
  assert.equal(code, 0, stderr)
}
