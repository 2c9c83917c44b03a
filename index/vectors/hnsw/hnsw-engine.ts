import type { VectorEngine, VectorSpace } from '../vector-engine.js'
import { HnswIndex, type HnswOptions } from './hnsw-index.js'
import { defaultHnswParameters, refuseTooLarge, type HnswParameters } from './hnsw-memory.js'
import { loadSnapshot, removeSnapshot, snapshotBytesOnDisk, writeSnapshot } from './snapshot.js'

/** An engine with a graph in memory and snapshots in the archive. */
export function hnswEngine(
  space: VectorSpace,
  parameters: HnswParameters = defaultHnswParameters,
): VectorEngine {
  const { dir, spaceId, dimension } = space
  const subject = { ...space, parameters }
  const options: HnswOptions = {
    parameters,
    mayHold: (count, held) => refuseTooLarge(space, parameters, count, held),
    snapshots: (index) => ({
      save: (newest) => writeSnapshot(dir, subject, async () => ({ index, lastChange: await newest() })),
    }),
  }
  return {
    open: () => Promise.resolve(HnswIndex.create(dimension, options)),
    load: (newestChange) => loadSnapshot(dir, subject, newestChange, options),
    remove: () => removeSnapshot(dir, spaceId),
    bytesOnDisk: () => snapshotBytesOnDisk(dir, spaceId),
  }
}
