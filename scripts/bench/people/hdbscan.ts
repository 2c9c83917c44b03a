/** An edge of the tree: two nodes and their distance. */
interface Join {
  readonly a: number
  readonly b: number
  readonly distance: number
}

/**
 * HDBSCAN (Campello, Moulavi and Sander, 2013) by cosine distance: the tree of mutual reachability, condensed to clusters of at least
 * `size` points, of which the most stable are taken.
 * @param points neighbours that make a point a core
 */
export function hdbscan(cosines: Float32Array, count: number, size: number, points: number): Int32Array {
  const tree = spanningTree(cosines, count, points).sort((x, y) => x.distance - y.distance)
  const groups = new Int32Array(count).fill(-1)
  for (const [group, rows] of stableClusters(tree, count, size).entries())
    for (const row of rows) groups[row] = group
  return groups
}

/** Prim's algorithm over the complete graph. */
function spanningTree(cosines: Float32Array, count: number, points: number): Join[] {
  const distanceOf = (a: number, b: number) => 1 - (cosines[a * count + b] ?? 0)
  const cores = Float64Array.from({ length: count }, (_, a) => {
    const distances = Float64Array.from({ length: count }, (__, b) => distanceOf(a, b)).sort()
    return distances[Math.min(points, count - 1)] ?? 0
  })
  const nearest = new Float64Array(count).fill(Infinity)
  const via = new Int32Array(count)
  const isIn = new Uint8Array(count)
  const joins: Join[] = []
  let last = 0
  isIn[0] = 1
  for (let n = 1; n < count; n++) {
    let next = -1
    for (let b = 0; b < count; b++) {
      if (isIn[b] === 1) continue
      const reach = Math.max(distanceOf(last, b), cores[last] ?? 0, cores[b] ?? 0)
      if (reach < (nearest[b] ?? 0)) {
        nearest[b] = reach
        via[b] = last
      }
      if (next < 0 || (nearest[b] ?? 0) < (nearest[next] ?? 0)) next = b
    }
    joins.push({ a: via[next] ?? 0, b: next, distance: nearest[next] ?? 0 })
    isIn[next] = 1
    last = next
  }
  return joins
}

/** A cluster while the tree is built from its leaves. */
interface Part {
  readonly rows: readonly number[]
  /** The chosen clusters in it, and their stability. */
  readonly chosen: readonly (readonly number[])[]
  readonly stability: number
  /** Σ (λ at which a point left or the cluster ended) of this cluster alone; λ is 1 / distance. */
  readonly own: number
  readonly isCluster: boolean
}

function stableClusters(tree: readonly Join[], count: number, size: number): readonly (readonly number[])[] {
  const parents = Int32Array.from({ length: count }, (_, row) => row)
  const topOf = (row: number): number => {
    let top = row
    while (parents[top] !== top) top = parents[top] ?? top
    return top
  }
  const parts: Part[] = Array.from({ length: count }, (_, row) => ({
    ...{ rows: [row], chosen: [], stability: 0, own: 0, isCluster: size <= 1 },
  }))
  for (const { a, b, distance } of tree) {
    const [one, other] = [topOf(a), topOf(b)]
    parents[other] = one
    parts[one] = joined(parts[one] ?? none, parts[other] ?? none, 1 / Math.max(distance, 1e-9), size)
  }
  // The root is no cluster: it would be everything.
  const [root = 0] = parents.length === 0 ? [] : [topOf(0)]
  return parts[root]?.chosen ?? []
}

const none: Part = { rows: [], chosen: [], stability: 0, own: 0, isCluster: false }

function joined(a: Part, b: Part, lambda: number, size: number): Part {
  const rows = [...a.rows, ...b.rows]
  if (a.isCluster && b.isCluster) {
    // Both end here; each is taken itself where it is more stable than its parts.
    const [one, other] = [ended(a, lambda), ended(b, lambda)]
    return {
      ...{ rows, own: rows.length * lambda, isCluster: true },
      chosen: [...one.chosen, ...other.chosen],
      stability: one.stability + other.stability,
    }
  }
  if (a.isCluster || b.isCluster) {
    const [cluster, few] = a.isCluster ? [a, b] : [b, a]
    // The few points leave the cluster here, seen from the root.
    return { ...cluster, rows, own: cluster.own + few.rows.length * lambda }
  }
  const isCluster = rows.length >= size
  return { rows, chosen: [], stability: 0, own: isCluster ? rows.length * lambda : 0, isCluster }
}

function ended(part: Part, birth: number): Pick<Part, 'chosen' | 'stability'> {
  const stability = part.own - part.rows.length * birth
  return stability >= part.stability ? { chosen: [part.rows], stability } : part
}
