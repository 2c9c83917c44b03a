import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { agreementOf, bySource } from '../../../../index/identities/enrolment-agreement.js'
import { encodeFloat16 } from '../../../../pipeline/data/float16.js'
import { CameoError } from '../../../../pipeline/common/errors.js'
import { checkAgreement } from '../../../../index/identities/check-enrolment.js'

/** A face at an angle in degrees. The similarity of two faces is the cosine of the angle between them. */
const face = (source: string, degrees: number) => {
  const angle = (degrees * Math.PI) / 180
  return {
    ...{ source, quality: 0.5 },
    float16: encodeFloat16(Float32Array.of(Math.cos(angle), Math.sin(angle))),
  }
}
const agree = (...faces: ReturnType<typeof face>[]) => agreementOf(bySource(faces), 2, 0.5)
const disagreeing = (...faces: ReturnType<typeof face>[]) =>
  agree(...faces)
    .filter(({ disagrees }) => disagrees)
    .map(({ source }) => source)

describe('the agreement of a name’s files', () => {
  it('reports the one file of another person', () => {
    assert.deepEqual(disagreeing(face('a', 0), face('b', 30), face('c', 90)), ['c'])
    assert.deepEqual(disagreeing(face('a', 0), face('b', 30), face('c', -20)), [])
  })

  it('reports both of two files that differ, because either may be wrong', () => {
    assert.deepEqual(disagreeing(face('a', 0), face('b', 90)), ['a', 'b'])
    assert.deepEqual(disagreeing(face('a', 0)), [])
  })

  it('treats the faces of one clip as one file', () => {
    const clip = [0, 10, 20, 30].map((degrees) => face('clip', degrees))
    const [ofClip, ofPhoto] = agree(...clip, face('photo', 15))
    assert.deepEqual([ofClip?.others, ofPhoto?.others], [1, 1])
    assert.ok((ofPhoto?.similarity ?? 0) > 0.999)
  })

  it('consists of the mean cosine similarity and the number of files that reach the threshold', () => {
    const [first] = agree(face('a', 0), face('b', 60), face('c', 61))
    const mean = (Math.cos(Math.PI / 3) + Math.cos((61 * Math.PI) / 180)) / 2
    assert.ok(Math.abs((first?.similarity ?? 0) - mean) < 1e-3)
    assert.equal(agree(face('a', 0), face('b', 59), face('c', 61))[0]?.matches, 1)
  })
})

describe('an enrolment', () => {
  const given = (source: string, degrees: number) => {
    const { float16, quality } = face(source, degrees)
    return { source, quality, embedding: { float16, norm: 1 } }
  }
  const enrolled = (source: string, degrees: number, number: number) => ({
    ...face(source, degrees),
    number,
    pictureId: null,
  })
  const check = (
    known: readonly ReturnType<typeof enrolled>[],
    fresh: readonly ReturnType<typeof given>[],
    force = false,
  ) =>
    checkAgreement({ name: 'Ada', enrolled: known, given: fresh, dimension: 2, threshold: 0.5 }, force).map(
      ({ source }) => source,
    )
  const isRefused =
    (...said: readonly string[]) =>
    (error: unknown) =>
      error instanceof CameoError &&
      error.code === 'FACES_DISAGREE' &&
      said.every((text) => error.message.includes(text))

  it('is refused if most photos differ, with the similarity of each to the others', () => {
    assert.throws(
      () => check([], [given('a', 0), given('b', 90)]),
      isRefused('  a: 0 of 1 reached, 0.00 on average', '  b: 0 of 1'),
    )
    assert.throws(
      () => check([enrolled('x', 0, 1), enrolled('y', 5, 2)], [given('b', 90)]),
      isRefused('  b: 0 of 2'),
    )
    assert.deepEqual(check([], [given('a', 0), given('b', 90)], true), ['a', 'b'])
  })

  it('reports one photo that differs', () => {
    assert.deepEqual(check([], [given('a', 0), given('b', 90), given('c', 9)]), ['b'])
  })

  it('reports an enrolled face that the new ones contradict', () => {
    assert.deepEqual(check([enrolled('x', 90, 1)], [given('a', 0), given('c', 9)]), ['x'])
  })

  it('compares with the faces that stay, not with those that it replaces', () => {
    assert.deepEqual(check([enrolled('a', 90, 1)], [given('a', 0)]), [])
  })
})
