import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { seededRandom } from '../../../support/random.js'
import type { BoxXyxyPx } from '../../../../pipeline/data/geometry.js'
import {
  boxOfMotion,
  centreNoise,
  correctAxis,
  correctMotion,
  predictAxis,
  predictMotion,
  sizePx,
  startAxis,
  startMotion,
  velocityHorizonS,
} from '../../../../pipeline/track/kalman.js'
import { normal } from './scene.js'

const boxAt = (x: number, y: number, size: number): BoxXyxyPx => [
  x - size / 2,
  y - size / 2,
  x + size / 2,
  y + size / 2,
]

describe('one axis', () => {
  it('learns the velocity of a constant motion from uneven time steps', () => {
    const random = seededRandom(1)
    let belief = startAxis(0, centreNoise)
    let timeS = 0
    for (let step = 0; step < 60; step++) {
      const dtS = 0.1 + 0.6 * random()
      timeS += dtS
      belief = correctAxis(predictAxis(belief, dtS, centreNoise), 3 * timeS, centreNoise)
    }
    assert.ok(Math.abs(belief.velocity - 3) < 0.01)
    assert.ok(Math.abs(predictAxis(belief, 1, centreNoise).position - 3 * (timeS + 1)) < 0.02)
  })

  it('agrees with the batch estimate: without drift it is the least-squares line with a Gaussian prior', () => {
    const noise = { measured: 0.5, initialVelocity: 2, velocityDrift: 0 }
    const times = [0, 0.4, 0.5, 1.3, 2.2]
    const values = [1, 1.9, 1.2, 3.1, 5.4]
    let belief = startAxis(values[0]!, noise)
    for (let i = 1; i < times.length; i++) {
      belief = correctAxis(predictAxis(belief, times[i]! - times[i - 1]!, noise), values[i]!, noise)
    }
    // Normal equations for (position at 0, velocity): Σ [1 t; t t²]/r² + diag(0, 1/σᵥ²).
    const precision = 1 / noise.measured ** 2
    const sum = (f: (t: number, z: number) => number): number =>
      times.reduce((total, t, i) => total + f(t, values[i]!) * precision, 0)
    const [a, b, c] = [sum(() => 1), sum((t) => t), sum((t) => t * t) + 1 / noise.initialVelocity ** 2]
    const [p, q] = [sum((_t, z) => z), sum((t, z) => t * z)]
    const velocity = (a * q - b * p) / (a * c - b * b)
    const start = (c * p - b * q) / (a * c - b * b)
    assert.ok(Math.abs(belief.velocity - velocity) < 1e-9)
    assert.ok(Math.abs(belief.position - (start + velocity * times.at(-1)!)) < 1e-9)
  })

  it('predicts the same in one step as in many', () => {
    const belief = correctAxis(predictAxis(startAxis(5, centreNoise), 0.3, centreNoise), 6, centreNoise)
    let stepped = belief
    for (let i = 0; i < 10; i++) stepped = predictAxis(stepped, 0.1, centreNoise)
    const direct = predictAxis(belief, 1, centreNoise)
    assert.ok(Math.abs(stepped.position - direct.position) < 1e-12)
    assert.ok(Math.abs(stepped.varPosition - direct.varPosition) < 1e-12)
    assert.ok(Math.abs(stepped.varVelocity - direct.varVelocity) < 1e-12)
  })

  it('has errors as large as it believes: for a random walk in velocity, the normalised squared error averages 1', () => {
    const random = seededRandom(2)
    let total = 0
    const runs = 2000
    for (let run = 0; run < runs; run++) {
      let velocity = centreNoise.initialVelocity * normal(random)
      let position = 0
      let belief = startAxis(position + centreNoise.measured * normal(random), centreNoise)
      for (let step = 0; step < 8; step++) {
        for (let small = 0; small < 25; small++) {
          position += velocity * 0.01
          velocity += centreNoise.velocityDrift * Math.sqrt(0.01) * normal(random)
        }
        belief = predictAxis(belief, 0.25, centreNoise)
        if (step < 7) {
          belief = correctAxis(belief, position + centreNoise.measured * normal(random), centreNoise)
        }
      }
      total += (belief.position - position) ** 2 / belief.varPosition / runs
    }
    assert.ok(Math.abs(total - 1) < 0.12, `${total}`)
  })

  it('holds the position and forgets the velocity beyond the horizon', () => {
    let belief = startAxis(0, centreNoise)
    for (let i = 1; i < 9; i++) belief = correctAxis(predictAxis(belief, 0.25, centreNoise), i, centreNoise)
    const later = predictAxis(belief, velocityHorizonS + 1, centreNoise)
    assert.equal(later.position, belief.position)
    assert.equal(later.velocity, 0)
    assert.ok(later.varPosition > predictAxis(belief, velocityHorizonS, centreNoise).varPosition)
  })
})

describe('a face', () => {
  it('is predicted correctly under constant motion and growth', () => {
    const truth = (timeS: number): BoxXyxyPx =>
      boxAt(300 + 120 * timeS, 200 - 30 * timeS, 60 * Math.exp(0.1 * timeS))
    let motion = startMotion(truth(0))
    for (let k = 1; k <= 20; k++) motion = correctMotion(predictMotion(motion, 0.25), truth(k / 4))
    const predicted = boxOfMotion(predictMotion(motion, 0.5))
    for (const [i, edge] of truth(5.5).entries()) assert.ok(Math.abs(predicted[i]! - edge) < 2)
  })

  it('is the same at any scale: a picture twice as large gives boxes twice as large', () => {
    const run = (scale: number): BoxXyxyPx => {
      const random = seededRandom(3)
      let motion = startMotion(boxAt(100 * scale, 80 * scale, 40 * scale))
      for (let k = 1; k < 10; k++) {
        const box = boxAt((100 + 9 * k + normal(random)) * scale, 80 * scale, (40 + normal(random)) * scale)
        motion = correctMotion(predictMotion(motion, 0.25), box)
      }
      return boxOfMotion(predictMotion(motion, 0.25))
    }
    for (const [i, edge] of run(2).entries()) assert.ok(Math.abs(edge - 2 * run(1)[i]!) < 1e-9)
  })

  it('starts with its first box', () => {
    const motion = startMotion([10, 20, 50, 80])
    assert.ok(Math.abs(sizePx(motion) - Math.sqrt(40 * 60)) < 1e-9)
    for (const [i, edge] of boxOfMotion(motion).entries()) {
      assert.ok(Math.abs(edge - [10, 20, 50, 80][i]!) < 1e-9)
    }
  })
})
