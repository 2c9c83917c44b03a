/** Says that two rows show the same person, or two people. */
export interface RowLink {
  readonly kind: 'must' | 'cannot'
  readonly a: number
  readonly b: number
}

/** Leaves out what a later correction contradicts. @param links newest first */
export function consistentLinks(links: readonly RowLink[]): {
  readonly must: readonly (readonly [a: number, b: number])[]
  readonly cannot: readonly (readonly [a: number, b: number])[]
} {
  const parents = new Map<number, number>()
  const topOf = (row: number): number => {
    const parent = parents.get(row) ?? row
    return parent === row ? row : topOf(parent)
  }
  const must: (readonly [number, number])[] = []
  const cannot: (readonly [number, number])[] = []
  for (const { kind, a, b } of links) {
    const [one, other] = [topOf(a), topOf(b)]
    if (kind === 'cannot') {
      if (one !== other) cannot.push([a, b])
    } else if (one !== other && !cannot.some(([x, y]) => isBetween(topOf(x), topOf(y), one, other))) {
      parents.set(one, other)
      must.push([a, b])
    }
  }
  return { must, cannot }
}

const isBetween = (x: number, y: number, one: number, other: number) =>
  (x === one && y === other) || (x === other && y === one)
