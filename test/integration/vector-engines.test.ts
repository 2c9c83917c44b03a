import { after, before } from 'node:test'
import { exactEngine } from '../../index/vectors/exact/exact-engine.js'
import { hnswEngine } from '../../index/vectors/hnsw/hnsw-engine.js'
import type { VectorEngineFactory } from '../../index/vectors/vector-engine.js'
import { describeEngine } from '../support/engine-conformance.js'
import { pgvectorEngine } from '../support/pgvector-engine.js'
import { startPostgres, type TestPostgres } from '../support/postgres.js'
import { RemoteStandIn } from '../support/remote-stand-in.js'

let postgres: TestPostgres
let pgvector: VectorEngineFactory
before(async () => {
  postgres = await startPostgres()
  pgvector = pgvectorEngine(postgres)
})
after(() => postgres.stop())

const unreliable = new RemoteStandIn({ latencyMs: 2, failing: 0.2 })

describeEngine('exact', { factory: () => exactEngine, recall: 1 })
describeEngine('hnsw', { factory: () => hnswEngine, recall: 0.999 })
describeEngine('unreliable', { factory: () => unreliable.factory, recall: 1 })
describeEngine('pgvector', { factory: () => pgvector, recall: 1 })
