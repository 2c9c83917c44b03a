import assert from 'node:assert/strict'
import { mkdtempSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { parse } from 'csv-parse/sync'
import { readAnswerFile } from '../../../../index/editing/answer-file.js'
import { cutName } from '../../../../index/editing/cut-hits.js'
import type { EditHit } from '../../../../index/editing/hits.js'
import { framesOf } from '../../../../index/editing/sources.js'
import { timecodeRateOf } from '../../../../index/editing/timecode.js'
import { writeEdit, type EditFormat } from '../../../../index/editing/write-format.js'
import type { EditFacts } from '../../../../pipeline/decode/edit-facts.js'
import { CameoError } from '../../../../pipeline/common/errors.js'
import { temporaryDir } from '../../../support/cameo.js'
import { refusedWith } from '../../../support/refused-with.js'

const hit = (given: Partial<EditHit>): EditHit => ({
  ...{ number: 1, person: 'Ada', clipId: 'a', path: '/films/party.mp4', isMissing: false, durationS: 20 },
  ...{ startS: 1, endS: 2, score: 0.5, probability: undefined, isWeak: false },
  ...given,
})

interface Written {
  readonly facts?: Readonly<Record<string, EditFacts>>
  readonly isOfOneClip?: boolean
  readonly rate?: number
  readonly notices?: string[]
}

/** With what the files say of themselves, by path; those that are not among them cannot be read. */
const written = (
  format: EditFormat,
  hits: EditHit[],
  { facts = {}, isOfOneClip = false, notices = [], ...edit }: Written = {},
) =>
  writeEdit(
    { hits, title: 'Cameo: Ada', isOfOneClip, ...edit },
    format,
    (notice) => void notices.push(notice),
    (path) => {
      const own = facts[path]
      return own === undefined
        ? Promise.reject(new CameoError('CLIP_GONE', `no ${path}`))
        : Promise.resolve(own)
    },
  )

const at = (frameRate: number, startTimecode?: string): EditFacts => ({ frameRate, startTimecode })

describe('an EDL', () => {
  it('has the timecode of each clip, and those of the cut one after the other', async () => {
    const facts = { '/films/party.mp4': at(25, '10:00:00:00'), '/films/b.mp4': at(25) }
    const hits = [hit({}), hit({ number: 2, clipId: 'b', path: '/films/b.mp4', startS: 0, endS: 0.48 })]
    assert.deepEqual((await written('edl', hits, { facts })).split('\n'), [
      'TITLE: Cameo: Ada',
      'FCM: NON-DROP FRAME',
      '',
      '001  PARTY    V     C        10:00:01:00 10:00:02:01 01:00:00:00 01:00:01:01',
      '* FROM CLIP NAME: party.mp4',
      '* SOURCE FILE: /films/party.mp4',
      '* COMMENT: hit 1: Ada, score 0.500',
      '002  B        V     C        00:00:00:00 00:00:00:13 01:00:01:01 01:00:01:14',
      '* FROM CLIP NAME: b.mp4',
      '* SOURCE FILE: /films/b.mp4',
      '* COMMENT: hit 2: Ada, score 0.500',
      '',
    ])
  })

  it('drops frames at 29.97 where the clip does, and says so event by event', async () => {
    const facts = { '/films/party.mp4': at(29.97, '00:01:00;02'), '/films/n.mp4': at(29.97, '00:01:00:00') }
    const hits = [
      hit({ startS: 59.95, endS: 60.1, durationS: 90 }),
      hit({ clipId: 'n', path: '/films/n.mp4' }),
    ]
    const text = await written('edl', hits, { facts })
    // Frames 1796 to 1801 of the clip. Its first is number 1800 of the day; the next minute, 00:02:00;02, is number 3598.
    assert.match(text, /PARTY +V +C +00:01:59;28 00:02:00;06 01:00:00;00 01:00:00;06/)
    assert.match(text, /FCM: NON-DROP FRAME\n002 +N +V +C +00:01:00:29/)
    assert.equal(text.split('\n')[1], 'FCM: DROP FRAME')
  })

  it('has one rate: several are refused, and one can be chosen', async () => {
    const facts = { '/films/party.mp4': at(25), '/films/b.mp4': at(29.97) }
    const hits = [hit({}), hit({ clipId: 'b', path: '/films/b.mp4' })]
    await assert.rejects(written('edl', hits, { facts }), refusedWith('USAGE', /25 \(1\), 29\.97 \(1\)/))
    assert.ok(!(await written('edl', hits, { facts, rate: 25 })).includes('b.mp4'))
    await assert.rejects(written('edl', hits, { facts, rate: 50 }), refusedWith('USAGE', /no hit is of a clip with 50/)) // prettier-ignore
  })

  it('counts a clip whose file is away from 0, at the rate of the others, and says so', async () => {
    const notices: string[] = []
    const facts = { '/films/party.mp4': at(50) }
    const hits = [hit({ clipId: 'b', path: '/films/b.mp4', isMissing: true }), hit({})]
    const text = await written('edl', hits, { facts, notices })
    assert.match(text, /001 +B +V +C +00:00:01:00 00:00:02:01/)
    assert.match(text, /\* COMMENT: the file was not read/)
    assert.match(notices.join(), /"b\.mp4" is not there: its frame rate is assumed/)
    assert.match(await written('edl', [hit({})]), /00:00:01:00 00:00:02:01/, 'at 25 where no file is there')
  })

  it('has reels of eight letters, another for each clip, and no line break of a name', async () => {
    const paths = ['/films/Interview one.mp4', '/films/interview two.mp4', '/films/東京\n.mp4']
    const facts = Object.fromEntries(paths.map((path) => [path, at(25)]))
    const text = await written('edl', paths.map((path) => hit({ path, clipId: path, person: 'A\nB' })), { facts }) // prettier-ignore
    const reels = [...text.matchAll(/^\d{3} {2}(\S+)/gm)].map(([, reel]) => reel)
    assert.deepEqual(reels, ['INTERVIE', 'INTERVI2', 'CLIP'])
    assert.match(text, /hit 1: A\\x0aB/)
  })

  it('holds 999 events', async () => {
    const hits = Array.from({ length: 1000 }, () => hit({}))
    await assert.rejects(written('edl', hits), refusedWith('USAGE', /999 events/))
  })

  it('of no hits is a list without events', async () => {
    assert.equal(await written('edl', []), 'TITLE: Cameo: Ada\nFCM: NON-DROP FRAME\n\n')
  })
})

describe('frames of a hit', () => {
  it('begin with the frame at its start and end with the one at its end; at least one, and none beyond the clip', () => {
    const rate = timecodeRateOf(25)
    const frames = (startS: number, endS: number) => framesOf({ startS, endS, durationS: 10 }, rate)
    assert.deepEqual(frames(1, 2), { first: 25, end: 51 })
    assert.deepEqual(frames(0.04, 0.04), { first: 1, end: 2 })
    assert.deepEqual(frames(9, 10), { first: 225, end: 250 })
  })
})

describe('subtitles', () => {
  const hits = [hit({ startS: 3661.5, endS: 3662 }), hit({ person: 'Bo <&> "Co"', startS: 5, endS: 5 })]

  it('of a clip have its times', async () => {
    assert.equal(
      await written('vtt', hits, { isOfOneClip: true }),
      'WEBVTT\n\n01:01:01.500 --> 01:01:02.000\nAda\n\n00:00:05.000 --> 00:00:05.250\nBo &lt;&amp;&gt; "Co"\n',
    )
  })

  it('of a search have the times of the cut', async () => {
    assert.equal(
      await written('srt', hits),
      '1\n00:00:00,000 --> 00:00:00,500\nAda\n\n2\n00:00:00,500 --> 00:00:00,750\nBo <&> "Co"\n',
    )
  })

  it('leave out what is below the threshold', async () => {
    assert.equal(await written('vtt', [hit({ isWeak: true })]), 'WEBVTT\n')
  })
})

describe('a table of hits', () => {
  it('has a row for each range, also below the threshold, and no formulas', async () => {
    const hits = [hit({ person: '=cmd()', path: '/films/a,"b".mp4', probability: 0.25 }), hit({ isWeak: true, score: undefined })] // prettier-ignore
    const rows: unknown = parse(await written('csv', hits), { columns: true })
    assert.deepEqual(rows, [
      {
        ...{
          hit: '1',
          person: "'=cmd()",
          file: '/films/a,"b".mp4',
          start: '00:00:01.000',
          end: '00:00:02.000',
        },
        ...{ start_s: '1', end_s: '2', score: '0.5000', probability: '0.250000', weak: 'no', clip_id: 'a' },
      },
      {
        ...{ hit: '1', person: 'Ada', file: '/films/party.mp4', start: '00:00:01.000', end: '00:00:02.000' },
        ...{ start_s: '1', end_s: '2', score: '', probability: '', weak: 'yes', clip_id: 'a' },
      },
    ])
  })
})

describe('the file of an answer', () => {
  const dir = temporaryDir()
  const file = (content: unknown) => {
    const name = join(mkdtempSync(join(dir, 'answer-')), 'answer.json')
    writeFileSync(name, typeof content === 'string' ? content : JSON.stringify(content))
    return name
  }
  const ranges = [{ startS: 1, endS: 2, trackId: 1, score: 0.5 }]

  it('of a search gives its ranges, those of the threshold alone', () => {
    const weak = { startS: 5, endS: 6, trackId: 2, score: 0.3, weak: true }
    const results = [{ clipId: 'a', path: '/a.mp4', score: 0.5, probability: null, durationS: 9, ranges: [...ranges, weak], with: [{ name: 'Bo' }] }] // prettier-ignore
    const hits = readAnswerFile(file({ query: { kind: 'image', value: '/photos/ada.jpg' }, results }))
    assert.deepEqual(hits.map(({ number, person, startS, isMissing }) => [number, person, startS, isMissing]), [[1, 'ada.jpg + Bo', 1, true]]) // prettier-ignore
  })

  it('of a clip gives the ranges of its people, by their numbers', () => {
    const people = [
      { name: 'Ada', ranges },
      { name: null, ranges },
    ]
    const hits = readAnswerFile(file({ clipId: 'a', path: '/a.mp4', durationS: null, people }))
    assert.deepEqual(hits.map(({ number, person }) => [number, person]), [[1, 'Ada'], [2, 'unnamed 2']]) // prettier-ignore
  })

  it('is refused where it is none', () => {
    const wrong = { clipId: 'a', path: '/a.mp4', people: [{ name: 'Ada', ranges: [{ startS: 2, endS: 1 }] }] }
    for (const content of [{}, [], wrong, { query: {}, results: [] }])
      assert.throws(() => readAnswerFile(file(content)), refusedWith('USAGE', /is not the JSON of a search/))
    assert.throws(() => readAnswerFile(file('{')), refusedWith('USAGE', /cannot be read/))
    assert.throws(() => readAnswerFile(join(dir, 'none.json')), refusedWith('USAGE', /cannot be read/))
  })
})

describe('the name of a cut', () => {
  it('says where it is from, and leads to no other folder', () => {
    assert.equal(cutName(hit({ startS: 3725.25 }), 7), '007 party 1h02m05.3s Ada')
    assert.equal(
      cutName(hit({ path: '/x/..mp4', person: '../../etc/passwd\n' }), 1),
      '001 _ 0m01.0s __.._etc_passwd_',
    )
  })
})
