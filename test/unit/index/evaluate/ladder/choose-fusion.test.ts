import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { chooseFusion } from '../../../../../index/evaluate/ladder/choose-fusion.js'

describe('the weights of context', () => {
  it('are the ones that give the highest MAP on val', async () => {
    const best = { weight: 0.2, alone: 0.5, offset: -4 }
    const chosen = await chooseFusion(({ weight, alone, offset }) => {
      if (alone === 0) return Promise.resolve(weight === best.weight ? 0.5 : 0.4)
      return Promise.resolve(alone === best.alone && offset === best.offset ? 0.6 : 0.5)
    })
    assert.deepEqual(chosen, best)
  })

  it('are 0, and clips without a face stay behind, if context does not help', async () => {
    const chosen = await chooseFusion(() => Promise.resolve(0.5))
    assert.deepEqual(chosen, { weight: 0, alone: 0, offset: -Infinity })
  })

  it('for clips without a face are searched only with the best weight, not with all of them', async () => {
    const tried: number[] = []
    await chooseFusion(({ weight, alone }) => {
      if (alone > 0) tried.push(weight)
      return Promise.resolve(weight)
    })
    assert.deepEqual([...new Set(tried)], [0.4])
  })
})
