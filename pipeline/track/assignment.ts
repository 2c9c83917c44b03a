/**
 * Optimal assignment of rows to columns by total cost, with gating.
 *
 * The shortest-augmenting-path form of the Hungarian method (Jonker and Volgenant 1987; the O(n²m) potentials form),
 * run on each connected component of the allowed pairs. So a frame with hundreds of faces costs little, because each
 * face can reach only a few tracks. It is written here because tracking must be able to leave a pair unassigned at a
 * price. The npm packages do not offer that (`munkres` 2.0.4 is well maintained, but always completes the assignment,
 * even with forbidden pairs), and adapting one takes more code.
 */

/** For each row its column, or −1 if the row stays unassigned. */
export type Assignment = Int32Array

/**
 * Minimises the sum of the costs of assigned pairs plus `apartCost` for each possible pair that is not assigned. In
 * other words, it minimises Σ(cost − apartCost) over all one-to-one partial assignments. Pairs that cost `apartCost` or
 * more (and `Infinity`, the gate) are never assigned. With `apartCost` Infinity: as many pairs as possible, and among
 * those the cheapest.
 *
 * @param costs rows × columns, row after row; not NaN, not −Infinity
 * @throws RangeError if the length is not rows × columns
 */
export function assign(costs: Float64Array, rows: number, columns: number, apartCost = Infinity): Assignment {
  if (costs.length !== rows * columns) {
    throw new RangeError(`${rows}×${columns} costs expected, got ${costs.length}`)
  }
  const assignment = new Int32Array(rows).fill(-1)
  const costAt = (row: number, column: number): number => costs[row * columns + column] ?? Infinity
  for (const part of components(costAt, rows, columns, apartCost)) {
    const transposed = part.rows.length > part.columns.length
    const [short, long] = transposed ? [part.columns, part.rows] : [part.rows, part.columns]
    const price = (a: number, b: number): number => (transposed ? costAt(b, a) : costAt(a, b))
    const allowed = (cost: number): boolean => cost < apartCost

    // The price of staying unassigned. For "as many as possible", it is more than any exchange of allowed pairs can
    // save.
    let apart = apartCost
    if (apartCost === Infinity) {
      let reach = 0
      for (const a of short) {
        for (const b of long) {
          const cost = price(a, b)
          if (allowed(cost)) reach = Math.max(reach, Math.abs(cost))
        }
      }
      apart = 1 + 2 * reach * short.length
    }
    const capped = short.map((a) => Float64Array.from(long, (b) => Math.min(price(a, b), apart)))
    const chosen = assignAll(capped, long.length)
    for (const [i, a] of short.entries()) {
      const b = long[chosen[i] ?? -1]
      if (b === undefined || !allowed(price(a, b))) continue
      const [row, column] = transposed ? [b, a] : [a, b]
      assignment[row] = column
    }
  }
  return assignment
}

/** Rows and columns that allowed pairs (cost < apartCost) connect; those without any pair are skipped. */
function components(
  costAt: (row: number, column: number) => number,
  rows: number,
  columns: number,
  apartCost: number,
): { rows: number[]; columns: number[] }[] {
  const rowSeen = new Uint8Array(rows)
  const columnSeen = new Uint8Array(columns)
  const found: { rows: number[]; columns: number[] }[] = []
  for (let start = 0; start < rows; start++) {
    if (rowSeen[start]) continue
    rowSeen[start] = 1
    const part = { rows: [start], columns: [] as number[] }
    for (const row of part.rows) {
      for (let column = 0; column < columns; column++) {
        if (columnSeen[column] || !(costAt(row, column) < apartCost)) continue
        columnSeen[column] = 1
        part.columns.push(column)
        for (let other = 0; other < rows; other++) {
          if (rowSeen[other] || !(costAt(other, column) < apartCost)) continue
          rowSeen[other] = 1
          part.rows.push(other)
        }
      }
    }
    if (part.columns.length > 0) found.push(part)
  }
  return found
}

/** A complete minimum-cost assignment of every row. It needs at least as many columns as rows and finite costs. */
function assignAll(costs: readonly Float64Array[], columns: number): Int32Array {
  const rows = costs.length
  // Column 0 is virtual: it holds the row that is being inserted. Real rows and columns count from 1.
  const rowPotential = new Float64Array(rows + 1)
  const columnPotential = new Float64Array(columns + 1)
  const rowOfColumn = new Int32Array(columns + 1)
  const previous = new Int32Array(columns + 1)
  for (let inserted = 1; inserted <= rows; inserted++) {
    rowOfColumn[0] = inserted
    let column = 0
    const slack = new Float64Array(columns + 1).fill(Infinity)
    const used = new Uint8Array(columns + 1)
    do {
      used[column] = 1
      const row = rowOfColumn[column] ?? 0
      let delta = Infinity
      let nearest = 0
      for (let j = 1; j <= columns; j++) {
        if (used[j]) continue
        const reduced = (costs[row - 1]?.[j - 1] ?? 0) - (rowPotential[row] ?? 0) - (columnPotential[j] ?? 0)
        if (reduced < (slack[j] ?? 0)) {
          slack[j] = reduced
          previous[j] = column
        }
        if ((slack[j] ?? 0) < delta) {
          delta = slack[j] ?? 0
          nearest = j
        }
      }
      for (let j = 0; j <= columns; j++) {
        if (used[j]) {
          const owner = rowOfColumn[j] ?? 0
          rowPotential[owner] = (rowPotential[owner] ?? 0) + delta
          columnPotential[j] = (columnPotential[j] ?? 0) - delta
        } else {
          slack[j] = (slack[j] ?? 0) - delta
        }
      }
      column = nearest
    } while (rowOfColumn[column] !== 0)
    while (column !== 0) {
      const before = previous[column] ?? 0
      rowOfColumn[column] = rowOfColumn[before] ?? 0
      column = before
    }
  }
  const columnOfRow = new Int32Array(rows)
  for (let j = 1; j <= columns; j++) {
    const row = rowOfColumn[j] ?? 0
    if (row > 0) columnOfRow[row - 1] = j - 1
  }
  return columnOfRow
}
