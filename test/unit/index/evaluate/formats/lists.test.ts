import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { readPairsList } from '../../../../../index/evaluate/formats/pairs-list.js'
import {
  readMediaList,
  readSubjectTemplates,
  readTemplatePairs,
} from '../../../../../index/evaluate/formats/template-lists.js'
import { CameoError } from '../../../../../pipeline/common/errors.js'
import { temporaryDir } from '../../../../support/cameo.js'

const dir = temporaryDir()
let lists = 0

function list(text: string): string {
  const path = join(dir, `list-${lists++}.txt`)
  writeFileSync(path, text)
  return path
}

const refuses = (read: () => unknown, message: RegExp) =>
  assert.throws(
    read,
    (error) => error instanceof CameoError && error.code === 'LIST_INVALID' && message.test(error.message),
  )

describe('lists of the protocols', () => {
  it("reads LFW's pairs with Windows line ends and no last newline", () => {
    const pairs = readPairsList(list('2\t1\r\nAda\t1\t2\r\nAda\t1\tBob\t3\r\nCem\t4\t5\r\nCem\t1\tDee\t2'))
    const photo = (person: string, number: number) => ({ kind: 'photo', person, number })
    assert.deepEqual(pairs, [
      { fold: 0, first: photo('Ada', 1), second: photo('Ada', 2), isSame: true },
      { fold: 0, first: photo('Ada', 1), second: photo('Bob', 3), isSame: false },
      { fold: 1, first: photo('Cem', 4), second: photo('Cem', 5), isSame: true },
      { fold: 1, first: photo('Cem', 1), second: photo('Dee', 2), isSame: false },
    ])
  })

  it('reports a wrong line of the pairs, and a wrong number of pairs', () => {
    refuses(
      () => readPairsList(list('2 1\nAda 1 2\nAda 1 Bob x\n')),
      /line 3 of .* "Ada 1 Bob x", expected "NAME1/,
    )
    refuses(
      () => readPairsList(list('2 1\nAda 1 2\nAda 1 Bob 3\n')),
      /2 pairs, but its first line says 2 folds/,
    )
    refuses(() => readPairsList(list('Ada 1 2\n')), /line 1 /)
    refuses(() => readPairsList(list('')), /is empty/)
    refuses(() => readPairsList(join(dir, 'none.txt')), /cannot be read/)
  })

  it("reads YTF's splits in the order of the folds, its heading and a column more or not", () => {
    const path = (path: string) => ({ kind: 'path', path })
    const expected = [
      { fold: 0, first: path('A/1'), second: path('A/2'), isSame: true },
      { fold: 1, first: path('A/1'), second: path('B/0'), isSame: false },
    ]
    const heading = 'split number, first name, second name, is same\n'
    assert.deepEqual(readPairsList(list(`${heading}2, A/1, B/0, 0\n1, A/1, A/2, 1\n`)), expected)
    assert.deepEqual(readPairsList(list('1, A/1, A/2, 7, 1\n2, A/1, B/0, 7, 0')), expected)
    refuses(() => readPairsList(list(`${heading}1, A/1, A/2, yes\n`)), /line 2 /)
  })

  it('reads media, pairs and subjects by blanks or commas', () => {
    const media = [
      { name: '1.jpg', templateId: 1, mediumId: 69544 },
      { name: 'b/2.jpg', templateId: 2, mediumId: 7 },
    ]
    assert.deepEqual(readMediaList(list('1.jpg 1 69544\r\n\r\nb/2.jpg 2 7 1\r\n')), media)
    assert.deepEqual(readMediaList(list('1.jpg,1,69544\nb/2.jpg,2,7')), media)
    const { first, second, isSame } = readTemplatePairs(list('1 2 1\n1,3,0'))
    assert.deepEqual([[...first], [...second], [...isSame]], [[1, 1], [2, 3], [1, 0]]) // prettier-ignore
    assert.deepEqual(
      readSubjectTemplates(list('TEMPLATE_ID,SUBJECT_ID,FILENAME\n5,s1,a\n5,s1,b\n6,s2,c\n')),
      [
        { templateId: 5, subject: 's1' },
        { templateId: 6, subject: 's2' },
      ],
    )
  })

  it('reports a wrong line in each of them, counting empty lines', () => {
    refuses(() => readMediaList(list('a.jpg 1 2\n\nb.jpg x 2')), /line 3 /)
    refuses(() => readTemplatePairs(list('1 2 1\n1 2 2')), /line 2 /)
    refuses(() => readSubjectTemplates(list('5 a\n6')), /line 2 /)
    refuses(() => readSubjectTemplates(list('5 a\n5 b')), /line 2 .* expected subject a/)
  })
})
