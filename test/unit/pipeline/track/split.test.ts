import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { seededRandom } from '../../../support/random.js'
import { findSplits, type TimedEmbedding } from '../../../../pipeline/track/split.js'
import { randomUnit, unitNear, type Random } from './scene.js'

/** Embeddings of people by letter, one a second: cosines of about 0.5–0.7 within a person, 0 ± 0.05 across. */
function embeddings(letters: string, random: Random): TimedEmbedding[] {
  const people = new Map<string, Float32Array>()
  return Array.from(letters, (letter, timeS) => {
    // '?' is a face too blurred to be like any other.
    const person = people.get(letter) ?? randomUnit(512, random)
    if (letter !== '?') people.set(letter, person)
    return { timeS, vector: unitNear(person, 0.7 + 0.14 * random(), random) }
  })
}

function indexes(letters: string, seed = 1): number[] {
  return findSplits(embeddings(letters, seededRandom(seed))).map(({ index }) => index)
}

describe('splitting a track by its embeddings', () => {
  it('never cuts a track of one person', () => {
    for (let seed = 0; seed < 300; seed++) assert.deepEqual(indexes('AAAAAAAAAAAA', seed), [])
  })

  it('cuts where one person becomes another, and says between which times', () => {
    for (let seed = 0; seed < 300; seed++) assert.deepEqual(indexes('AAAAABBBB', seed), [5])
    assert.deepEqual(findSplits(embeddings('AABBB', seededRandom(1))), [{ index: 2, afterS: 1, untilS: 2 }])
  })

  it('cuts at every change: A B C and A B A', () => {
    assert.deepEqual(indexes('AAABBCCC'), [3, 5])
    assert.deepEqual(indexes('AAABBAA'), [3, 5])
  })

  it('a lone odd face is no evidence, at either end or within', () => {
    for (const letters of ['AAA?', '?AAA', 'AA?AA', 'AAAB', '??AAA']) assert.deepEqual(indexes(letters), [])
  })

  it('an odd face at the change stays with what precedes it', () => {
    assert.deepEqual(findSplits(embeddings('AA?BB', seededRandom(3))), [{ index: 3, afterS: 1, untilS: 3 }])
  })

  it('does not cut a head that turns: neighbours alike, the ends not', () => {
    // Points along an arc of a great circle: adjacent cosine 0.6, ends −1.
    const turning = [0, 1, 2, 3].map((step) => {
      const angle = step * Math.acos(0.6)
      return { timeS: step, vector: Float32Array.of(Math.cos(angle), Math.sin(angle)) }
    })
    assert.deepEqual(findSplits(turning), [])
  })

  it('needs two embeddings of each', () => {
    assert.deepEqual(indexes('AB'), [])
    assert.deepEqual(indexes('ABB'), [])
    assert.deepEqual(indexes(''), [])
  })
})
