import { CameoError } from '../../../pipeline/common/errors.js'
import { exactEngine } from '../exact/exact-engine.js'
import { hnswEngine } from '../hnsw/hnsw-engine.js'
import type { VectorEngine, VectorEngines, VectorSpace } from '../vector-engine.js'
import type { VectorIndex } from '../vector-index.js'
import { createReach, reachIndex, type Reach } from './reach-engine.js'

/** The default engine of an archive: exact search while the archive is small, then a graph. */
export const automatic = 'auto'

/**
 * Up to this number of vectors, exact search is used. At 512 dimensions it takes 3 ms, about as long as the graph. It
 * needs no snapshot, because reading these rows takes less than half a second.
 */
export const defaultExactUpTo = 10_000

const builtIn: VectorEngines = { exact: exactEngine, hnsw: (space) => hnswEngine(space) }

/** True for Cameo's own engines. They store only snapshots in the archive. */
export const isBuiltIn = (name: string): boolean => name === automatic || Object.hasOwn(builtIn, name)

/** An engine with its name, and the function that calls it. */
export interface NamedEngine {
  readonly name: string
  readonly engine: VectorEngine
  readonly reach: Reach
}

/** Chooses the engine of a space by the number of vectors. */
export interface EnginePlan {
  /**
   * The engine for `count` vectors. `now` is the current one. It is kept for a while, so that engines do not
   * alternate.
   */
  engineFor(count: number, now?: NamedEngine): NamedEngine
  /** All engines that the plan may choose. */
  readonly engines: readonly NamedEngine[]
}

/**
 * @param name a built-in engine, `auto`, or one of `given`
 * @throws USAGE if there is no such engine, or if a given engine has the name of a built-in one
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

/** @throws USAGE if there is no such engine, or if a given engine has the name of a built-in one */
export function checkEngineName(name: string, given: VectorEngines): void {
  const taken = Object.keys(given).find(isBuiltIn)
  if (taken !== undefined)
    throw new CameoError(
      'USAGE',
      `a vector engine was provided under the name "${taken}", which is reserved for a built-in engine: choose another name`,
    )
  if (isBuiltIn(name) || Object.hasOwn(given, name)) return
  const others = [automatic, ...Object.keys(builtIn), ...Object.keys(given)]
  throw new CameoError(
    'USAGE',
    `the vector engine "${name}" was not provided when the archive was opened; available engines: ${others.join(', ')}`,
  )
}

/** Creates a built-in or given engine. */
export function namedEngine(name: string, given: VectorEngines, space: VectorSpace): NamedEngine {
  checkEngineName(name, given)
  const own = Object.hasOwn(builtIn, name) ? builtIn[name] : undefined
  const factory = own ?? given[name]
  if (factory === undefined) throw new Error(`"${name}" is not a single engine`)
  const engine = factory(space)
  // Errors of built-in engines are not connection failures, so they are not retried.
  const reach: Reach = own === undefined ? createReach(name, engine.reach) : (call) => call()
  return { name, engine, reach }
}

/** Opens the index of an engine. If the index stores its vectors outside this process, failed calls are retried. */
export async function openEngine({ engine, reach }: NamedEngine): Promise<VectorIndex> {
  const index = await reach(() => engine.open())
  return index.durable === undefined ? index : reachIndex(index, reach)
}
