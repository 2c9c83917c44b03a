/**
 * The keys of every `--json` output that needs no broker, compared with the snapshot
 * test/frozen/json-keys.json, because scripts read them. Inputs are as small as possible: the tests of each
 * command check the values.
 */
import assert from 'node:assert/strict'
import { copyFileSync, cpSync, mkdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { before, describe, it } from 'node:test'
import { openArchive } from '../../index/archive/open-archive.js'
import { findPack } from '../../pipeline/models/packs/catalog.js'
import { writeUntrainedHead } from '../../scripts/bench/bench-head.js'
import { cutOff } from '../support/bad-clips.js'
import { cameo, jsonLines, temporaryDir } from '../support/cameo.js'
import { ffmpeg, makeFaceClip, makeFacePhoto, x264 } from '../support/faces.js'
import { flipStored } from '../support/flip.js'
import { assertFrozen, byName } from '../support/frozen.js'
import { jsonKeys } from '../support/json-keys.js'
import { writeLabelledFeatures } from '../support/labelled-features.js'
import { floatNpy, textNpy } from '../support/npy.js'
import { zipOf } from '../support/zip.js'

const dir = temporaryDir()
const at = (...names: string[]) => join(dir, ...names)
const folder = at('clips')
const archive = at('archive')
const here = ['--archive', archive]
const film = join(folder, 'film.mp4')
const cut = join(folder, 'cut.mp4')
const ada = at('Ada.jpg')

/** The outputs of commands, by their name in the snapshot. */
const outputs = new Map<string, unknown[]>()

interface Expected {
  /** The exit code; default 0. */
  readonly code?: number
  /**
   * Name of the output in the snapshot, or a function that gives the name of each line. Default: the command.
   */
  readonly as?: string | ((line: Record<string, unknown>) => string)
}

/** Runs a command with `--json` and stores its output. */
async function say(command: string, args: readonly string[], { code = 0, as }: Expected = {}): Promise<void> {
  const run = await cameo([...command.split(' '), ...args, '--json'])
  assert.equal(run.code, code, `${command}: ${run.stdout}${run.stderr}`)
  const lines = jsonLines(run.stdout)
  assert.ok(lines.length > 0, `${command} says nothing`)
  for (const line of lines) {
    const name = typeof as === 'function' ? `${command}: ${as(line)}` : (as ?? command)
    outputs.set(name, [...(outputs.get(name) ?? []), line])
  }
}

const file = (name: string, text: string) => {
  writeFileSync(at(name), text)
  return at(name)
}

/** Commands by topic. A group starts from the state that the groups before it left. */
const groups: [name: string, run: () => Promise<void>][] = []
const group = (name: string, run: () => Promise<void>) => groups.push([name, run])

const byStatus: Expected = { as: ({ status }) => String(status) }

group('of an archive and its clips', async () => {
  await say('ingest', [folder, ...here], { code: 1, ...byStatus })
  loseParts()
  await say('ingest', [film, cut, ...here], byStatus)
  await Promise.all([
    say('status --failures', here),
    say('doctor', here),
    say('status', ['--archive', at('none')], { code: 2, as: 'error' }),
    say('status', ['--nonsense'], { code: 2, as: 'error' }),
  ])
})

group('of people and names', async () => {
  await say('enroll --force', ['Ada', ada, at('Bo.jpg'), join(folder, 'text.mp4'), ...here], { code: 1 })
  await say('enroll --force', ['Bo', at('Bo.jpg'), ...here])
  await say('enroll --force', ['Dee', at('Dee.jpg'), ...here])
  const scope = ['--folder', folder, '--since', '2000', '--until', '2100']
  await Promise.all([
    // A threshold that nothing reaches, so that similar tracks are weak.
    say('search --image', [ada, '--weak', '--expect-false', '1e-9', ...here]),
    say('search --clip', [cut, '--exclude-self', ...here]),
    say('search --name', ['Ada', ...here]),
    say('search --name', ['Ada', '--with', 'Bo', '--without', 'Dee', ...scope, ...here], {
      as: 'search --with',
    }),
    say('search --name', ['Ada', '--with', 'Bo', '--together', ...here], { as: 'search --with' }),
    say('search --image', [ada, '--image', at('Bo.jpg'), ...here], { as: 'search by several photos' }),
    say('enroll --list', ['Ada', ...here]),
    say('show', [film, ...here]),
    say('show', [join(folder, 'nobody.mp4'), ...here]),
    say('list clips', here),
    say('list clips', ['--limit', '1', ...here]),
    say('list people', ['--limit', '1', ...here]),
    say('list people', here),
  ])
})

group('of corrections and files of names', async () => {
  const there = ['--archive', at('corrected')]
  for (const name of ['corrected', 'imported']) cpSync(archive, at(name), { recursive: true })
  await say('confirm', ['Ada', film, '--min-score', '-1', ...there])
  await say('reject', ['Ada', cut, '--min-score', '-1', ...there])
  await say('people alias', ['Ada', 'Countess', ...there])
  await say('people note', ['Ada', 'mathematician', ...there])
  await Promise.all([
    say('search --name', ['Ada', ...there], { as: 'search --name, confirmed' }),
    say('show', [film, ...there], { as: 'show, confirmed' }),
    say('people show', ['Countess', ...there], { as: 'people show, of a name' }),
    say('people show', ['Bo', ...there], { as: 'people show, of a name' }),
    say('people export', ['--out', at('names.jsonl'), ...there]),
  ])
  await say('reject', ['Ada', cut, '--undo', ...there])
  await say('people import', [at('names.jsonl'), '--archive', at('imported')])
  await say('people refresh', ['--archive', at('imported')])
  mkdirSync(at('folders', 'Eve'), { recursive: true })
  mkdirSync(at('folders', 'Nobody'))
  copyFileSync(at('Bo.jpg'), at('folders', 'Eve', '1.jpg'))
  await say('enroll --folder', [at('folders'), ...there], { code: 1 })
})

group('of people without names', async () => {
  await say('people group', here)
  await say('people list', ['--limit', '1', ...here])
  await say('people show', ['1', ...here])
  await say('people name', ['1', 'Eve', '--force', ...here])
  await say('people split', ['1', '--clip', cut, ...here])
  await say('people merge', ['1', '2', ...here])
  await say('people hide', ['1', ...here])
  await say('people unhide', ['1', ...here])
  await Promise.all([say('people log', here), say('show', [film, ...here])])
  // Eve is gone again for what follows.
  for (let change = 0; change < 5; change++) await say('people undo', here)
})

group('of alerts', async () => {
  const more = at('more')
  mkdirSync(more)
  await makeFaceClip(join(more, 'ada.mp4'), 'costumes right', { variant: 7 })
  const isAlert: Expected = { as: (line) => ('alert' in line ? 'alert' : String(line['status'])) }
  await say('ingest', [more, '--alert', 'Ada', ...here], isAlert)
})

group('of models and heads', async () => {
  const { dimension } = findPack('lite').embedder
  const embedders = [{ digest: embedderOf(archive), name: 'lite', dimension }]
  const head = at('untrained.onnx')
  writeUntrainedHead(head, { embedders, classes: 2, width: 8, change: 0 })
  await Promise.all([say('models list', []), say('models pull', []), say('head apply', [head, ...here])])
  // There is no calibration for a head.
  await Promise.all([say('search --name', ['Ada', ...here]), say('status', here)])
  await say('head apply', ['--none', ...here])
})

group('of evaluations with features', async () => {
  const set = writeLabelledFeatures(dir, 6)
  const source = ['--features', set.features]
  const small = ['--width', '8', '--epochs', '2', '--batch', '32', '--threads', '1']
  const train = [...source, '--ground-truth', set.train, ...small]
  const byKind: Expected = { as: (line) => ('loss' in line ? 'epoch' : 'head') }
  const head = at('head.onnx')
  const lists = ['--gallery', set.train, '--val', set.val, '--ground-truth', set.test]
  await Promise.all([
    say('head train', [...train, '--val', set.val, '--out', head], byKind),
    say('head train', [...train, '--out', at('other.onnx')], byKind),
    say('eval ladder', [...source, ...lists, '--heads', '2', ...small]),
  ])
  await Promise.all([
    say('eval map', [...source, '--ground-truth', set.test, '--head', head]),
    say('eval angles', [...source, '--head', head, '--ground-truth', set.train]),
  ])
})

group('of evaluations with lists', async () => {
  const truth = file('gt.txt', '1 a.mp4 b.mp4\n2 c.mp4\n')
  const [a, b] = [file('a.txt', '1 x.mp4 a.mp4\n'), file('b.txt', '1 a.mp4 b.mp4\n2 c.mp4\n')]
  const probes = table('probes.npz', ['ada/1.jpg', 'ada/2.jpg', 'bo/1.jpg', 'bo/2.jpg'])
  const distractors = table('distractors.npz', ['x/1.jpg', 'y/1.jpg'])
  await Promise.all([
    say('eval score', [a, '--ground-truth', truth]),
    say('eval compare', [a, b, '--ground-truth', truth]),
    say('eval identify', ['--probes', probes, '--distractors', distractors]),
  ])
})

group('of evaluations with an archive', async () => {
  const lists = ['--gallery', file('gallery.txt', 'film.mp4 1\n'), '--ground-truth', file('cut.txt', 'cut.mp4 1\n')] // prettier-ignore
  const rows = ['film.mp4,Ada,0,1.5', 'film.mp4,Cy,0,1', 'other.mp4,Ada,0,1']
  const seen = file('seen.csv', ['film,person,start_s,end_s', ...rows].join('\n'))
  await Promise.all([
    say('eval map', [...here, ...lists]),
    say('eval groups', [...here, '--ground-truth', at('cut.txt')]),
    say('eval times', [...here, '--truth', seen, '--queries', dir]),
  ])
})

group('of evaluations with photos', async () => {
  for (const name of ['Ada', 'Bo']) {
    mkdirSync(at('people', name), { recursive: true })
    for (const number of [1, 2])
      copyFileSync(at(`${name}.jpg`), at('people', name, `${name}_000${number}.jpg`))
  }
  const images = ['--images', at('people')]
  // Bo has no third photo.
  const pairs = file('pairs.txt', '2 1\nAda 1 2\nAda 1 Bo 2\nBo 1 2\nAda 1 Bo 3\n')
  const pictures = [
    'Ada/Ada_0001.jpg 1 1',
    'Ada/Ada_0002.jpg 2 2',
    'Bo/Bo_0001.jpg 3 3',
    'Bo/Bo_0003.jpg 4 4',
  ]
  const [media, ids] = [file('media.txt', pictures.join('\n')), file('ids.txt', '1 2 1\n1 3 0\n1 4 0\n')]
  const galleries = [file('gallery1.txt', '1 ada\n'), file('gallery2.txt', '3 bo\n')].join(',')
  const probes = file('probes.txt', '2 ada\n3 bo\n')
  const lists = ['--media', media, '--pairs', ids, '--gallery', galleries, '--probes', probes]
  await Promise.all([
    say('eval verify', ['--pairs', pairs, ...images], { code: 1 }),
    say('eval templates', [...lists, ...images], { code: 1 }),
  ])
})

group('of what is damaged, missing and forgotten', async () => {
  const damaged = at('damaged')
  cpSync(archive, damaged, { recursive: true })
  flipStored(damaged, descriptorOf('cut.mp4', damaged), 3, 6)
  await Promise.all([
    say('search --name', ['Ada', '--archive', damaged]),
    say('doctor --deep', ['--archive', damaged], { code: 2 }),
  ])
  await say('ingest --repair', ['--archive', damaged], byStatus)

  rmSync(cut)
  const ranges = [{ startS: 0, endS: 0.5 }]
  const results = [film, cut].map((path) => ({ clipId: 'a', path, ranges }))
  file('answer.json', JSON.stringify({ query: { kind: 'name', value: 'Ada' }, results }))
  await Promise.all([
    say('search --image', [at('both.jpg'), '--weak', ...here]),
    say('coverage', here, { code: 1 }),
    say('show', [cut, ...here]),
    say('cut', [at('answer.json'), '--out', at('cuts'), ...here], { code: 1 }),
    say('list clips', here),
  ])
  const aged = ['--days', '30', ...here]
  utimesSync(film, new Date(0), new Date(0))
  await say('ingest', [film, ...here], byStatus)
  await say('retain', [...aged, '--dry-run'])
  await say('forget --face', ['1', '--name', 'Ada', ...here])
  await say('forget --name', ['Ada', ...here])
  await say('forget --clip', [cut, ...here])
  const reader = openArchive(archive)
  reader.database.exec('BEGIN')
  reader.database.prepare('SELECT count(*) FROM embeddings').get()
  await say('forget --clip', [film, '--wait', '0', ...here], { code: 2, as: 'forget, not finished' })
  reader.close()
  await say('ingest', [film, ...here], byStatus)
})

describe('JSON output', () => {
  before(async () => {
    mkdirSync(folder)
    const clip = (name: string) => join(folder, name)
    await makeFaceClip(film, 'costumes right', { seconds: 3, then: ['party first'] })
    // Cut off, and with a second video stream, so that the output reports what was not looked at.
    await makeFaceClip(at('whole.mp4'), 'bar middle', { seconds: 3 })
    const twice = ['-map', '0', '-map', '0', '-c', 'copy', '-movflags', 'faststart']
    await ffmpeg('-i', at('whole.mp4'), ...twice, cut)
    cutOff(cut, 0.7)
    await ffmpeg('-f', 'lavfi', '-i', 'color=gray:s=64x48:r=4:d=1', ...x264, clip('nobody.mp4'))
    for (const name of ['text.mp4', 'notes.txt']) writeFileSync(clip(name), 'no clip\n')
    copyFileSync(film, clip('twin.mp4'))
    await makeFacePhoto(ada, 'costumes right')
    await makeFacePhoto(at('Bo.jpg'), 'party first')
    await makeFacePhoto(at('Dee.jpg'), 'window third')
    // Plainly of one of the two faces: that one is taken, and the other is told.
    const graph = '[0]scale=720:720,pad=880:720[a];[1]scale=160:160[b];[a][b]overlay=720:0'
    await ffmpeg('-i', ada, '-i', at('Bo.jpg'), '-filter_complex', graph, '-frames:v', '1', at('both.jpg'))
  })

  let complete = 0
  for (const [name, run] of groups)
    it(name, async () => {
      await run()
      complete++
    })

  it('is frozen', () => {
    assert.equal(complete, groups.length, 'a command above failed')
    return assertFrozen('json-keys', byName([...outputs].map(([name, values]) => [name, jsonKeys(values)])))
  })
})

/**
 * Records in the archive that a stretch of one clip could not be decoded, and that a segment of another clip
 * failed.
 */
function loseParts(): void {
  const opened = openArchive(archive)
  const update = (change: string, name: string) =>
    opened.database
      .prepare(`UPDATE ${change} WHERE clip_id = (SELECT clip_id FROM paths WHERE relative_path = ?)`)
      .run(name)
  update("segments SET gaps = '[[0.25, 0.5]]'", 'cut.mp4')
  update("runs SET state = 'partial'", 'nobody.mp4')
  update("segments SET state = 'failed', code = 'CLIP_DECODE_FAILED', message = 'why'", 'nobody.mp4')
  opened.close()
}

/** Features of named pictures, in the plane. */
function table(name: string, names: readonly string[]): string {
  const values = names.flatMap((_, i) => [Math.cos(i), Math.sin(i)])
  const arrays = { 'names.npy': textNpy(names), 'features.npy': floatNpy([names.length, 2], values) }
  writeFileSync(at(name), zipOf(arrays))
  return at(name)
}

function embedderOf(archiveDir: string): string {
  const opened = openArchive(archiveDir)
  const digest = opened.recipe?.embedderDigest ?? ''
  opened.close()
  return digest
}

function descriptorOf(name: string, archiveDir: string): Buffer {
  const opened = openArchive(archiveDir)
  const vector = opened.database
    .prepare<[string], Buffer>(
      `SELECT vector FROM descriptors JOIN tracks USING (track_id) JOIN paths USING (clip_id)
       WHERE relative_path = ? LIMIT 1`,
    )
    .pluck()
    .get(name)
  opened.close()
  assert.ok(vector !== undefined)
  return vector
}
