/** Answers for editing rooms: read back by OpenTimelineIO, which is not ours; cut by ffmpeg; opened in a player. */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  renameSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { basename, join } from 'node:path'
import { before, describe, it } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { z } from 'zod'
import { writeEdit } from '../../index/editing/write-format.js'
import { readEditFacts } from '../../pipeline/decode/edit-facts.js'
import { probeDurationS } from '../../pipeline/decode/probe-duration.js'
import { cameo, temporaryDir } from '../support/cameo.js'
import { ffmpeg, makeFaceClip, makeFacePhoto } from '../support/faces.js'

const run = promisify(execFile)
const dir = temporaryDir()
const at = (...names: string[]) => join(dir, ...names)
const here = ['--archive', at('archive')]
const films = at('films')
const film = (name: string) => join(films, name)

async function say(...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await cameo([...args, ...here])
  assert.equal(code, 0, stderr)
  return stdout
}

const clipSchema = z.object({
  name: z.string(),
  url: z.string().nullable(),
  start: z.number(),
  frames: z.number(),
  rate: z.number(),
  timecode: z.string(),
})
type ReadClip = z.infer<typeof clipSchema>

const reader = `
import json, sys
from fractions import Fraction
import opentimelineio as otio
path, adapter, rate = sys.argv[1:4]
more = {"rate": float(Fraction(rate))} if adapter == "cmx_3600" else {}
timeline = otio.adapters.read_from_file(path, adapter, **more)
clips = [clip for track in timeline.tracks for clip in track if isinstance(clip, otio.schema.Clip)]
print(json.dumps([{
    "name": clip.name,
    "url": getattr(clip.media_reference, "target_url", None),
    "start": clip.source_range.start_time.value,
    "frames": clip.source_range.duration.value,
    "rate": clip.source_range.start_time.rate,
    "timecode": otio.opentime.to_timecode(clip.source_range.start_time),
} for clip in clips]))
`

/** As OpenTimelineIO reads it. */
async function readBack(text: string, adapter: 'cmx_3600' | 'otio_json', rate = '25'): Promise<ReadClip[]> {
  const file = at(adapter === 'otio_json' ? 'read.otio' : 'read.edl')
  writeFileSync(file, text)
  const { stdout: folder } = await run(fileURLToPath(new URL('../../../scripts/otio.sh', import.meta.url)))
  const env = { ...process.env, PYTHONPATH: folder.trim() }
  const { stdout } = await run('python3', ['-c', reader, file, adapter, rate], { env })
  return z.array(clipSchema).parse(JSON.parse(stdout))
}

before(async () => {
  mkdirSync(films)
  const encoding = (...more: string[]) => ['-c:v', 'libx264', '-preset', 'ultrafast', '-g', '25', '-pix_fmt', 'yuv420p', ...more] // prettier-ignore
  await makeFaceClip(film('party.mov'), 'costumes right', { seconds: 4, fps: 25, then: ['party first'], encoding: encoding('-timecode', '10:00:00:00') }) // prettier-ignore
  await makeFaceClip(film('plain.mp4'), 'costumes right', { seconds: 2, fps: 25, encoding: encoding() })
  const [ntsc, drop] = ['30000/1001', '00:59:59;20']
  await ffmpeg('-i', film('plain.mp4'), '-r', ntsc, ...encoding('-timecode', drop), at('ntsc.mov'))
  await makeFacePhoto(at('ada.jpg'), 'costumes right')
  await say('ingest', films)
  await say('enroll', 'Ada', at('ada.jpg'))
})

describe('frame rate and start timecode', () => {
  it('are read from a file', async () => {
    assert.deepEqual(await readEditFacts(film('party.mov')), { frameRate: 25, startTimecode: '10:00:00:00' })
    assert.deepEqual(await readEditFacts(film('plain.mp4')), { frameRate: 25, startTimecode: undefined })
    assert.deepEqual(await readEditFacts(at('ntsc.mov')), { frameRate: 29.97, startTimecode: '00:59:59;20' })
  })
})

describe('an answer in an editing program', () => {
  const timesOf = (clips: readonly ReadClip[]) =>
    clips
      .map(({ start, frames, rate }) => [start, frames, Math.round(rate)])
      .sort(([a = 0], [b = 0]) => a - b)

  it('reads an EDL and a timeline alike, with the timecode of the file', async () => {
    const edl = await readBack(await say('search', '--name', 'Ada', '--format', 'edl'), 'cmx_3600')
    const otio = await readBack(await say('search', '--name', 'Ada', '--format', 'otio'), 'otio_json')
    assert.equal(edl.length, 2)
    assert.deepEqual(timesOf(edl), timesOf(otio))
    const [plain, party] = [...otio].sort((a, b) => a.start - b.start)
    const partyFrames = party?.frames ?? 0
    assert.deepEqual([plain?.name, plain?.timecode], ['plain.mp4', '00:00:00:00'])
    assert.deepEqual([party?.name, party?.timecode], ['party.mov', '10:00:00:00'])
    assert.equal(party?.url, new URL(`file://${film('party.mov')}`).href)
    // She is seen in the first two seconds.
    assert.ok(partyFrames > 40 && partyFrames <= 51, `${partyFrames} frames`)
  })

  it('reads drop frame across an hour', async () => {
    const folder = at('archive-ntsc')
    const own = ['--archive', folder]
    assert.equal((await cameo(['ingest', at('ntsc.mov'), ...own])).code, 0)
    const { stdout, stderr } = await cameo(['search', '--image', at('ada.jpg'), '--format', 'edl', ...own])
    assert.match(stdout, /FCM: DROP FRAME/, stderr)
    const [clip] = await readBack(stdout, 'cmx_3600', '30000/1001')
    // The hour is reached after ten more frames, whatever is dropped within it.
    assert.deepEqual([clip?.timecode, clip?.start], ['00:59:59;20', 107_892 - 10])
    assert.match(stdout, /00:59:59;20 01:00:01;\d\d 01:00:00;00 01:00:01;\d\d/)
  })

  it('counts the frames of every rate as OpenTimelineIO does', async () => {
    const starts = ['00:09:59:10', '22:59:00;10']
    for (const [frameRate, rate] of [
      [23.98, '24000/1001'],
      [25, '25'],
      [29.97, '30000/1001'],
      [50, '50'],
      [59.94, '60000/1001'],
    ] as const)
      for (const startTimecode of starts) {
        const times = [0, 59.9, 540.5, 2400.25]
        const hits = times.map((startS) => ({
          ...{
            number: 1,
            person: 'Ada',
            clipId: 'a',
            path: '/a.mov',
            isMissing: false,
            durationS: undefined,
          },
          ...{ startS, endS: startS + 70, score: 0.5, probability: undefined, isWeak: false },
        }))
        const edit = { hits, title: 'all', isOfOneClip: true }
        const facts = () => Promise.resolve({ frameRate, startTimecode })
        const write = (format: 'edl' | 'otio') =>
          writeEdit(edit, format, (notice) => assert.equal(notice, ''), facts)
        const edl = await readBack(await write('edl'), 'cmx_3600', rate)
        const otio = await readBack(await write('otio'), 'otio_json')
        const perDay = Math.round((otio[0]?.rate ?? 0) * 86_400)
        assert.equal(edl.length, times.length)
        for (const [i, clip] of edl.entries()) {
          const own = otio[i]
          assert.equal(clip.frames, own?.frames, `${rate} ${startTimecode} ${i}`)
          assert.ok(Math.abs((clip.start - (own?.start ?? 0)) % perDay) < 1, `${rate} ${startTimecode} ${i}`)
        }
      }
  })

  it('writes subtitles of a clip with its people, and a table', async () => {
    const vtt = await say('show', film('party.mov'), '--format', 'vtt')
    assert.match(
      vtt,
      /^WEBVTT\n\n00:00:00\.000 --> 00:00:0[12]\.\d{3}\nAda\n\n00:00:02\.\d{3} --> 00:00:0[34]\.\d{3}\nunnamed 2\n$/,
    )
    assert.match(await say('show', film('party.mov'), '--format', 'srt'), /^1\n00:00:00,000 --> /)
    assert.match(await say('search', '--name', 'Ada', '--format', 'csv'), /^hit,person,file,.*\r\n1,Ada,/)
    assert.equal(await say('search', '--name', 'Ada', '--format', 'json'), await say('search', '--name', 'Ada', '--json')) // prettier-ignore
  })

  it('says what it assumes of a file that is away', async () => {
    renameSync(film('plain.mp4'), at('away.mp4'))
    const { stdout, stderr } = await cameo(['search', '--name', 'Ada', '--format', 'edl', ...here])
    renameSync(at('away.mp4'), film('plain.mp4'))
    assert.match(stderr, /"plain\.mp4" is not there: its frame rate is assumed/)
    assert.equal((await readBack(stdout, 'cmx_3600')).length, 2)
  })
})

describe('cameo cut', () => {
  it('copies the hits of the last answer from the key frame before', async () => {
    await say('search', '--name', 'Ada', '--json')
    const written = (await say('cut', '--out', at('cuts'))).trim().split('\n')
    assert.equal(written.length, 2)
    for (const file of written) {
      assert.match(basename(file), /^00[12] (party|plain) 0m00\.0s Ada\.(mov|mp4)$/)
      const lengthS = await probeDurationS(file)
      assert.ok(lengthS > 1.7 && lengthS < 3.1, `${file}: ${lengthS} s`)
    }
    assert.deepEqual(readdirSync(at('cuts')).length, 2)
  })

  it('encodes exactly, with handles, from an answer on standard input or in a file', async () => {
    const file = at('shown.json')
    writeFileSync(file, await say('show', film('party.mov'), '--json'))
    const list = await say('cut', file, '--out', at('exact'), '--exact', '--handles', '0.5')
    const second =
      list
        .trim()
        .split('\n')
        .find((name) => name.includes('unnamed')) ?? ''
    const shown = z.object({ people: z.array(z.object({ ranges: z.array(z.object({ startS: z.number(), endS: z.number() })) })) }).parse(JSON.parse(readFileSync(file, 'utf8'))) // prettier-ignore
    const range = shown.people[1]?.ranges[0]
    assert.ok(range !== undefined)
    const lengthS = await probeDurationS(second)
    const expectedS = Math.min(4, range.endS + 0.75) - (range.startS - 0.5)
    assert.ok(Math.abs(lengthS - expectedS) < 0.09, `${lengthS} s, and not ${expectedS}`)
    assert.equal((await readEditFacts(second)).frameRate, 25)
  })

  it('replaces nothing unless it is told to, and goes on past what it cannot cut', async () => {
    const { code, stderr } = await cameo(['cut', at('shown.json'), '--out', at('exact'), '--exact', '--handles', '0.5', ...here]) // prettier-ignore
    assert.equal(code, 1)
    assert.match(stderr, /is there already/)
    const again = await cameo(['cut', at('shown.json'), '--out', at('exact'), '--exact', '--handles', '0.5', '--overwrite', ...here]) // prettier-ignore
    assert.equal(again.code, 0, again.stderr)
    const answer = { clipId: 'x', people: [{ name: 'Ada', ranges: [{ startS: 0, endS: 1 }] }] }
    writeFileSync(at('gone.json'), JSON.stringify({ ...answer, path: at('gone.mp4') }))
    const gone = await cameo(['cut', at('gone.json'), '--out', at('gone'), '--json', ...here])
    assert.equal(gone.code, 1)
    assert.match(gone.stdout, /"written":\[\],"failed":\[\{.*"code":"CLIP_GONE"/)
    writeFileSync(at('text.json'), JSON.stringify({ ...answer, path: at('text.json') }))
    assert.match(
      (await cameo(['cut', at('text.json'), '--out', at('gone'), ...here])).stderr,
      /could not be cut/,
    )
    assert.deepEqual(readdirSync(at('gone')), [], 'nothing is left of what failed')
  })
})

describe('cameo play', () => {
  const player = at('player.sh')
  before(() => {
    writeFileSync(
      player,
      `#!/bin/sh\nprintf '%s\\n' "$@" > "${at('played')}.new"\nmv "${at('played')}.new" "${at('played')}"\n`,
    )
    chmodSync(player, 0o755)
  })

  async function played(): Promise<string[]> {
    for (let tries = 0; !existsSync(at('played')) && tries < 200; tries++) await pause(25)
    const words = readFileSync(at('played'), 'utf8').trimEnd().split('\n')
    renameSync(at('played'), at('played-before'))
    return words
  }

  it('opens a hit of the last answer at its time in the player that is named', async () => {
    await say('show', film('party.mov'))
    const environment = { CAMEO_PLAYER: `${player} --start={start} {file}` }
    const { code, stdout } = await cameo(['play', '2', ...here], environment)
    assert.equal(code, 0)
    const [start = '', file] = await played()
    assert.equal(file, film('party.mov'))
    assert.ok(Number(start.slice('--start='.length)) >= 2, start)
    assert.match(stdout, /party\.mov: unnamed 2 at 0:02\.\d/)
  })

  it('adds the file where the command does not say where it stands, and tells the time', async () => {
    const { stderr } = await cameo(['play', '1', '--result', at('shown.json'), ...here], {
      CAMEO_PLAYER: player,
    })
    assert.deepEqual(await played(), [film('party.mov')])
    assert.match(stderr, /go to 0:00\.0/)
  })

  it('refuses a hit that is not there, a player that is not, and an archive without an answer', async () => {
    const environment = { CAMEO_PLAYER: player }
    for (const [args, said, own] of [
      [['9', ...here], /has no hit 9/, environment],
      [['1', '--range', '7', ...here], /no number 7/, environment],
      [['1', ...here], /cannot be started/, { CAMEO_PLAYER: at('none') }],
      [['1', ...here], /no video player was found/, { PATH: at('films') }],
      [['1', '--archive', at('nowhere')], /keeps no answer/, environment],
      [['0', ...here], /it must be from 1/, environment],
    ] as const) {
      const { code, stderr } = await cameo(['play', ...args], own)
      assert.equal(code, 2, stderr)
      assert.match(stderr, said)
    }
  })
})

it('the last answer is private, holds no pictures, and goes when something is forgotten', async () => {
  await say('search', '--name', 'Ada')
  const file = at('archive', 'last-answer.json')
  assert.equal(statSync(file).mode & 0o777, 0o600)
  assert.ok(!readFileSync(file, 'utf8').includes('data:image'))
  await say('forget', '--name', 'Ada')
  assert.ok(!existsSync(file))
})
