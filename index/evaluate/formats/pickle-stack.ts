import type { PickleValue } from './pickle-values.js'

/** The stack of a pickle's machine, with its marks. Throws Error where a value is missing: the file is damaged. */
export class PickleStack {
  readonly values: PickleValue[] = []
  /** Heights of the stack at each MARK. */
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

  /** The value on top, which must be of that class. */
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

  /** In the order in which they were pushed; never across a mark. */
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
