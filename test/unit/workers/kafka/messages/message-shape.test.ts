import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { encode } from '@msgpack/msgpack'
import { checkShape } from '../../../../../workers/kafka/messages/message-shape.js'

const of = (...bytes: readonly number[]) => Uint8Array.from(bytes)
const lists = (count: number) => new Uint8Array(count).fill(0x91)

describe('the shape of a message', () => {
  it('accepts every kind of value that Cameo writes', () => {
    const numbers = [0, 127, 128, 65_535, 65_536, 2 ** 32, -1, -32, -33, -129, -40_000, -(2 ** 33), 0.5]
    const texts = ['', 'a', 'x'.repeat(32), 'x'.repeat(300), 'ö'.repeat(70_000)]
    const bytes = [0, 300, 70_000].map((length) => new Uint8Array(length))
    for (const value of [
      ...[...numbers, ...texts, ...bytes, null, true, false, [], {}],
      ...[15, 16, 70_000].map((length) => Array.from({ length }, () => null)),
      ...[15, 16, 40_000].map((length) => Object.fromEntries(Array.from({ length }, (_, i) => [i, [i]]))),
    ])
      checkShape(encode(value))
    checkShape(of(0xca, 0, 0, 0, 0))
  })

  it('refuses a value that states too large a length, without taking memory', () => {
    for (const value of [
      of(),
      of(0x92, 1),
      of(0x81, 1),
      of(0xa2, 0x41),
      of(0xc4, 2, 1),
      of(0xcf, 1),
      of(0xdd, 0xff, 0xff, 0xff),
      of(0xdd, 0xff, 0xff, 0xff, 0xff, 1, 2),
      of(0xdf, 0x7f, 0xff, 0xff, 0xff, 1, 2),
      of(0xdb, 0xff, 0xff, 0xff, 0xff, 1),
      of(0x92, 0xdc, 0, 2, 1, 1),
    ])
      assert.throws(() => checkShape(value), /cut off|greater than its actual length/, value.join(' '))
  })

  it('refuses a value that is too deep, has too many values, continues after its end or has an unknown kind', () => {
    for (const [value, said] of [
      [Buffer.concat([lists(15), of(1)]), undefined],
      [Buffer.concat([lists(17), of(1)]), /more than 16 deep/],
      [Buffer.concat([lists(500_000), of(1)]), /more than 16 deep/],
      [encode(Array.from({ length: 140_000 }, () => 1)), /more than 131072 values/],
      [of(1, 2), /after 1 of 2 bytes/],
      [of(0xc1), /0xc1/],
      [of(0xd6, 0xff, 0, 0, 0, 0), /0xd6/],
    ] as const)
      if (said === undefined) checkShape(value)
      else assert.throws(() => checkShape(value), said)
  })
})
