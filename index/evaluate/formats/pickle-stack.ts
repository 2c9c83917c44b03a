import type { PickleValue } from './pickle-values.js'

/**
 * The stack of a pickle machine, with its marks. Throws an Error if a value is missing, because the file is then
 * damaged.
 */
export class PickleStack {
  readonly values: PickleValue[] = []
  /** Height of the stack at each MARK. */
  readonly marks: number[] = []

  push(value: PickleValue): void {
    this.values.push(value)
  }

  mark(): void {
    this.marks.push(this.values.length)
  }

  peek(): PickleValue {
    const value = this.values.at(-1)
    if (value === undefined) throw new Error('a value is missing')
    return value
  }

  /** The top value, which must be of the given class. */
  top<T extends PickleValue>(kind: new (...args: never[]) => T, name: string): T {
    const value = this.values.at(-1)
    if (value instanceof kind) return value
    throw new Error(`a ${name} is missing`)
  }

  pop(): PickleValue {
    const value = this.values.length > (this.marks.at(-1) ?? 0) ? this.values.pop() : undefined
    if (value === undefined) throw new Error('a value is missing')
    return value
  }

  /** Pops values, in the order in which they were pushed. Never crosses a mark. */
  popMany(count: number): PickleValue[] {
    if (this.values.length - (this.marks.at(-1) ?? 0) < count) throw new Error('a value is missing')
    return this.values.splice(this.values.length - count)
  }

  popToMark(): PickleValue[] {
    const mark = this.marks.pop()
    if (mark === undefined) throw new Error('a mark is missing')
    return this.values.splice(mark)
  }
}
