import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import {
  placeOf,
  tracksAt,
  trackPlaceSchema,
  type PlacedCandidate,
} from '../../../../index/identities/track-place.js'
import type { BoxXyxyPx } from '../../../../pipeline/data/geometry.js'

const left: BoxXyxyPx = [10, 20, 110, 120]
const right: BoxXyxyPx = [400, 20, 500, 120]

const track = (parts: Partial<PlacedCandidate> & { readonly box?: BoxXyxyPx; readonly timeS?: number }) => {
  const { box = left, timeS = 1, ...rest } = parts
  return {
    ...{ recipe: 'old', segment: 0, number: 0, spansS: [[0, 4]] as const },
    faces: () => [{ timeS, boxXyxyPx: box }],
    ...rest,
  }
}

describe('the place of a track', () => {
  it('finds the track of the same recipe by segment and number', () => {
    const tracks = [track({ number: 0 }), track({ number: 1 }), track({ segment: 1, number: 1 })]
    assert.deepEqual(tracksAt(placeOf(track({ number: 1 })), tracks), [tracks[1]])
    assert.deepEqual(tracksAt(placeOf(track({ number: 7 })), tracks), [])
  })

  it('finds the track of another recipe by where the face was, not by its number or its length', () => {
    const tracks = [
      track({ recipe: 'new', number: 0, spansS: [[0, 4]], box: right }),
      track({ recipe: 'new', number: 1, spansS: [[0.5, 2]], box: [14, 22, 116, 125], timeS: 1.25 }),
    ]
    assert.deepEqual(tracksAt(placeOf(track({ number: 0 })), tracks), [tracks[1]])
  })

  it('if no faces are near in time, takes the track that is seen longest at the same times', () => {
    const tracks = [
      track({ recipe: 'new', number: 0, spansS: [[3, 9]], timeS: 8 }),
      track({ recipe: 'new', number: 1, spansS: [[1, 3]], timeS: 2.9 }),
      track({ recipe: 'new', number: 2, spansS: [[20, 29]], timeS: 25 }),
    ]
    assert.deepEqual(tracksAt(placeOf(track({ timeS: 0 })), tracks), [tracks[1]])
  })

  it('finds nothing where others are seen, or nobody', () => {
    const place = placeOf(track({}))
    assert.deepEqual(tracksAt(place, [track({ recipe: 'new', box: right })]), [])
    assert.deepEqual(tracksAt(place, [track({ recipe: 'new', spansS: [[9, 12]], timeS: 10 })]), [])
    assert.deepEqual(tracksAt(place, []), [])
  })

  it('while a clip is processed again, finds the track of each recipe', () => {
    const tracks = [track({}), track({ recipe: 'new', number: 3 }), track({ recipe: 'new', box: right })]
    assert.deepEqual(tracksAt(placeOf(track({})), tracks), [tracks[0], tracks[1]])
  })

  it('is bounded, and can be stored', () => {
    const faces = Array.from({ length: 60 }, (_, i) => ({ timeS: i, boxXyxyPx: left }))
    const spansS = Array.from({ length: 1000 }, (_, i) => [i, i + 0.5] as const)
    const place = placeOf({ ...track({ spansS }), faces: () => faces })
    const text = JSON.stringify(place)
    assert.ok(text.length < 8000, `${text.length} characters`)
    assert.deepEqual(trackPlaceSchema.parse(JSON.parse(text)), place)
  })
})
