/**
 * Writes pickles as CPython does, for tests of the reader: batches of a thousand entries, numbers for back
 * references to every list, tuple, string and array, NumPy arrays by `_reconstruct`. Protocol 4 without
 * frames.
 */
export type Picklable =
  | number
  | boolean
  | string
  | Uint8Array
  | readonly Picklable[]
  | { readonly tuple: readonly Picklable[] }
  /** A one-dimensional float16 array. */
  | { readonly halves: Uint16Array }
  | { readonly raw: Uint8Array }

const batch = 1000

export function writePickle(
  protocol: 2 | 3 | 4,
  entries: readonly (readonly [Picklable, Picklable])[],
): Buffer {
  const writer = new PickleWriter(protocol)
  writer.dict(entries)
  return writer.finish()
}

export function writePickledValue(protocol: 2 | 3 | 4, value: Picklable): Buffer {
  const writer = new PickleWriter(protocol)
  writer.value(value)
  return writer.finish()
}

class PickleWriter {
  readonly #parts: Buffer[] = []
  readonly #shared = new Map<string, number>()
  #memo = 0

  constructor(readonly protocol: 2 | 3 | 4) {
    this.#put(0x80, protocol)
  }

  finish(): Buffer {
    this.#op('.')
    return Buffer.concat(this.#parts)
  }

  dict(entries: readonly (readonly [Picklable, Picklable])[]): void {
    this.#op('}')
    this.#memoize()
    for (let from = 0; from < entries.length; from += batch) {
      const some = entries.slice(from, from + batch)
      if (some.length > 1) this.#op('(')
      for (const [key, value] of some) {
        this.value(key)
        this.value(value)
      }
      this.#op(some.length > 1 ? 'u' : 's')
    }
  }

  value(value: Picklable): void {
    if (typeof value === 'number') this.#number(value)
    else if (typeof value === 'boolean') this.#put(value ? 0x88 : 0x89)
    else if (typeof value === 'string') this.#text(value)
    else if (value instanceof Uint8Array) this.#bytes(value)
    else if ('tuple' in value) this.#tuple(() => value.tuple.forEach((item) => this.value(item)))
    else if ('halves' in value) this.#array(value.halves)
    else if ('raw' in value) this.#parts.push(Buffer.from(value.raw))
    else this.#list(value)
  }

  #list(items: readonly Picklable[]): void {
    this.#op(']')
    this.#memoize()
    for (let from = 0; from < items.length; from += batch) {
      const some = items.slice(from, from + batch)
      if (some.length > 1) this.#op('(')
      some.forEach((item) => this.value(item))
      this.#op(some.length > 1 ? 'e' : 'a')
    }
  }

  #tuple(items: () => void): void {
    this.#op('(')
    items()
    this.#op('t')
    this.#memoize()
  }

  #number(value: number): void {
    if (Number.isInteger(value) && value >= 0 && value < 256) {
      this.#put(0x4b, value)
      return
    }
    const bytes = Buffer.alloc(9)
    if (Number.isInteger(value) && Math.abs(value) < 2 ** 31) {
      bytes.write('J')
      bytes.writeInt32LE(value, 1)
      this.#parts.push(bytes.subarray(0, 5))
      return
    }
    bytes.write('G')
    bytes.writeDoubleBE(value, 1)
    this.#parts.push(bytes)
  }

  #text(text: string): void {
    const utf8 = Buffer.from(text)
    this.#op('X')
    this.#uint32(utf8.length)
    this.#parts.push(utf8)
    this.#memoize()
  }

  #bytes(bytes: Uint8Array): void {
    if (this.protocol === 2) {
      this.#global('_codecs', 'encode')
      this.#tuple(() => {
        this.#text(Buffer.from(bytes).toString('latin1'))
        this.#once('latin1', () => this.#text('latin1'))
      })
      this.#op('R')
    } else {
      this.#op('B')
      this.#uint32(bytes.length)
      this.#parts.push(Buffer.from(bytes))
    }
    this.#memoize()
  }

  #array(halves: Uint16Array): void {
    this.#global('numpy.core.multiarray', '_reconstruct')
    this.#tuple(() => {
      this.#global('numpy', 'ndarray')
      this.#tuple(() => this.#number(0))
      this.#once('b', () => this.#bytes(Buffer.from('b')))
    })
    this.#op('R')
    this.#memoize()
    this.#tuple(() => {
      this.#number(1)
      this.#tuple(() => this.#number(halves.length))
      this.#once('f2', () => this.#float16())
      this.#put(0x89)
      this.#bytes(Buffer.from(halves.buffer, halves.byteOffset, halves.byteLength))
    })
    this.#op('b')
  }

  #float16(): void {
    this.#global('numpy', 'dtype')
    this.#tuple(() => {
      this.#text('f2')
      this.#put(0x89, 0x88)
    })
    this.#op('R')
    this.#memoize()
    const number = this.#memo - 1
    this.#tuple(() => {
      this.#number(3)
      this.#text('<')
      this.#op('NNN')
      this.#number(-1)
      this.#number(-1)
      this.#number(0)
    })
    this.#op('b')
    this.#shared.set('f2', number)
  }

  #global(module: string, name: string): void {
    this.#once(`${module} ${name}`, () => {
      this.#parts.push(Buffer.from(`c${module}\n${name}\n`))
      this.#memoize()
    })
  }

  /** Writes the value the first time, then refers to it. */
  #once(key: string, write: () => void): void {
    const known = this.#shared.get(key)
    if (known !== undefined) {
      this.#op('j')
      this.#uint32(known)
      return
    }
    write()
    if (!this.#shared.has(key)) this.#shared.set(key, this.#memo - 1)
  }

  #memoize(): void {
    if (this.protocol === 4) this.#put(0x94)
    else {
      this.#op('r')
      this.#uint32(this.#memo)
    }
    this.#memo++
  }

  #uint32(value: number): void {
    const bytes = Buffer.alloc(4)
    bytes.writeUInt32LE(value)
    this.#parts.push(bytes)
  }

  #op(codes: string): void {
    this.#parts.push(Buffer.from(codes, 'latin1'))
  }

  #put(...bytes: number[]): void {
    this.#parts.push(Buffer.from(bytes))
  }
}
