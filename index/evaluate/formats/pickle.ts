import { ByteReader, DamagedFile } from './byte-reader.js'
import { buildState, findGlobal, reduceGlobal } from './pickle-globals.js'
import { PickleMemo } from './pickle-memo.js'
import { PickleDict, PickleGlobal, PickleList, PickleTuple, type PickleValue } from './pickle-values.js'

export interface PickleEntry {
  readonly key: PickleValue
  readonly value: PickleValue
}

/**
 * Pickles of features, protocol 2 to 5, without Python and without running anything: plain values and NumPy arrays are
 * read, any other name is refused. Written here because the parsers on npm take a whole file as one buffer, and
 * feature files have tens of GB. Opcodes: CPython's Lib/pickletools.py.
 *
 * Yields the entries of the outermost dict as they come, one or two in memory at a time; they are not in the result.
 * Returns the outermost value. @throws DamagedFile
 */
export function* readPickle(reader: ByteReader): Generator<PickleEntry, PickleValue> {
  const machine = new PickleMachine(reader)
  for (;;) {
    const start = reader.offset
    try {
      machine.step()
    } catch (error) {
      if (error instanceof DamagedFile || !(error instanceof Error)) throw error
      throw new DamagedFile(start, error.message)
    }
    while (machine.entries.length > 0) yield* machine.entries.splice(0)
    if (machine.result !== undefined) return machine.result
  }
}

/** Opcodes that build objects of classes or run something; named in the refusal. */
const refused = new Map([
  ['i', 'INST'],
  ['o', 'OBJ'],
  ['\x81', 'NEWOBJ'],
  ['\x92', 'NEWOBJ_EX'],
  ['P', 'PERSID'],
  ['Q', 'BINPERSID'],
  ['\x82', 'EXT1'],
  ['\x83', 'EXT2'],
  ['\x84', 'EXT4'],
  ['\x97', 'NEXT_BUFFER'],
])

/** Of a module's or a function's name. */
const maxNameBytes = 256

class PickleMachine {
  /** Complete entries of the outermost dict that nobody took yet. */
  readonly entries: PickleEntry[] = []
  result: PickleValue | undefined
  readonly #reader: ByteReader
  readonly #memo = new PickleMemo()
  readonly #stack: PickleValue[] = []
  /** Heights of the stack at each MARK. */
  readonly #marks: number[] = []
  #isFirst = true

  constructor(reader: ByteReader) {
    this.#reader = reader
  }

  step(): void {
    const reader = this.#reader
    const opcode = String.fromCharCode(reader.uint8())
    if (this.#isFirst !== (opcode === '\x80'))
      throw new Error('it is no Python pickle of protocol 2 or later')
    this.#isFirst = false
    switch (opcode) {
      case '\x80': {
        const protocol = reader.uint8()
        if (protocol < 2 || protocol > 5) throw new Error(`a pickle of protocol ${protocol}; 2 to 5 are read`)
        return
      }
      case '\x95': // FRAME: its length
        reader.uint64()
        return
      case '.':
        return this.#stop()
      case '(':
        this.#marks.push(this.#stack.length)
        return
      // plain values
      case 'N':
        return this.#push(null)
      case '\x88':
        return this.#push(true)
      case '\x89':
        return this.#push(false)
      case 'K':
        return this.#push(reader.uint8())
      case 'M':
        return this.#push(reader.uint16())
      case 'J':
        return this.#push(reader.int32())
      case '\x8a':
        return this.#push(longOf(reader.bytes(reader.uint8())))
      case 'G':
        return this.#push(reader.float64BigEndian())
      // text and bytes
      case '\x8c':
        return this.#push(this.#text(reader.uint8()))
      case 'X':
        return this.#push(this.#text(reader.uint32()))
      case '\x8d':
        return this.#push(this.#text(reader.uint64()))
      case 'C':
      case 'U': // Python 2's str
        return this.#push(reader.bytes(reader.uint8()))
      case 'B':
      case 'T':
        return this.#push(reader.bytes(reader.uint32()))
      case '\x8e':
      case '\x96':
        return this.#push(reader.bytes(reader.uint64()))
      // containers
      case ']':
        this.#push(new PickleList())
        return this.#takeEntry()
      case 'a': {
        const item = this.#pop()
        this.#top(PickleList, 'list').items.push(item)
        return
      }
      case 'e': {
        const items = this.#popToMark()
        const list = this.#top(PickleList, 'list')
        for (const item of items) list.items.push(item)
        return
      }
      case ')':
        return this.#push(new PickleTuple([]))
      case '\x85':
      case '\x86':
      case '\x87':
        return this.#push(new PickleTuple(this.#popMany(opcode.charCodeAt(0) - 0x84)))
      case 't':
        return this.#push(new PickleTuple(this.#popToMark()))
      case '}':
        if (this.#stack.length > 0) throw new Error('a dict inside another value')
        return this.#push(new PickleDict())
      case 's':
        return this.#setItems(this.#popMany(2))
      case 'u':
        return this.#setItems(this.#popToMark())
      // back references
      case 'q':
        return this.#memo.put(reader.uint8(), this.#peek())
      case 'r':
        return this.#memo.put(reader.uint32(), this.#peek())
      case '\x94':
        return this.#memo.append(this.#peek())
      case 'h':
        return this.#push(this.#memo.get(reader.uint8()))
      case 'j':
        return this.#push(this.#memo.get(reader.uint32()))
      // names with a known meaning
      case 'c':
        return this.#push(findGlobal(reader.line(maxNameBytes), reader.line(maxNameBytes)))
      case '\x93': {
        const [module, name] = this.#popMany(2)
        if (typeof module !== 'string' || typeof name !== 'string') throw new Error('a name that is no text')
        return this.#push(findGlobal(module, name))
      }
      case 'R': {
        const [callable, args] = this.#popMany(2)
        if (!(callable instanceof PickleGlobal && args instanceof PickleTuple))
          throw new Error('a call of something that is no known name')
        return this.#push(reduceGlobal(callable, args))
      }
      case 'b': {
        const state = this.#pop()
        return buildState(this.#stack.at(-1), state)
      }
      default:
        throw new Error(
          refused.has(opcode)
            ? `it makes an object by ${refused.get(opcode) ?? ''}: only NumPy arrays and plain values are read, and nothing in a pickle is run`
            : `opcode 0x${opcode.charCodeAt(0).toString(16).padStart(2, '0')}, which feature files have no use for`,
        )
    }
  }

  #stop(): void {
    if (this.#stack.length !== 1 || this.#marks.length > 0)
      throw new Error('it stops in the middle of a value')
    this.result = this.#pop()
  }

  /**
   * In `dict MARK key value key list` the first pair is complete, although SETITEMS comes only after a thousand: a
   * value that is a list grows by APPEND and APPENDS, which need no string under a list.
   */
  #takeEntry(): void {
    const [outer, key, value, nextKey] = this.#stack
    if (this.#stack.length !== 5 || this.#marks.length !== 1 || this.#marks[0] !== 1) return
    if (!(outer instanceof PickleDict) || !isName(nextKey) || key === undefined || value === undefined) return
    this.#stack.splice(1, 2)
    this.entries.push({ key, value })
    this.#memo.endClip()
  }

  #setItems(items: readonly PickleValue[]): void {
    this.#top(PickleDict, 'dict')
    if (items.length % 2 !== 0) throw new Error('a key without its value')
    for (let i = 0; i + 1 < items.length; i += 2)
      this.entries.push({ key: items[i] ?? null, value: items[i + 1] ?? null })
    this.#memo.endClip()
  }

  #text(length: number): string {
    return Buffer.from(this.#reader.bytes(length)).toString('utf8')
  }

  #push(value: PickleValue): void {
    this.#stack.push(value)
  }

  #peek(): PickleValue {
    const value = this.#stack.at(-1)
    if (value === undefined) throw new Error('a value is missing')
    return value
  }

  #pop(): PickleValue {
    const value = this.#peek()
    if (this.#stack.length === this.#marks.at(-1)) throw new Error('a value is missing')
    this.#stack.pop()
    return value
  }

  #popMany(count: number): PickleValue[] {
    if (this.#stack.length - (this.#marks.at(-1) ?? 0) < count) throw new Error('a value is missing')
    return this.#stack.splice(this.#stack.length - count)
  }

  #popToMark(): PickleValue[] {
    const mark = this.#marks.pop()
    if (mark === undefined) throw new Error('a mark is missing')
    return this.#stack.splice(mark)
  }

  #top<T extends PickleValue>(kind: new (...args: never[]) => T, name: string): T {
    const value = this.#stack.at(-1)
    if (value instanceof kind) return value
    throw new Error(`a ${name} is missing`)
  }
}

function isName(value: PickleValue | undefined): boolean {
  return typeof value === 'string' || value instanceof Uint8Array
}

/** Two's complement, little-endian. */
function longOf(bytes: Uint8Array): number {
  let value = 0n
  bytes.forEach((byte, i) => (value |= BigInt(byte) << BigInt(8 * i)))
  return Number(BigInt.asIntN(8 * bytes.length, value))
}
