import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { readClipPickle, type PickledClip } from '../../../../../index/evaluate/formats/clip-pickle.js'
import { decodeFloat16 } from '../../../../../pipeline/data/float16.js'
import { CameoError } from '../../../../../pipeline/common/errors.js'
import { temporaryDir } from '../../../../support/cameo.js'
import { writePickle, type Picklable } from '../../../../support/pickle.js'

const dir = temporaryDir()
let files = 0

function read(bytes: Buffer): PickledClip[] {
  const path = join(dir, `features-${files++}.pickle`)
  writeFileSync(path, bytes)
  return [...readClipPickle(path)]
}

const refuses = (bytes: Buffer, message: RegExp) =>
  assert.throws(
    () => read(bytes),
    (error) =>
      error instanceof CameoError && error.code === 'FEATURES_INVALID' && message.test(error.message),
  )

/** Python 3.11 with NumPy 2.4: {b'IQIYI_A': [[3, [1.5, 2.5, 30.5, 40.5], .99, 55.5, f16[1, 1.5, 2, 2.5]],
 *  [6, [2, 3, 30, 40], .5, -10., f16[2, 2.5, 3, 3.5]]], b'IQIYI_B': []} */
const plain: Record<string, string> = {
  'protocol 2':
    'gAJ9cQAoY19jb2RlY3MKZW5jb2RlCnEBWAcAAABJUUlZSV9BcQJYBgAAAGxhdGluMXEDhnEEUnEFXXEGKF1xByhLA11xCChHP/gAAAAAAABHQAQAAAAAAABHQD6AAAAAAABHQERAAAAAAABlRz/vrhR64UeuR0BLwAAAAAAAY251bXB5Ll9jb3JlLm11bHRpYXJyYXkKX3JlY29uc3RydWN0CnEJY251bXB5Cm5kYXJyYXkKcQpLAIVxC2gBWAEAAABicQxoA4ZxDVJxDodxD1JxEChLAUsEhXERY251bXB5CmR0eXBlCnESWAIAAABmMnETiYiHcRRScRUoSwNYAQAAADxxFk5OTkr/////Sv////9LAHRxF2KJaAFYCAAAAAA8AD4AQABBcRhoA4ZxGVJxGnRxG2JlXXEcKEsGXXEdKEsCSwNLHksoZUc/4AAAAAAAAEfAJAAAAAAAAGgJaApLAIVxHmgOh3EfUnEgKEsBSwSFcSFoFYloAVgIAAAAAEAAQQBCAENxImgDhnEjUnEkdHElYmVlaAFYBwAAAElRSVlJX0JxJmgDhnEnUnEoXXEpdS4=',
  'protocol 3':
    'gAN9cQAoQwdJUUlZSV9BcQFdcQIoXXEDKEsDXXEEKEc/+AAAAAAAAEdABAAAAAAAAEdAPoAAAAAAAEdAREAAAAAAAGVHP++uFHrhR65HQEvAAAAAAABjbnVtcHkuX2NvcmUubXVsdGlhcnJheQpfcmVjb25zdHJ1Y3QKcQVjbnVtcHkKbmRhcnJheQpxBksAhXEHQwFicQiHcQlScQooSwFLBIVxC2NudW1weQpkdHlwZQpxDFgCAAAAZjJxDYmIh3EOUnEPKEsDWAEAAAA8cRBOTk5K/////0r/////SwB0cRFiiUMIADwAPgBAAEFxEnRxE2JlXXEUKEsGXXEVKEsCSwNLHksoZUc/4AAAAAAAAEfAJAAAAAAAAGgFaAZLAIVxFmgIh3EXUnEYKEsBSwSFcRloD4lDCABAAEEAQgBDcRp0cRtiZWVDB0lRSVlJX0JxHF1xHXUu',
  'protocol 4':
    'gASVOQEAAAAAAAB9lChDB0lRSVlJX0GUXZQoXZQoSwNdlChHP/gAAAAAAABHQAQAAAAAAABHQD6AAAAAAABHQERAAAAAAABlRz/vrhR64UeuR0BLwAAAAAAAjBZudW1weS5fY29yZS5tdWx0aWFycmF5lIwMX3JlY29uc3RydWN0lJOUjAVudW1weZSMB25kYXJyYXmUk5RLAIWUQwFilIeUUpQoSwFLBIWUaAiMBWR0eXBllJOUjAJmMpSJiIeUUpQoSwOMATyUTk5OSv////9K/////0sAdJRiiUMIADwAPgBAAEGUdJRiZV2UKEsGXZQoSwJLA0seSyhlRz/gAAAAAAAAR8AkAAAAAAAAaAdoCksAhZRoDIeUUpQoSwFLBIWUaBSJQwgAQABBAEIAQ5R0lGJlZUMHSVFJWUlfQpRdlHUu',
}

/** The same Python: one face as NumPy scalars and an array for its box; the dict has one entry, so SETITEM. */
const scalars: Record<string, string> = {
  'protocol 2':
    'gAJ9cQBjX2NvZGVjcwplbmNvZGUKcQFYBwAAAElRSVlJX0FxAlgGAAAAbGF0aW4xcQOGcQRScQVdcQZdcQcoY251bXB5Ll9jb3JlLm11bHRpYXJyYXkKc2NhbGFyCnEIY251bXB5CmR0eXBlCnEJWAIAAABpOHEKiYiHcQtScQwoSwNYAQAAADxxDU5OTkr/////Sv////9LAHRxDmJoAVgIAAAAAwAAAAAAAABxD2gDhnEQUnERhnESUnETY251bXB5Ll9jb3JlLm11bHRpYXJyYXkKX3JlY29uc3RydWN0CnEUY251bXB5Cm5kYXJyYXkKcRVLAIVxFmgBWAEAAABicRdoA4ZxGFJxGYdxGlJxGyhLAUsEhXEcaAlYAgAAAGY0cR2JiIdxHlJxHyhLA2gNTk5OSv////9K/////0sAdHEgYoloAVgSAAAAAADDgD8AACBAAADDtEEAACJCcSFoA4ZxIlJxI3RxJGJoCGgfaAFYBQAAAMKkcH0/cSVoA4ZxJlJxJ4ZxKFJxKWgIaAlYAgAAAGY4cSqJiIdxK1JxLChLA2gNTk5OSv////9K/////0sAdHEtYmgBWAkAAAAAAAAAAMOAS0BxLmgDhnEvUnEwhnExUnEyaBRoFUsAhXEzaBmHcTRScTUoSwFLBIVxNmgJWAIAAABmMnE3iYiHcThScTkoSwNoDU5OTkr/////Sv////9LAHRxOmKJaAFYCAAAAAA8AD4AQABBcTtoA4ZxPFJxPXRxPmJlYXMu',
  'protocol 4':
    'gASVeQEAAAAAAAB9lEMHSVFJWUlfQZRdlF2UKIwWbnVtcHkuX2NvcmUubXVsdGlhcnJheZSMBnNjYWxhcpSTlIwFbnVtcHmUjAVkdHlwZZSTlIwCaTiUiYiHlFKUKEsDjAE8lE5OTkr/////Sv////9LAHSUYkMIAwAAAAAAAACUhpRSlGgEjAxfcmVjb25zdHJ1Y3SUk5RoB4wHbmRhcnJheZSTlEsAhZRDAWKUh5RSlChLAUsEhZRoCYwCZjSUiYiHlFKUKEsDaA1OTk5K/////0r/////SwB0lGKJQxAAAMA/AAAgQAAA9EEAACJClHSUYmgGaB1DBKRwfT+UhpRSlGgGaAmMAmY4lImIh5RSlChLA2gNTk5OSv////9K/////0sAdJRiQwgAAAAAAMBLQJSGlFKUaBNoFUsAhZRoF4eUUpQoSwFLBIWUaAmMAmYylImIh5RSlChLA2gNTk5OSv////9K/////0sAdJRiiUMIADwAPgBAAEGUdJRiZWFzLg==',
}

const halfOne = 0x3c00

const face = (frame: number, embedding = Uint16Array.of(halfOne, 0)): Picklable => [
  frame,
  [1, 2.5, 30, 40],
  0.9,
  50.5,
  { halves: embedding },
]

describe('a pickle of clip features', () => {
  for (const [protocol, base64] of Object.entries(plain))
    it(`reads what Python and NumPy wrote with ${protocol}`, () => {
      const clips = read(Buffer.from(base64, 'base64'))
      assert.deepEqual(
        clips.map(({ name }) => name),
        ['IQIYI_A', 'IQIYI_B'],
      )
      const rows = clips[0]!.faces.map(({ embedding, ...rest }) => ({
        ...rest,
        embedding: [...decodeFloat16(embedding)],
      }))
      assert.deepEqual(rows, [
        { frame: 3, boxXyxyPx: [1.5, 2.5, 30.5, 40.5], detectionScore: 0.99, quality: 55.5, embedding: [1, 1.5, 2, 2.5] }, // prettier-ignore
        {
          frame: 6,
          boxXyxyPx: [2, 3, 30, 40],
          detectionScore: 0.5,
          quality: -10,
          embedding: [2, 2.5, 3, 3.5],
        },
      ])
      assert.deepEqual(clips[1]!.faces, [])
    })

  for (const [protocol, base64] of Object.entries(scalars))
    it(`reads NumPy scalars in place of numbers, ${protocol}`, () => {
      const [clip, ...more] = read(Buffer.from(base64, 'base64'))
      assert.equal(more.length, 0)
      const [only] = clip!.faces
      assert.equal(only!.frame, 3)
      assert.deepEqual(only!.boxXyxyPx, [1.5, 2.5, 30.5, 40.5])
      assert.equal(only!.detectionScore, Math.fround(0.99))
      assert.equal(only!.quality, 55.5)
    })

  for (const protocol of [2, 3, 4] as const)
    it(`returns a clip before the next one is read, protocol ${protocol}`, () => {
      const path = join(dir, `streamed-${protocol}.pickle`)
      const large = new Uint16Array(600_000).fill(halfOne)
      const entries = Array.from(
        { length: 5 },
        (_, i) => [Buffer.from(`clip${i}`), [face(0, large), face(1, large)]] as const,
      )
      const bytes = writePickle(protocol, entries)
      writeFileSync(path, bytes)
      const seen: number[] = []
      const clips = readClipPickle(path, { onBytes: (at) => seen.push(at) })
      const first = clips.next()
      assert.ok(first.done !== true)
      assert.equal(first.value.name, 'clip0')
      assert.equal(seen.length, 1)
      assert.ok(seen[0]! < bytes.length / 4, `byte ${seen[0]} of ${bytes.length}`)
      assert.equal([...clips].length, 4)
    })

  it('reads dicts and lists longer than the thousand of a batch, one clip with a single face among them', () => {
    const entries = Array.from({ length: 2001 }, (_, i) => {
      const faces = i === 7 ? 1001 : i % 50 === 0 ? 1 : 0
      return [Buffer.from(`c${i}`), Array.from({ length: faces }, (_, f) => face(f))] as const
    })
    for (const protocol of [2, 3, 4] as const) {
      const clips = read(writePickle(protocol, entries))
      assert.deepEqual(
        clips.map(({ name, faces }) => [name, faces.length]),
        entries.map(([name, faces]) => [name.toString(), faces.length]),
      )
      assert.equal(clips[7]!.faces.at(-1)!.frame, 1000)
    }
  })

  it('refuses a name outside its list, by name, and does not run it', () => {
    const system = Buffer.from('cposix\nsystem\nX\x04\x00\x00\x00true\x85R', 'latin1')
    refuses(
      writePickle(3, [
        [Buffer.from('good'), []],
        [Buffer.from('bad'), { raw: system }],
      ]),
      /posix\.system/,
    )
    // Protocol 4 names by strings on the stack.
    const stacked = Buffer.from('\x8c\x08builtins\x8c\x04eval\x93', 'latin1')
    refuses(writePickle(4, [[Buffer.from('bad'), { raw: stacked }]]), /builtins\.eval/)
  })

  it('refuses opcodes that make objects', () => {
    for (const [opcode, name] of [
      ['\x81', 'NEWOBJ'],
      ['\x92', 'NEWOBJ_EX'],
      ['Q', 'BINPERSID'],
    ] as const)
      refuses(
        writePickle(4, [[Buffer.from('bad'), { raw: Buffer.from(`N)${opcode}`, 'latin1') }]]),
        new RegExp(`with ${name}:`),
      )
  })

  it('reports file, byte and number of clips for a file that is truncated at any byte', () => {
    const whole = writePickle(3, [
      [Buffer.from('a'), [face(1)]],
      [Buffer.from('b'), [face(2), face(3)]],
      [Buffer.from('c'), [face(4)]],
    ])
    for (let length = 0; length < whole.length; length += 7)
      refuses(
        whole.subarray(0, length),
        /features-\d+\.pickle .* at byte \d+, after [0-3] clips?: the file ends/,
      )
    refuses(whole.subarray(0, whole.length - 2), /after 2 clips/)
  })

  it('does not allocate memory for a length that exceeds the file', () => {
    const lying = Buffer.from([0x80, 4, 0x7d, 0x8e, 0, 0, 0, 0, 0, 0, 0x0f, 0])
    refuses(lying, /the file ends after 12 bytes/)
  })

  it('refuses a feature that is not finite, and names the clip', () => {
    refuses(
      writePickle(3, [[Buffer.from('nan-clip'), [face(0, Uint16Array.of(halfOne, 0x7e00))]]]),
      /nan-clip/,
    )
    refuses(writePickle(3, [[Buffer.from('inf-clip'), [face(0, Uint16Array.of(0xfc00))]]]), /inf-clip/)
  })

  it('refuses a row with columns missing, a dict of something else and other files', () => {
    refuses(
      writePickle(3, [[Buffer.from('x'), [[1, [1, 2, 3, 4], 0.5]]]]),
      /face 1 of the clip x has not the five/,
    )
    refuses(writePickle(3, [[Buffer.from('x'), 5]]), /the clip x has no list/)
    refuses(Buffer.from('PK\x03\x04 a zip'), /not a Python pickle/)
    refuses(Buffer.from([0x80, 3, 0x5d, 0x2e]), /not a dict/)
  })

  it('reports a list that is shared between clips, because it is not kept', () => {
    // Value 2 is the list of the first clip: 0 the dict, 1 the first key.
    const entries = [
      [Buffer.from('a'), [face(1)]],
      [Buffer.from('b'), []],
      [Buffer.from('c'), { raw: Buffer.from('h\x02', 'latin1') }],
    ] as const
    refuses(writePickle(3, entries), /refers back to value 2, a list or array shared between clips/)
  })
})
