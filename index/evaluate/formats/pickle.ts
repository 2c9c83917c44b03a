import { DamagedFile, type ByteReader } from './byte-reader.js'
import { buildState, findGlobal, reduceGlobal } from './pickle-globals.js'
import { PickleMemo } from './pickle-memo.js'
import { PickleStack } from './pickle-stack.js'
import { PickleDict, PickleGlobal, PickleList, PickleTuple, type PickleValue } from './pickle-values.js'

export interface PickleEntry {
  readonly key: PickleValue
  readonly value: PickleValue
}

/**
 * Reads pickles of features, protocol 2 to 5, without Python and without running anything. Reads plain values and
 * NumPy arrays, and refuses any other name. The parsers on npm need the whole file as one buffer, but feature files
 * have tens of GB. Opcodes: CPython's Lib/pickletools.py.
 *
 * Yields the entries of the outermost dict in order, with one or two in memory at a time. The returned outermost
 * value does not contain them.
 * @throws DamagedFile
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
    if (machine.entries.length > 0) yield* machine.entries.splice(0)
    if (machine.result !== undefined) return machine.result
  }
}

/** Opcodes that create objects of classes or run code, with their names for the error message. */
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

/** Maximum length of the name of a module or function, in bytes. */
const maxNameBytes = 256

class PickleMachine {
  /** Complete entries of the outermost dict that were not returned yet. */
  readonly entries: PickleEntry[] = []
  result: PickleValue | undefined
  readonly #reader: ByteReader
  readonly #memo = new PickleMemo()
  readonly #stack = new PickleStack()
  #isFirst = true

  constructor(reader: ByteReader) {
    this.#reader = reader
  }

  step(): void {
    const opcode = String.fromCharCode(this.#reader.uint8())
    if (this.#isFirst !== (opcode === '\x80'))
      throw new Error('it is not a Python pickle of protocol 2 or later')
    this.#isFirst = false
    const pushed = this.#plainValue(opcode) ?? this.#bytesOrText(opcode) ?? this.#madeValue(opcode)
    if (pushed === undefined) this.#act(opcode)
    else {
      this.#stack.push(pushed)
      if (opcode === ']') this.#takeEntry()
    }
  }

  #plainValue(opcode: string): PickleValue | undefined {
    switch (opcode) {
      case '\x88':
        return true
      case '\x89':
        return false
      case 'K':
        return this.#reader.uint8()
      case 'M':
        return this.#reader.uint16()
      case 'J':
        return this.#reader.int32()
      case '\x8a':
        return longOf(this.#reader.bytes(this.#reader.uint8()))
      case 'G':
        return this.#reader.float64BigEndian()
      case 'h':
        return this.#memo.get(this.#reader.uint8())
      case 'j':
        return this.#memo.get(this.#reader.uint32())
    }
    return undefined
  }

  #bytesOrText(opcode: string): PickleValue | undefined {
    const reader = this.#reader
    switch (opcode) {
      case '\x8c':
        return this.#text(reader.uint8())
      case 'X':
        return this.#text(reader.uint32())
      case '\x8d':
        return this.#text(reader.uint64())
      case 'C':
      case 'U': // Python 2's str
        return reader.bytes(reader.uint8())
      case 'B':
      case 'T':
        return reader.bytes(reader.uint32())
      case '\x8e':
      case '\x96':
        return reader.bytes(reader.uint64())
    }
    return undefined
  }

  /** Containers, and the results of the known names. */
  #madeValue(opcode: string): PickleValue | undefined {
    const stack = this.#stack
    switch (opcode) {
      case ']':
        return new PickleList()
      case ')':
        return new PickleTuple([])
      case '\x85':
      case '\x86':
      case '\x87':
        return new PickleTuple(stack.popMany(opcode.charCodeAt(0) - 0x84))
      case 't':
        return new PickleTuple(stack.popToMark())
      case '}':
        if (stack.values.length > 0) throw new Error('a dict inside another value')
        return new PickleDict()
      case 'c':
        return findGlobal(this.#reader.line(maxNameBytes), this.#reader.line(maxNameBytes))
      case '\x93': {
        const [module, name] = stack.popMany(2)
        if (typeof module === 'string' && typeof name === 'string') return findGlobal(module, name)
        throw new Error('a name that is not text')
      }
      case 'R': {
        const [callable, args] = stack.popMany(2)
        if (callable instanceof PickleGlobal && args instanceof PickleTuple)
          return reduceGlobal(callable, args)
        throw new Error('a call of something that is not a known name')
      }
    }
    return undefined
  }

  /** Opcodes that push nothing, and None, because `??` cannot distinguish None from nothing. */
  #act(opcode: string): void {
    const stack = this.#stack
    switch (opcode) {
      case '\x80': {
        const protocol = this.#reader.uint8()
        if (protocol < 2 || protocol > 5)
          throw new Error(`a pickle of protocol ${protocol}, but only 2 to 5 can be read`)
        break
      }
      case '\x95': // FRAME: its length
        this.#reader.uint64()
        break
      case '.':
        if (stack.values.length !== 1 || stack.marks.length > 0)
          throw new Error('it stops in the middle of a value')
        this.result = stack.pop()
        break
      case '(':
        stack.mark()
        break
      case 'N':
        stack.push(null)
        break
      case 'a': {
        const item = stack.pop()
        stack.top(PickleList, 'list').items.push(item)
        break
      }
      case 'e': {
        const items = stack.popToMark()
        const list = stack.top(PickleList, 'list')
        for (const item of items) list.items.push(item)
        break
      }
      case 's':
        this.#setItems(stack.popMany(2))
        break
      case 'u':
        this.#setItems(stack.popToMark())
        break
      case 'q':
        this.#memo.put(this.#reader.uint8(), stack.peek())
        break
      case 'r':
        this.#memo.put(this.#reader.uint32(), stack.peek())
        break
      case '\x94':
        this.#memo.append(stack.peek())
        break
      case 'b': {
        const state = stack.pop()
        buildState(stack.peek(), state)
        break
      }
      default:
        throw new Error(describeUnknown(opcode))
    }
  }

  /**
   * In `dict MARK key value key list`, the first pair is complete, although SETITEMS comes only after a thousand
   * pairs. A list value grows by APPEND and APPENDS, which never have a string below the list.
   */
  #takeEntry(): void {
    const { values, marks } = this.#stack
    const [outer, key, value, nextKey] = values
    if (values.length !== 5 || marks.length !== 1 || marks[0] !== 1) return
    if (!(outer instanceof PickleDict) || !isName(nextKey) || key === undefined || value === undefined) return
    values.splice(1, 2)
    this.entries.push({ key, value })
    this.#memo.endClip()
  }

  #setItems(items: readonly PickleValue[]): void {
    this.#stack.top(PickleDict, 'dict')
    if (items.length % 2 !== 0) throw new Error('a key without its value')
    for (let i = 0; i < items.length; i += 2)
      this.entries.push({ key: items[i] ?? null, value: items[i + 1] ?? null })
    this.#memo.endClip()
  }

  #text(length: number): string {
    const { buffer, byteOffset, byteLength } = this.#reader.bytes(length)
    return Buffer.from(buffer, byteOffset, byteLength).toString('utf8')
  }
}

function describeUnknown(opcode: string): string {
  const name = refused.get(opcode)
  return name === undefined
    ? `opcode 0x${opcode.charCodeAt(0).toString(16).padStart(2, '0')}, which feature files do not use`
    : `it creates an object with ${name}: only NumPy arrays and plain values are read, and nothing in a pickle is run`
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
