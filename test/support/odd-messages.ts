import { decode, encode } from '@msgpack/msgpack'

/** Numbers from 0 to 1, from `seededRandom`. */
type Random = () => number

type Container = Record<string, unknown> | unknown[]

const isContainer = (value: unknown): value is Container =>
  typeof value === 'object' && value !== null && !(value instanceof Uint8Array)

const pick = <T>(random: Random, items: readonly [T, ...T[]]): T =>
  items[Math.floor(random() * items.length)] ?? items[0]

const nested = (depth: number): unknown => Array.from({ length: depth }).reduce((inner) => [inner], 0)

/** Values that no schema expects in any field. */
const oddValues = (random: Random): (() => unknown)[] => [
  () =>
    pick(random, [1e9, 1e10, 2 ** 31, 2 ** 53, 2 ** 64, 1e308, -1, -1e9, -(2 ** 53), 0.5, -0.5, 0, 5e-324]),
  () => pick(random, [NaN, Infinity, -Infinity]),
  () => pick(random, [null, true, false, '', '1', 'NaN', '\0', '__proto__', '\ud800', '../../etc/passwd']),
  () => 'x'.repeat(pick(random, [257, 20_000, 400_000])),
  () => nested(pick(random, [3, 17, 90])),
  () => {
    const element = pick<() => unknown>(random, [() => 0, () => null, () => 'a', () => []])
    return Array.from({ length: pick(random, [1, 300, 50_000]) }, element)
  },
  () => new Uint8Array(pick(random, [0, 1, 3, 40_000])).fill(0xff),
  () => JSON.parse('{"__proto__":{"v":1},"constructor":{"prototype":1},"toString":1}') as unknown,
  () => ({ length: 1e9, then: 1, toJSON: 1 }),
]

function containersOf(value: unknown): Container[] {
  if (!isContainer(value)) return []
  return [value, ...Object.values(value).flatMap(containersOf)]
}

/** The same message with one to three of its fields changed, removed or added. */
function withOddFields(random: Random, message: Uint8Array): Uint8Array {
  const content = decode(message)
  for (let changes = pick(random, [1, 1, 2, 3]); changes > 0; changes--) {
    const [first, ...more] = containersOf(content)
    if (first === undefined) break
    const container = pick(random, [first, ...more])
    const [key, ...otherKeys] = Object.keys(container)
    const change = random()
    const name =
      key === undefined || change < 0.1
        ? pick(random, ['constructor', 'toString', 'extra', '0'])
        : pick(random, [key, ...otherKeys])
    const odd = pick(random, [() => undefined, ...oddValues(random)])
    if (change > 0.9) Reflect.deleteProperty(container, name)
    else Object.defineProperty(container, name, { value: odd(), enumerable: true, configurable: true })
  }
  return encode(content, { maxDepth: 1000 })
}

/** First bytes of lists, maps, texts and bytes with a huge stated length. */
const boasts = [0xdd, 0xdf, 0xdb, 0xc6].map((head) => Buffer.from([head, 0xff, 0xff, 0xff, 0xff]))

function withOddBytes(random: Random, message: Uint8Array): Uint8Array {
  const bytes = Buffer.from(message)
  const at = () => Math.floor(random() * bytes.length)
  const [boast = bytes] = [pick(random, [boasts[0], ...boasts])]
  switch (Math.floor(random() * 7)) {
    case 0:
      for (let flips = 1 + Math.floor(random() * 8); flips > 0; flips--) {
        const byte = at()
        bytes[byte] = (bytes[byte] ?? 0) ^ (1 << Math.floor(random() * 8))
      }
      return bytes
    case 1:
      return bytes.subarray(0, at())
    case 2:
      return Buffer.concat([bytes, bytes.subarray(at())])
    case 3:
      return Uint8Array.from({ length: Math.floor(random() * 300) }, () => Math.floor(random() * 256))
    case 4:
      // Lists of one element, nested in each other.
      return Buffer.concat([Buffer.alloc(pick(random, [20, 1000, 500_000]), 0x91), bytes])
    case 5: {
      const place = at()
      return Buffer.concat([bytes.subarray(0, place), boast, bytes.subarray(place)])
    }
    default:
      return Buffer.concat(Array.from({ length: 1 + Math.floor(random() * 2000) }, () => boast))
  }
}

/** A message that is damaged or malicious. */
export const oddMessage = (random: Random, message: Uint8Array): Uint8Array =>
  random() < 0.6 ? withOddFields(random, message) : withOddBytes(random, message)
