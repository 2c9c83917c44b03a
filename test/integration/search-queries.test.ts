import assert from 'node:assert/strict'
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { before, describe, it } from 'node:test'
import { openArchive } from '../../index/archive/open-archive.js'
import { falseAcceptRateAt, thresholdOfRate } from '../../index/search/expected-false-matches.js'
import { findPack } from '../../pipeline/models/packs/catalog.js'
import type { Calibration } from '../../pipeline/models/packs/pack.js'
import { assertRefused, foundFiles, ingest, search, type Answer } from '../support/answers.js'
import { cameo, jsonLines, startCameo, temporaryDir } from '../support/cameo.js'
import { facePhotos, ffmpeg, makeFaceClip, makeFacePhoto, x264 } from '../support/faces.js'

const dir = temporaryDir()
const folder = join(dir, 'clips')
const archive = join(dir, 'archive')
const clip = (name: string) => join(folder, name)
const portrait = join(dir, 'portrait.jpg')
let group: string

/** What a shell passes on of bytes that are no UTF-8; Node itself gives text to a child. */
const withBytes = ['bash', '-c', 'exec "$@" "$0"$\'\\xe9.mp4\'']

function lite(): Calibration {
  const { calibration } = findPack('lite')
  assert.ok(calibration !== undefined)
  return calibration
}

/** A search that is expected not to run. */
const trySearch = (...args: string[]) => cameo(['search', ...args, '--archive', archive, '--json'])

before(async () => {
  mkdirSync(folder)
  await makeFaceClip(clip('costumes.mp4'), 'costumes right')
  await makeFaceClip(clip('bar.mp4'), 'bar middle')
  await makeFaceClip(clip('party.mp4'), 'party first')
  await makeFaceClip(clip('sofa, then party.mp4'), 'sofa right', { seconds: 5, then: ['party first'] })
  await makeFacePhoto(portrait, 'costumes right')
  group = join(await facePhotos(), 'sample4.jpg')
  const run = await ingest([folder, '--archive', archive])
  assert.equal(run.code, 0, run.stderr)
})

describe('search: with a photo', () => {
  it('is refused if its path or name is not UTF-8, which is shown escaped', async () => {
    const launcher = [...withBytes, join(dir, 'caf')]
    for (const args of [['search', '--clip'], ['enroll', 'Ada'], ['forget', '--clip'], ['enroll']]) {
      const before =
        args.length === 1
          ? [...args, '--archive', archive, '--json', '--', portrait]
          : [args[0] ?? '', '--archive', archive, '--json', ...args.slice(1)]
      assertRefused(await cameo(before, {}, launcher), 'USAGE', 'caf\\ufffd.mp4')
    }
    const elsewhere = await cameo(['status', '--json', '--archive'], {}, launcher)
    assertRefused(elsewhere, 'USAGE', 'caf\\ufffd.mp4')
  })

  it('of one face finds that person’s clips, best first, and no others', async () => {
    const answer = await search(['--image', portrait, '--archive', archive])
    assert.deepEqual(foundFiles(answer), ['costumes.mp4', 'bar.mp4'])
    assert.equal(answer.confident, true)
    assert.deepEqual(answer.query.kind, 'image')
    const [first] = answer.results
    assert.ok(first !== undefined && first.score > 0.7 && first.score <= 1.0001)
    assert.ok(first.faces.length > 0 && (first.faces[0]?.quality ?? 0) > 0)
    assert.equal(first.durationS, 1.5)
    assert.equal(answer.tracksSearched, 5)
  })

  it('without a face is refused as IMAGE_NO_FACE', async () => {
    const empty = join(dir, 'no face.png')
    await ffmpeg('-f', 'lavfi', '-i', 'testsrc2=s=640x480', '-frames:v', '1', empty)
    assertRefused(await trySearch('--image', empty), 'IMAGE_NO_FACE', 'no face.png')
  })

  it('of several faces lists them and how to choose', async () => {
    const message = assertRefused(
      await trySearch('--image', group),
      'IMAGE_SEVERAL_FACES',
      'sample4.jpg',
      '--face',
    )
    const listed = message.split('\n').slice(1)
    assert.ok(listed.length >= 4)
    for (const [index, line] of listed.entries())
      assert.match(
        line,
        new RegExp(`^ +${index + 1}: (top|middle|bottom) (left|centre|right), \\d+×\\d+ px at`),
      )
  })

  it('of several faces finds the face chosen with --face, and an invalid number is refused', async () => {
    const listed = assertRefused(await trySearch('--image', group), 'IMAGE_SEVERAL_FACES')
      .split('\n')
      .slice(1)
    const number = 1 + listed.findIndex((line) => line.includes('left') && /at \((2[4-9]\d)/.test(line))
    assert.notEqual(number, 0, listed.join('\n'))
    const answer = await search(['--image', group, '--face', String(number), '--archive', archive])
    assert.deepEqual(foundFiles(answer).sort(), ['party.mp4', 'sofa, then party.mp4'])
    assert.equal(answer.query.face, number)
    assertRefused(await trySearch('--image', group, '--face', '9'), 'FACE_UNKNOWN', 'sample4.jpg', '9')
  })

  it('with one main face among several lists them all, in JSON too', async () => {
    const other = await makeFacePhoto(join(dir, 'small.jpg'), 'party first')
    const both = join(dir, 'portrait and another.jpg')
    const graph = '[0]scale=720:720,pad=880:720[a];[1]scale=160:160[b];[a][b]overlay=720:0'
    await ffmpeg('-i', portrait, '-i', other, '-filter_complex', graph, '-frames:v', '1', both)
    const run = await trySearch('--image', both)
    assert.equal(run.code, 0, run.stderr)
    assert.match(run.stderr, /2 faces; .*--face.*\n {2}1: middle centre, .*\n {2}2: top right, /)
    const { query } = await search(['--image', both, '--archive', archive])
    assert.deepEqual(
      query.people?.map(({ number, ranges, boxXyxyPx: [x1 = 0] }) => [number, ranges, x1 > 720]),
      [
        [1, undefined, false],
        [2, undefined, true],
      ],
    )
    assert.deepEqual(query.notices, [
      '"portrait and another.jpg" shows 2 faces; face 1 was chosen, the largest',
    ])
  })

  it('that is not an image, is missing or empty is refused as IMAGE_UNREADABLE', async () => {
    const text = join(dir, 'text.jpg')
    writeFileSync(text, 'no photo\n')
    const empty = join(dir, 'empty.jpg')
    writeFileSync(empty, '')
    for (const [photo, said] of [
      [text, 'give a JPEG'],
      [empty, 'give a JPEG'],
      [join(dir, 'missing.jpg'), 'there is no file'],
      [clip('bar.mp4'), '--clip'],
    ] as const)
      assertRefused(await trySearch('--image', photo), 'IMAGE_UNREADABLE', basename(photo), said)
  })

  it('of a person who is not in the archive gives no confident match', async () => {
    const stranger = await makeFacePhoto(join(dir, 'stranger.jpg'), 'window fourth')
    const answer = await search(['--image', stranger, '--archive', archive])
    assert.deepEqual([answer.confident, answer.results], [false, []])
    const { threshold, falseAcceptRate } = lite()
    assert.deepEqual([answer.threshold, answer.thresholdReason], [threshold, 'models'])
    assert.deepEqual(answer.falseAcceptRate, { rate: falseAcceptRate, estimate: false })
    assert.equal(answer.expectedFalseMatches, falseAcceptRate * answer.tracksSearched)
    const run = await cameo(['search', '--image', stranger, '--archive', archive])
    assert.equal(run.code, 0)
    const said = threshold.toFixed(2).replace('.', '\\.')
    assert.match(
      run.stdout,
      new RegExp(
        `^no confident match: no track reaches ${said}; 5 tracks searched \\(fewer than 0\\.01 would match by chance\\)\n` +
          `threshold ${said}: default of the models, one track in ${Math.round(1 / falseAcceptRate)} of other people reaches it$`,
        'm',
      ),
    )
    const wide = ['search', '--image', stranger, '--archive', archive, '--min-score', '-1']
    assert.match((await cameo(wide)).stdout, /5 tracks searched \(about 5\.00 would match by chance\)$/m)
  })
})

describe('search: with a clip', () => {
  it('finds the clip itself first, or omits it with --exclude-self', async () => {
    const own = await search(['--clip', clip('costumes.mp4'), '--archive', archive])
    assert.deepEqual(foundFiles(own), ['costumes.mp4', 'bar.mp4'])
    assert.ok((own.results[0]?.score ?? 0) > 0.999)
    const others = await search(['--clip', clip('costumes.mp4'), '--exclude-self', '--archive', archive])
    assert.deepEqual(foundFiles(others), ['bar.mp4'])
  })

  it('of several people reports them, and --face chooses one', async () => {
    const path = clip('sofa, then party.mp4')
    const run = await cameo(['search', '--clip', path, '--archive', archive, '--json'])
    assert.equal(run.code, 0)
    assert.match(
      run.stderr,
      /shows 2 people; using number 1 \(give its number with --face NUMBER\):\n {2}1: 0:00.*\n {2}2: /,
    )
    const found: string[][] = []
    for (const face of ['1', '2'])
      found.push(
        foundFiles(await search(['--clip', path, '--face', face, '--exclude-self', '--archive', archive])),
      )
    assert.deepEqual(found.sort(), [[], ['party.mp4']])
    assertRefused(await trySearch('--clip', path, '--face', '3'), 'FACE_UNKNOWN', 'sofa, then party.mp4', '3')
  })

  it('of people side by side lists them with their positions, also for an invalid number', async () => {
    const path = join(dir, 'side by side.mp4')
    const inputs = ['costumes', 'bar', 'party'].flatMap((name) => ['-i', clip(`${name}.mp4`)])
    await ffmpeg(...inputs, '-filter_complex', '[0][1][2]hstack=3', ...x264, path)
    const list =
      /^ {2}(\d): 0:00\.0–.*; middle (left|centre|right), \d+×\d+ px at \(\d+, \d+\), quality 0\.\d+$/gm
    const placesIn = (text: string) => [...text.matchAll(list)].map(([, number, place]) => [number, place])
    const run = await trySearch('--clip', path)
    assert.equal(run.code, 0, run.stderr)
    const places = placesIn(run.stderr)
    assert.deepEqual(
      places.map(([number]) => number),
      ['1', '2', '3'],
    )
    assert.deepEqual(places.map(([, place]) => place).sort(), ['centre', 'left', 'right'])
    const refused = await trySearch('--clip', path, '--face', '4')
    assert.deepEqual(placesIn(assertRefused(refused, 'FACE_UNKNOWN', 'side by side.mp4', '4')), places)
    const { query } = await search(['--clip', path, '--face', '2', '--archive', archive])
    assert.deepEqual(
      query.people?.map(({ number, ranges, boxXyxyPx: [x1 = 0] }) => [
        String(number),
        ranges?.[0]?.startS,
        ['left', 'centre', 'right'][Math.floor(x1 / 320)],
      ]),
      places.map(([number, place]) => [number, 0, place]),
    )
  })

  it('gives the time ranges of the person', async () => {
    const answer = await search(['--clip', clip('party.mp4'), '--exclude-self', '--archive', archive])
    assert.deepEqual(foundFiles(answer), ['sofa, then party.mp4'])
    const ranges = answer.results[0]?.ranges.map(({ startS, endS }) => [startS, endS])
    assert.deepEqual(ranges, [[2.5, 4.75]])
  })

  it('without a face is refused as QUERY_NO_TRACK, and a file that is not a video with its own code', async () => {
    const empty = join(dir, 'no face.mp4')
    await ffmpeg('-f', 'lavfi', '-i', 'testsrc2=s=320x240:r=12:d=1', ...x264, empty)
    assertRefused(await trySearch('--clip', empty), 'QUERY_NO_TRACK', 'no face.mp4')
  })

  it('that is a photo, a missing file or not a video is refused with the reason', async () => {
    const text = join(dir, 'text.mp4')
    writeFileSync(text, 'no clip\n')
    const missing = join(dir, 'mistyped/missing.mp4')
    const messages = [
      assertRefused(await trySearch('--clip', portrait), 'CLIP_NOT_VIDEO', 'portrait.jpg', '--image'),
      assertRefused(await trySearch('--clip', missing), 'CLIP_GONE', missing, 'there is no file'),
      assertRefused(await trySearch('--clip', text), 'CLIP_NOT_VIDEO', 'text.mp4', 'give one'),
    ]
    assert.doesNotMatch(messages.join(), /archive|moved|deleted/)
  })
})

describe('search: time ranges', () => {
  it('of frames that are seconds apart, or of key frames, continue across the borders of segments', async () => {
    const long = join(dir, 'long.mp4')
    await makeFaceClip(long, 'costumes right', { seconds: 32, fps: 2, encoding: [...x264, '-g', '8'] })
    for (const [option, value, lastS] of [
      ['--fps', '0.2', 30],
      ['--sampling', 'keyframes', 28],
    ] as const) {
      const own = join(dir, `long archive ${option}`)
      const run = await ingest([long, option, value, '--segment', '10', '--archive', own])
      assert.equal(run.code, 0, run.stderr)
      const [match] = (await search(['--image', portrait, '--archive', own])).results
      const ranges = match?.ranges.map(({ startS, endS }) => [startS, Math.round(endS)])
      assert.deepEqual(ranges, [[0, lastS]])
    }
  })
})

describe('search: options', () => {
  it('--top limits, --min-score widens, and a search without a query is refused', async () => {
    const one = await search(['--image', portrait, '--top', '1', '--archive', archive])
    assert.deepEqual(foundFiles(one), ['costumes.mp4'])
    const all = await search(['--image', portrait, '--min-score', '-1', '--archive', archive])
    assert.equal(all.expectedFalseMatches, all.tracksSearched, 'all are expected to pass')
    assert.equal(all.results.length, 4)
    assert.deepEqual(all.threshold, -1)
    const scores = all.results.map(({ score }) => score)
    assert.deepEqual(
      scores,
      [...scores].sort((a, b) => b - a),
    )
    assertRefused(await trySearch(), 'USAGE', '--image')
  })

  it('--expect-false raises the threshold, --weak reports hits below it, and neither creates a match', async () => {
    const sheet = join(dir, 'weak.html')
    const here = ['--image', portrait, '--archive', archive]
    const sure = await search(here)
    const [best, second] = sure.results.map(({ score }) => score)
    assert.ok(best !== undefined && second !== undefined)
    // The bar's clip is below it, the costumes' above.
    const between = (best + second) / 2
    const rate = falseAcceptRateAt(lite(), between)?.rate ?? NaN
    const wish = ['--expect-false', String(rate * sure.tracksSearched), '--weak', '--html', sheet]
    const answer = await search([...here, ...wish])
    assert.ok(Math.abs(answer.threshold - between) < 1e-6, `${answer.threshold}, not ${between}`)
    assert.equal(answer.thresholdReason, 'archive size')
    assert.ok(Math.abs((answer.expectedFalseMatches ?? NaN) / (rate * 5) - 1) < 1e-6)
    assert.deepEqual(foundFiles(answer), ['costumes.mp4'])
    assert.deepEqual(answer.weak?.map(({ path, score }) => [basename(path), score]).slice(0, 1), [
      ['bar.mp4', second],
    ])
    for (const hit of answer.weak ?? []) {
      assert.ok(hit.score < answer.threshold && hit.ranges.every(({ weak }) => weak === true))
      assert.ok(hit.score >= (thresholdOfRate(lite(), 1e-2) ?? 1))
    }
    assert.ok(answer.results.every(({ ranges }) => ranges.every(({ weak }) => weak === undefined)))
    assert.match(readFileSync(sheet, 'utf8'), /<li class="weak">[^]*bar\.mp4[^]*weak, score/)

    const told = await cameo(['search', ...here, ...wish])
    assert.equal(told.code, 0)
    assert.match(told.stdout, /^ {3}1 .*costumes\.mp4\n[^]*^weak .*bar\.mp4\n.*\(weak\)/m)
    assert.match(told.stdout, /^1 clip from score .*, \d+ weak clips? below it; 5 tracks searched/m)
    assert.match(told.stdout, /: raised for an archive of this size \(--expect-false\)$/m)
    assertRefused(await trySearch('--image', portrait, ...wish, '--min-score', '0.3'), 'USAGE', '--min-score')
  })

  it('gives the probability of each hit, and names the prior', async () => {
    const here = ['--image', portrait, '--archive', archive]
    const one = await search(here)
    const many = await search([...here, '--expect-appearances', '4'])
    assert.deepEqual(
      [one.prior, many.prior],
      [
        { appearances: 1, tracks: 5 },
        { appearances: 4, tracks: 5 },
      ],
    )
    const oddsOf = ({ results }: Answer) =>
      results.map(({ probability }) => (probability ?? NaN) / (1 - (probability ?? NaN)))
    for (const [i, odds] of oddsOf(many).entries())
      assert.ok(Math.abs(odds / (oddsOf(one)[i] ?? NaN) - 4) < 1e-3, `${odds} of ${oddsOf(one)[i]}`)
    const [costumes, bar] = one.results.map(({ probability }) => probability ?? NaN)
    assert.ok((costumes ?? 0) > 0.99 && (bar ?? 1) <= (costumes ?? 0) && (bar ?? 0) > 0.3)
    const { stdout } = await cameo(['search', ...here])
    assert.match(stdout, /^ {3}1 0\.\d{3} {2}> 99\.9 %|^ {3}1 0\.\d{3} +99\.\d %/m)
    assert.match(stdout, /^probabilities: if 1 track of 5 showed the person \(--expect-appearances\)$/m)
  })

  it('--html writes a contact sheet with the thumbnails', async () => {
    const sheet = join(dir, 'sheet.html')
    await search(['--image', portrait, '--html', sheet, '--archive', archive])
    const html = readFileSync(sheet, 'utf8')
    assert.equal(html.match(/data:image\/jpeg;base64,/g)?.length, 3)
    assert.ok(html.includes('costumes.mp4'))
    const nowhere = join(dir, 'no such folder/sheet.html')
    assertRefused(await trySearch('--image', portrait, '--html', nowhere), 'USAGE', nowhere)
  })

  it('a wrong option is refused as USAGE, to scripts too', async () => {
    for (const [args, said] of [
      [['--top', '1.5'], '--top'],
      [['--face', '0'], 'from 1 to'],
      [['--image', portrait, '--name', 'Ada'], '--name'],
    ] as const)
      assertRefused(await trySearch(...args), 'USAGE', said)
    const unknown = await trySearch('--nonsense')
    assert.equal(unknown.code, 2)
    assert.deepEqual(jsonLines(unknown.stdout), [
      { code: 'USAGE', message: "unknown option '--nonsense'", retriable: false },
    ])
    const help = await cameo(['search', '--help', '--json'])
    assert.equal(help.code, 0)
    assert.match(help.stdout, /^Usage/)
  })
})

describe('enroll: names', () => {
  it('a name is enrolled with photos and clips, found by search, listed by status, and forgotten', async () => {
    const copy = join(dir, 'own archive')
    const run = await ingest([folder, '--archive', copy])
    assert.equal(run.code, 0)
    const name = 'Ada "Countess" Lovelace'
    const enrolled = await cameo(['enroll', name, portrait, clip('bar.mp4'), '--archive', copy, '--json'])
    assert.equal(enrolled.code, 0, enrolled.stderr)
    const said = JSON.parse(enrolled.stdout) as {
      name: string
      faces: number
      added: number
      failed: unknown[]
    }
    assert.deepEqual([said.name, said.faces, said.failed], [name, said.added, []])
    assert.ok(said.added > 1)

    const answer = await search(['--name', name, '--archive', copy])
    assert.deepEqual(foundFiles(answer).sort(), ['bar.mp4', 'costumes.mp4'])
    const status = await cameo(['status', '--archive', copy, '--json'])
    assert.deepEqual((JSON.parse(status.stdout) as { identities: unknown }).identities, [
      { name, faces: said.faces },
    ])

    const unknown = await cameo(['search', '--name', 'Bob', '--archive', copy, '--json'])
    assertRefused(unknown, 'NAME_UNKNOWN', 'Bob', 'Ada')
    const forgotten = await cameo(['forget', '--name', name, '--archive', copy, '--json'])
    assert.equal(forgotten.code, 0, forgotten.stderr)
    assertRefused(await cameo(['search', '--name', name, '--archive', copy, '--json']), 'NAME_UNKNOWN', 'Ada')
  })

  it('a name is the same in every encoding, and is shown on one line', async () => {
    const composed = 'Zo\u00eb\n\u001b[2J'
    const decomposed = ` ${composed.normalize('NFD')} `
    const enrolled = await cameo(['enroll', decomposed, portrait, '--archive', archive])
    assert.equal(enrolled.code, 0, enrolled.stderr)
    assert.equal(enrolled.stdout, '"Zoë\\x0a\\x1b[2J" is enrolled with 1 face (1 added)\n')
    const found = await search(['--name', decomposed, '--archive', archive])
    assert.deepEqual(foundFiles(found), foundFiles(await search(['--name', composed, '--archive', archive])))
    assert.equal(found.query.value, composed)
    const status = await cameo(['status', '--archive', archive])
    const unknown = await cameo(['search', '--name', 'X', '--archive', archive])
    const forgotten = await cameo(['forget', '--name', decomposed, '--archive', archive])
    assert.equal(forgotten.code, 0, forgotten.stderr)
    for (const { stdout, stderr } of [status, unknown, forgotten]) {
      assert.match(stdout + stderr, /Zoë/)
      assert.ok(!stdout.includes('\u001b') && !stderr.includes('\u001b') && !/Zoë\n/.test(stdout + stderr))
    }
    for (const command of [
      ['enroll', ' ', portrait],
      ['search', '--name', ' '],
      ['forget', '--name', ''],
    ])
      assertRefused(await cameo([...command, '--archive', archive, '--json']), 'USAGE', 'empty')
  })

  it('a name that was stored in another form is found', async () => {
    const copy = join(dir, 'old archive')
    assert.equal((await ingest([clip('bar.mp4'), '--archive', copy])).code, 0)
    assert.equal((await cameo(['enroll', 'Zo\u00eb', portrait, '--archive', copy])).code, 0)
    const { database } = openArchive(copy)
    database.prepare('UPDATE identities SET name = ?').run('Zoe\u0308')
    database.close()
    assert.deepEqual(foundFiles(await search(['--name', 'Zo\u00eb', '--archive', copy])), ['bar.mp4'])
    const enrolled = await cameo(['enroll', 'Zo\u00eb', clip('bar.mp4'), '--archive', copy, '--json'])
    assert.ok((JSON.parse(enrolled.stdout) as { faces: number }).faces > 1, 'faces are added to it')
    assert.equal((await cameo(['forget', '--name', 'Zo\u00eb', '--archive', copy])).code, 0)
  })

  it('from a clip with several people report the chosen person, and list all', async () => {
    const copy = join(dir, 'one archive')
    assert.equal((await ingest([clip('bar.mp4'), '--archive', copy])).code, 0)
    const run = await cameo(['enroll', 'Somebody', clip('sofa, then party.mp4'), '--archive', copy])
    assert.equal(run.code, 0, run.stderr)
    assert.match(run.stderr, /shows 2 people; using number 1 .*\n {2}1: .*\n {2}2: /)
  })

  it('accept every clip that an ingest accepts, and a JPEG as a photo under any name', async () => {
    const size = ['-s', '720x576', '-pix_fmt', 'yuv420p', '-r', '25']
    const containers: Record<string, readonly string[]> = {
      ...{ '264': ['-c', 'copy'], y4m: [], nut: ['-c', 'copy'], ivf: ['-c:v', 'libvpx'], rm: [] },
      ...{
        obu: ['-c:v', 'libaom-av1', '-cpu-used', '8'],
        mxf: ['-r', '25', '-c:v', 'mpeg2video'],
      },
      ...{ dv: size, gxf: [...size, '-c:v', 'mpeg2video', '-b:v', '5M'] },
    }
    const files: string[] = []
    for (const [extension, encoding] of Object.entries(containers)) {
      const file = join(dir, `enrolled.${extension}`)
      await ffmpeg('-i', clip('costumes.mp4'), '-t', '0.6', ...encoding, file)
      files.push(file)
    }
    const misnamed = join(dir, 'a photo.mp4')
    copyFileSync(portrait, misnamed)
    const text = join(dir, 'notes')
    writeFileSync(text, 'nothing to see\n')
    const args = ['enroll', 'Formats', ...files, misnamed, text, '--archive', archive, '--json']
    const run = await cameo(args)
    const said = JSON.parse(run.stdout) as { added: number; failed: { source: string; message: string }[] }
    assert.deepEqual(
      said.failed.map(({ source, message }) => [source, message]),
      [[text, '"notes" is neither a video nor a photo: give one that shows the person']],
    )
    assert.ok(said.added >= 2 * files.length, 'several faces a clip')
    assert.equal((await cameo(['forget', '--name', 'Formats', '--archive', archive])).code, 0)
  })

  it('report unusable photos, enroll the others, and the exit code is 1', async () => {
    const twice = join(dir, 'portrait 2.jpg')
    copyFileSync(portrait, twice)
    const files = [portrait, group, join(dir, 'missing.jpg'), twice]
    const run = await cameo(['enroll', 'Some', ...files, '--archive', archive, '--json'])
    assert.equal(run.code, 1, run.stderr)
    const said = JSON.parse(run.stdout) as { added: number; failed: { source: string; code: string }[] }
    assert.equal(said.added, 2)
    assert.deepEqual(
      said.failed.map(({ source, code }) => [basename(source), code]),
      [
        ['sample4.jpg', 'IMAGE_SEVERAL_FACES'],
        ['missing.jpg', 'IMAGE_UNREADABLE'],
      ],
    )
    const none = await cameo(['enroll', 'None', group, '--archive', archive, '--json'])
    assertRefused(none, 'IMAGE_SEVERAL_FACES', 'sample4.jpg')
  })

  it('are refused if there are more files than the runtime accepts, and none is enrolled', async () => {
    const files = Array.from({ length: 20_000 / portrait.length }, () => portrait)
    // Only a process has a command line of its own.
    const run = await startCameo(['enroll', 'Many', ...files, '--archive', archive, '--json']).finished
    assertRefused(run, 'USAGE', 'give some of them, then the rest')
    assertRefused(await trySearch('--name', 'Many'), 'NAME_UNKNOWN')
  })
})
