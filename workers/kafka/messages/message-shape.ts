/**
 * Depth of nested values. The deepest value of a Cameo message is a number of a box of a face of a track, 8
 * deep.
 */
const maxDepth = 16

/** Number of values in a message. A message of 512 KB with the shortest vectors has 60,000. */
const maxValues = 1 << 17

/**
 * First bytes of a value (github.com/msgpack/msgpack/blob/master/spec.md) that are followed by a length or
 * count, and the bytes of that number.
 */
const sized = new Map<number, { readonly kind: 'bytes' | 'list' | 'map'; readonly lengthBytes: 1 | 2 | 4 }>([
  [0xc4, { kind: 'bytes', lengthBytes: 1 }],
  [0xc5, { kind: 'bytes', lengthBytes: 2 }],
  [0xc6, { kind: 'bytes', lengthBytes: 4 }],
  [0xd9, { kind: 'bytes', lengthBytes: 1 }],
  [0xda, { kind: 'bytes', lengthBytes: 2 }],
  [0xdb, { kind: 'bytes', lengthBytes: 4 }],
  [0xdc, { kind: 'list', lengthBytes: 2 }],
  [0xdd, { kind: 'list', lengthBytes: 4 }],
  [0xde, { kind: 'map', lengthBytes: 2 }],
  [0xdf, { kind: 'map', lengthBytes: 4 }],
])

/** Bytes after the first byte, for numbers, nil, false and true. */
const fixed = new Map([
  [0xc0, 0],
  [0xc2, 0],
  [0xc3, 0],
  [0xca, 4],
  [0xcb, 8],
  ...[0xcc, 0xd0].map((head) => [head, 1] as const),
  ...[0xcd, 0xd1].map((head) => [head, 2] as const),
  ...[0xce, 0xd2].map((head) => [head, 4] as const),
  ...[0xcf, 0xd3].map((head) => [head, 8] as const),
])

/** A value as its header describes it: bytes after the header, and values inside it. */
interface Value {
  readonly headerBytes: number
  readonly payloadBytes: number
  readonly children: number
}

/**
 * Checks a MessagePack value without decoding it. Otherwise a header could make the decoder allocate memory
 * for data that does not exist: a few bytes can announce nested lists of millions of values.
 * @throws Error that says what is wrong
 */
export function checkShape(bytes: Uint8Array): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  /** Number of values still to come in each open list and map. */
  const open = [1]
  let missing = 1
  let at = 0
  for (let values = 0; missing > 0; values++) {
    if (values === maxValues) throw new Error(`it has more than ${maxValues} values`)
    if (at >= bytes.length) throw new Error('it is cut off')
    const { headerBytes, payloadBytes, children } = valueAt(view, at)
    at += headerBytes + payloadBytes
    missing += children - 1
    // Each value takes at least one byte.
    if (missing > bytes.length - at) throw new Error('it states a length greater than its actual length')
    open.push((open.pop() ?? 0) - 1)
    if (children > 0) open.push(children)
    while (open.at(-1) === 0) open.pop()
    if (open.length > maxDepth) throw new Error(`its values are nested more than ${maxDepth} deep`)
  }
  if (at < bytes.length)
    throw new Error(`it has extra bytes after its end, after ${at} of ${bytes.length} bytes`)
}

function valueAt(view: DataView, at: number): Value {
  const head = view.getUint8(at)
  const plain = (payloadBytes: number, children = 0) => ({ headerBytes: 1, payloadBytes, children })
  if (head <= 0x7f || head >= 0xe0) return plain(0)
  if (head <= 0x8f) return plain(0, 2 * (head & 0x0f))
  if (head <= 0x9f) return plain(0, head & 0x0f)
  if (head <= 0xbf) return plain(head & 0x1f)
  const bytes = fixed.get(head)
  if (bytes !== undefined) return plain(bytes)
  const of = sized.get(head)
  // Extensions are refused: only those of the decoder itself could be read.
  if (of === undefined) throw new Error(`it has a value of the kind 0x${head.toString(16)}`)
  const { kind, lengthBytes } = of
  if (at + 1 + lengthBytes > view.byteLength) throw new Error('it is cut off')
  const length = lengthOf(view, at + 1, lengthBytes)
  return {
    headerBytes: 1 + lengthBytes,
    payloadBytes: kind === 'bytes' ? length : 0,
    children: kind === 'bytes' ? 0 : kind === 'list' ? length : 2 * length,
  }
}

function lengthOf(view: DataView, at: number, bytes: 1 | 2 | 4): number {
  if (bytes === 1) return view.getUint8(at)
  return bytes === 2 ? view.getUint16(at) : view.getUint32(at)
}
