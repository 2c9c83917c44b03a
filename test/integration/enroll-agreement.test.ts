import assert from 'node:assert/strict'
import { mkdirSync, readFileSync, realpathSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { before, describe, it } from 'node:test'
import type { Receipt } from '../../index/erasure/receipt.js'
import { findPack } from '../../pipeline/models/packs/catalog.js'
import { assertRefused, foundFiles, ingest, search } from '../support/answers.js'
import { cameo, temporaryDir } from '../support/cameo.js'
import { animatedGif, cutOff } from '../support/field-photos.js'
import { makeFaceClip, makeFacePhoto } from '../support/faces.js'
import { thresholdOfModels } from '../../pipeline/models/packs/pack-threshold.js'

const dir = realpathSync(temporaryDir())
const archive = join(dir, 'archive')
const here = ['--archive', archive]
const path = (name: string) => join(dir, name)

interface Listed {
  readonly name: string
  readonly faces: number
  readonly list: readonly {
    readonly number: number
    readonly source: string
    readonly similarity: number | null
  }[]
}

async function list(name: string): Promise<Listed> {
  const run = await cameo(['enroll', name, '--list', ...here, '--json'])
  assert.equal(run.code, 0, run.stderr)
  return JSON.parse(run.stdout) as Listed
}

// The tests of this file follow one archive, in order.
describe('enroll: photos of different people', () => {
  before(async () => {
    mkdirSync(path('clips'))
    await makeFaceClip(path('clips/party.mp4'), 'party first')
    await makeFacePhoto(path('ada.jpg'), 'costumes right')
    await makeFacePhoto(path('ada too.jpg'), 'bar middle')
    await makeFacePhoto(path('other.jpg'), 'party first')
    assert.equal((await ingest([path('clips'), ...here])).code, 0)
  })

  it('are refused if most disagree, and nothing is written', async () => {
    const run = await cameo(['enroll', 'Ada', path('ada.jpg'), path('other.jpg'), ...here, '--json'])
    const threshold = thresholdOfModels(findPack('lite')).toFixed(2)
    assertRefused(run, 'FACES_DISAGREE', path('ada.jpg'), path('other.jpg'), threshold, '--force')
    assertRefused(await cameo(['enroll', 'Ada', '--list', ...here, '--json']), 'NAME_UNKNOWN', 'Ada')
  })

  it('are reported if one disagrees, with the number by which it can be removed', async () => {
    const files = ['ada.jpg', 'ada too.jpg', 'other.jpg'].map(path)
    const run = await cameo(['enroll', 'Ada', ...files, ...here, '--json'])
    assert.equal(run.code, 0, run.stderr)
    const { disagreeing } = JSON.parse(run.stdout) as { disagreeing: { source: string; faces: number[] }[] }
    assert.deepEqual(
      disagreeing.map(({ source, faces }) => [source, faces]),
      [[path('other.jpg'), [3]]],
    )
    assert.match(run.stderr, /may not show .*\n.*other\.jpg: 0 of 2 reached, .*--face 3\n/)
  })

  it('are listed by number and removed one by one, the name with the last', async () => {
    const { faces, list: listed } = await list('Ada')
    assert.equal(faces, 3)
    assert.deepEqual(
      listed.map(({ number, source, similarity }) => [number, source, (similarity ?? 0) > 0.25]),
      [
        [1, path('ada.jpg'), true],
        [2, path('ada too.jpg'), true],
        [3, path('other.jpg'), false],
      ],
    )
    const forgotten = await cameo(['forget', '--name', 'Ada', '--face', '3', ...here, '--json'])
    const { receipt, ...done } = JSON.parse(forgotten.stdout) as { readonly receipt: Receipt }
    assert.equal(receipt.state, 'complete')
    assert.deepEqual(done, {
      ...{ forgotten: 'face', name: 'Ada', face: 3, source: path('other.jpg'), left: 2 },
    })
    assert.deepEqual(foundFiles(await search(['--name', 'Ada', ...here])), [])
    assertRefused(
      await cameo(['forget', '--name', 'Ada', '--face', '3', ...here, '--json']),
      'FACE_UNKNOWN',
      '--list',
    )
    await cameo(['forget', '--name', 'Ada', '--face', '2', ...here])
    const last = await cameo(['forget', '--name', 'Ada', '--face', '1', ...here])
    assert.match(
      last.stdout,
      /^face 1 of "Ada", from .*ada\.jpg, is forgotten: it was the last one, so the name is forgotten, too\nreceipt R-[0-9a-f]{16}\n$/,
    )
    assertRefused(await cameo(['search', '--name', 'Ada', ...here, '--json']), 'NAME_UNKNOWN', 'Ada')
  })

  it('are enrolled anyway with --force, and reported', async () => {
    const files = ['ada.jpg', 'other.jpg'].map(path)
    const run = await cameo(['enroll', 'Both', ...files, '--force', ...here])
    assert.equal(run.code, 0, run.stderr)
    assert.equal(run.stdout, '"Both" is enrolled with 2 faces (2 added)\n')
    assert.match(run.stderr, /ada\.jpg: 0 of 1 reached.*\n.*other\.jpg: 0 of 1 reached/)
  })
})

describe('search: with a photo from the field', () => {
  it('that is truncated or animated is reported, to scripts too', async () => {
    const photo = readFileSync(path('other.jpg'))
    writeFileSync(path('cut.jpg'), cutOff(photo, 20))
    writeFileSync(path('animated.gif'), await animatedGif(photo))
    for (const [name, said] of [
      ['cut.jpg', /"cut\.jpg" is cut off/],
      ['animated.gif', /"animated\.gif" has 3 pictures; .* picture 2/],
    ] as const) {
      const run = await cameo(['search', '--image', path(name), ...here, '--json'])
      assert.equal(run.code, 0, run.stderr)
      const { query, results } = JSON.parse(run.stdout) as {
        query: { notices: string[] }
        results: unknown[]
      }
      assert.equal(results.length, 1)
      assert.match(query.notices.join(), said)
      assert.match(run.stderr, said)
    }
  })
})
