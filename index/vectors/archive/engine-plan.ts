import { CameoError } from '../../../pipeline/common/errors.js'
import { exactEngine } from '../exact/exact-engine.js'
import { hnswEngine } from '../hnsw/hnsw-engine.js'
import type { VectorEngine, VectorEngines, VectorSpace } from '../vector-engine.js'
import type { VectorIndex } from '../vector-index.js'
import { createReach, reachIndex, type Reach } from './reach-engine.js'

/** The engine of an archive that is not configured otherwise: exact search while the archive is small, then a graph. */
export const automatic = 'auto'

/**
 * Up to this many vectors, exact search: at 512 dimensions it takes 3 ms, about as long as the graph does, is exact,
 * and needs no snapshot, because reading so many rows takes less than half a second.
 */
export const defaultExactUpTo = 10_000

const builtIn: VectorEngines = { exact: exactEngine, hnsw: (space) => hnswEngine(space) }

/** Cameo's own engines store nothing but snapshots in the archive. */
export const isBuiltIn = (name: string): boolean => name === automatic || Object.hasOwn(builtIn, name)

/** An engine, and how it is spoken to. */
export interface NamedEngine {
  readonly name: string
  readonly engine: VectorEngine
  readonly reach: Reach
}

/** Which engine indexes a space, by the number of its vectors. */
export interface EnginePlan {
  /** The engine for `count` vectors; `now` is the one in use, which is kept for a while so that engines do not alternate. */
  engineFor(count: number, now?: NamedEngine): NamedEngine
  /** Those that the plan can come to. */
  readonly engines: readonly NamedEngine[]
}

/**
 * @param name built in, `auto`, or one of `given`
 * @throws USAGE where there is no such engine, or one that is given has the name of another
 */
export function planEngines(
  name: string,
  given: VectorEngines,
  space: VectorSpace,
  exactUpTo: number = defaultExactUpTo,
): EnginePlan {
  checkEngineName(name, given)
  if (name !== automatic) {
    const only = namedEngine(name, given, space)
    return { engineFor: () => only, engines: [only] }
  }
  const exact = namedEngine('exact', given, space)
  const hnsw = namedEngine('hnsw', given, space)
  return {
    engineFor: (count, now = exact) =>
      count > (now.name === 'hnsw' ? exactUpTo / 2 : exactUpTo) ? hnsw : exact,
    engines: [exact, hnsw],
  }
}

/** Throws USAGE unless an archive can be searched through this engine. */
export function checkEngineName(name: string, given: VectorEngines): void {
  const taken = Object.keys(given).find(isBuiltIn)
  if (taken !== undefined)
    throw new CameoError(
      'USAGE',
      `a vector engine was given under the name "${taken}", which is one of Cameo's own`,
    )
  if (isBuiltIn(name) || Object.hasOwn(given, name)) return
  const others = [automatic, ...Object.keys(builtIn), ...Object.keys(given)]
  throw new CameoError(
    'USAGE',
    `the vector engine "${name}" was not given when the archive was opened; there are ${others.join(', ')}`,
  )
}

/** An engine that is built in or given. */
export function namedEngine(name: string, given: VectorEngines, space: VectorSpace): NamedEngine {
  checkEngineName(name, given)
  const own = Object.hasOwn(builtIn, name) ? builtIn[name] : undefined
  const factory = own ?? given[name]
  if (factory === undefined) throw new Error(`"${name}" stands for no single engine`)
  const engine = factory(space)
  // What Cameo's own throw is no failure of a connection.
  const reach: Reach = own === undefined ? createReach(name, engine.reach) : (call) => call()
  return { name, engine, reach }
}

/** Calls to an index that stores its vectors elsewhere are repeated where they fail. */
export async function openEngine({ engine, reach }: NamedEngine): Promise<VectorIndex> {
  const index = await reach(() => engine.open())
  return index.durable === undefined ? index : reachIndex(index, reach)
}
