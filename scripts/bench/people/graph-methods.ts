import { DBSCAN } from 'density-clustering'
import { UndirectedGraph } from 'graphology'
import louvainModule from 'graphology-communities-louvain'
import { seededRandom } from '../../../pipeline/common/seeded-random.js'

/** DBSCAN (Ester et al., 1996) by cosine distance, as photo programs group faces. */
export function dbscan(cosines: Float32Array, count: number, distance: number, points: number): Int32Array {
  const rows = Array.from({ length: count }, (_, row) => row)
  const clusters = new DBSCAN().run(rows as never, distance, points, ((a: number, b: number) => 1 - (cosines[a * count + b] ?? 0)) as never) // prettier-ignore
  const groups = new Int32Array(count).fill(-1)
  for (const [group, members] of clusters.entries()) for (const row of members) groups[row] = group
  return groups
}

/** The package is CommonJS: Node imports the function itself, where its types have a default export. */
const louvainOf = louvainModule as unknown as typeof louvainModule.default

/** A pass rarely changes anything after so many. */
const passes = 30

/** Chinese whispers (Biemann, 2006): each track takes the group that is most similar to it in sum, in random order. */
export function chineseWhispers(cosines: Float32Array, order: Int32Array, threshold: number): Int32Array {
  const count = order.length
  const groups = Int32Array.from({ length: count }, (_, row) => row)
  for (let pass = 0; pass < passes; pass++) {
    let hasChanged = false
    for (const row of order) {
      const sums = new Map<number, number>()
      for (let other = 0; other < count; other++) {
        const cosine = cosines[row * count + other] ?? 0
        if (other === row || cosine < threshold) continue
        const group = groups[other] ?? 0
        sums.set(group, (sums.get(group) ?? 0) + cosine)
      }
      const best = [...sums].sort((a, b) => b[1] - a[1] || a[0] - b[0])[0]?.[0]
      if (best === undefined || best === groups[row]) continue
      groups[row] = best
      hasChanged = true
    }
    if (!hasChanged) break
  }
  return groups
}

/** Communities of the graph of neighbours by modularity (Blondel et al., 2008; Leiden refines it). */
export function louvain(
  { from, to }: { readonly from: Int32Array; readonly to: Int32Array },
  cosines: Float32Array,
  count: number,
  { threshold, resolution }: { readonly threshold: number; readonly resolution: number },
): Int32Array {
  const graph = new UndirectedGraph()
  for (let row = 0; row < count; row++) graph.addNode(row)
  for (let i = 0; i < from.length; i++) {
    const [a, b] = [from[i] ?? 0, to[i] ?? 0]
    const weight = cosines[a * count + b] ?? 0
    if (weight >= threshold) graph.mergeEdge(a, b, { weight })
  }
  const found = louvainOf(graph, { resolution, rng: seededRandom(1), getEdgeWeight: 'weight' })
  return Int32Array.from({ length: count }, (_, row) => found[row] ?? -1)
}
