import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { indexClipNames } from '../../../../../index/evaluate/datasets/clip-names.js'
import { createEvaluationSet } from '../../../../../index/evaluate/datasets/evaluation-set.js'
import { readFeatureSet } from '../../../../../index/evaluate/formats/read-feature-set.js'
import { readGroundTruth, readSubmission } from '../../../../../index/evaluate/datasets/ground-truth.js'
import { mapOf } from '../../../../../index/evaluate/ladder/measure-rankings.js'
import { rankByGallery } from '../../../../../index/evaluate/ladder/rankers.js'
import { temporaryDir } from '../../../../support/cameo.js'
import { featureFiles, listForms, prose, truthText, writeFieldSet } from '../../../../support/field-lists.js'

const dir = temporaryDir()
let files = 0
const plainFeatures = featureFiles['as numpy.savez writes them']
const plainLists = (text: string) => text

async function read(features: Uint8Array, form: (text: string) => Buffer | string) {
  const set = writeFieldSet(dir, String(files++), features, form)
  const featureSet = await readFeatureSet([set.features])
  const paths = featureSet.clipNames.map((name) => [name])
  const names = indexClipNames(paths)
  return createEvaluationSet({
    ...{ features: featureSet, paths },
    gallery: readGroundTruth(set.gallery, names).groundTruth,
    test: readGroundTruth(set.truth, names).groundTruth,
  })
}

async function assertAllFound(features: Uint8Array, form: (text: string) => Buffer | string) {
  const set = await read(features, form)
  const test = set.test!
  assert.deepEqual(set.unknown, [])
  assert.deepEqual(set.identities, ['Ada', 'Zoë'])
  const found = [...test.clips].map(([identity, clips]) => [identity, clips.map((clip) => set.features.clipNames[clip])]) // prettier-ignore
  assert.deepEqual(found, [
    ['Ada', ['ada-1.mp4', 'ada-2.mp4']],
    ['Zoë', ['zoë-1.mp4']],
  ])
  const ranker = rankByGallery({ session: { device: { kind: 'cpu' }, intraOpThreads: 1 } }, new Map())
  const { ranked } = await ranker.rank({ ...set, test })
  assert.equal(mapOf(set, test, ranked), 1)
}

describe('feature files of the field', () => {
  for (const [form, write] of Object.entries(featureFiles))
    it(`are read ${form}`, () => assertAllFound(write(), plainLists))
})

describe('ground truth of the field', () => {
  for (const [form, write] of Object.entries(listForms))
    it(`is read ${form}`, () => assertAllFound(plainFeatures(), write))

  it('is refused if it is prose, with its first line and example clip names', async () => {
    const refused = { code: 'GROUND_TRUTH_INVALID', message: /is not a ground truth of these clips: line 1 "Dear colleague,".* g-ada\.mp4/ } // prettier-ignore
    await assert.rejects(
      read(plainFeatures(), () => prose),
      refused,
    )
  })

  it('is refused if it is prose, even if the clips are not known', () => {
    const file = join(dir, 'prose.txt')
    writeFileSync(file, prose)
    assert.throws(() => readGroundTruth(file), { code: 'GROUND_TRUTH_INVALID', message: /is not a ground truth: line 1 "Dear/ }) // prettier-ignore
  })

  it('of other clips is refused, with names of both', async () => {
    await assert.rejects(
      read(plainFeatures(), (text) => text.replaceAll('ada-', 'eve-').replaceAll('zoë-', 'bob-')),
      {
        code: 'GROUND_TRUTH_INVALID',
        message: /none of the 3 clips that the ground truth names is there: it names eve-1\.mp4, .*; there are g-ada\.mp4/, // prettier-ignore
      },
    )
  })

  it('of other people is refused, with names of both', async () => {
    let list = 0
    await assert.rejects(
      read(plainFeatures(), (text) => (list++ === 0 ? text : text.replace(/^\S+/gm, '$&7'))),
      { code: 'GROUND_TRUTH_INVALID', message: /none of the 2 identities .* names Ada7, Zoë7; the gallery has Ada, Zoë/ }, // prettier-ignore
    )
  })

  it('reports how many of its clips exist if there are few', async () => {
    const gone = ['x', 'y', 'z'].map((name) => `${name}.mp4`).join(' ')
    const { warnings } = await read(plainFeatures(), (text) => text.replace('ada-2.mp4', gone))
    assert.equal(warnings.length, 1)
    assert.match(warnings[0]!, /^only 2 of the 5 clips of the ground truth are there: .*3 clips .* not there \(x\.mp4, y\.mp4, z\.mp4\)/) // prettier-ignore
  })

  it('is refused if a name without its extension matches two files, and both are named', () => {
    const names = indexClipNames([['/a/ada.mp4'], ['/a/ada.avi'], ['/a/g.mp4']])
    assert.deepEqual(names.find('ada'), [])
    assert.deepEqual(names.rivals('ada'), ['ada.mp4', 'ada.avi'])
    assert.deepEqual(names.find('g'), [2])
    assert.throws(
      () =>
        createEvaluationSet({
          features: { columns: [{ digest: '', name: '', dimension: 1, embeddings: new Uint16Array(0) }], clipNames: ['ada.mp4', 'ada.avi', 'g.mp4'], trackClips: new Int32Array(0), firstFace: Int32Array.of(0), qualities: new Float32Array(0) }, // prettier-ignore
          paths: [['/a/ada.mp4'], ['/a/ada.avi'], ['/a/g.mp4']],
          gallery: new Map([['1', new Set(['ada'])]]),
        }),
      { code: 'GROUND_TRUTH_INVALID', message: /names "ada", which matches ada\.mp4 and ada\.avi/ },
    )
  })

  const refusals: readonly [name: string, content: Buffer | string, message: RegExp][] = [
    ['columns exchanged on one line', '7 a.mp4 b.mp4\n8 d.mp4\nc.mp4 9\n', /line 3: "c\.mp4" is in the place of the identity.* exchanged/], // prettier-ignore
    ['a name with a blank and no quotes', '7 a.mp4\nColin Powell b.mp4\n', /line 2: "Powell" is in the place of a clip/], // prettier-ignore
    ['a picture', Buffer.from('89504e470d0a1a0a0000000d', 'hex'), /cannot be read: it is not text/],
    ['bytes that are no text', Buffer.from([7, 8, 9, 1, 2]), /control characters/],
    ['text of another encoding', Buffer.from('7 a.mp4\n8 zo\xeb.mp4\n', 'latin1'), /at line 2: it is neither UTF-8/], // prettier-ignore
    ['UTF-32', Buffer.from('fffe000037000000', 'hex'), /UTF-32/],
    ['truncated UTF-16', Buffer.from('fffe370020006100', 'hex').subarray(0, 7), /incomplete/],
    ['truncated gzip', Buffer.from('1f8b0800', 'hex'), /cannot be read/],
  ]
  for (const [name, content, message] of refusals)
    it(`refuses ${name}`, () => {
      const file = join(dir, `refused-${files++}.txt`)
      writeFileSync(file, content)
      assert.throws(() => readGroundTruth(file), { code: 'GROUND_TRUTH_INVALID', message })
    })

  it('without known clips, detects columns by numbers and by repeated values', () => {
    const parse = (text: string) => {
      const file = join(dir, `columns-${files++}.txt`)
      writeFileSync(file, text)
      return Object.fromEntries([...readGroundTruth(file).groundTruth].map(([id, own]) => [id, [...own]]))
    }
    assert.deepEqual(parse('V_1 12\nV_2 7\n'), { 12: ['V_1'], 7: ['V_2'] })
    assert.deepEqual(parse('12 V_1\n7 V_2\n'), { 12: ['V_1'], 7: ['V_2'] })
    assert.deepEqual(parse('x1 ada\nx2 ada\nx3 bob\n'), { ada: ['x1', 'x2'], bob: ['x3'] })
    assert.deepEqual(parse('12 V_1 V_2\n7 V_3\n'), { 12: ['V_1', 'V_2'], 7: ['V_3'] })
  })
})

describe('submissions of the field', () => {
  const truthFile = join(dir, 'submission-truth.txt')
  writeFileSync(truthFile, truthText)
  const { groundTruth } = readGroundTruth(truthFile)
  const submit = (content: Buffer | string) => {
    const file = join(dir, `submission-${files++}.txt`)
    writeFileSync(file, content)
    return readSubmission(file, groundTruth)
  }
  const isAsked = (form: string) => !/identity at the end|a line a clip|heading/.test(form)
  for (const [form, write] of Object.entries(listForms).filter(([form]) => isAsked(form)))
    it(`are read ${form}, with the ground truth's names`, () =>
      assert.deepEqual([...submit(write(truthText))], [...groundTruth].map(([id, own]) => [id, [...own]]))) // prettier-ignore

  it('with exchanged columns are refused with a hint', () =>
    assert.throws(() => submit('ada-1.mp4 Ada\n'), { code: 'SUBMISSION_INVALID', message: /line 1: .*exchanged/ })) // prettier-ignore
})
