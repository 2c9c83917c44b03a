import pg from 'pg'
import { checkBatch, labelIsKnown, normaliseQuery } from '../../index/vectors/check-vectors.js'
import type { VectorEngineFactory, VectorSpace } from '../../index/vectors/vector-engine.js'
import type { ChangeBatch, LabelledVector, Neighbor, VectorIndex } from '../../index/vectors/vector-index.js'
import type { PostgresAddress } from './postgres.js'

/**
 * A vector engine in Postgres with pgvector and exact search. Rows of erased labels stay, without their
 * vectors, so that a late change does not restore them.
 */
const schema = `
  CREATE EXTENSION IF NOT EXISTS vector;
  CREATE TABLE IF NOT EXISTS cameo_spaces (space text PRIMARY KEY, last_change bigint NOT NULL DEFAULT 0);
  CREATE TABLE IF NOT EXISTS cameo_vectors (
    space text NOT NULL REFERENCES cameo_spaces ON DELETE CASCADE,
    label bigint NOT NULL,
    embedding vector,
    PRIMARY KEY (space, label)
  )`

/** Any number: the process that creates the tables holds this lock. */
const schemaLock = 20_240_516

const limits = { connectionTimeoutMillis: 2000, query_timeout: 20_000, max: 4 }

export function pgvectorEngine(address: PostgresAddress): VectorEngineFactory {
  const { host, user, database } = address
  return (space) => ({
    reach: { firstPauseMs: 30 },
    async open() {
      const pool = new pg.Pool({ host, user, database, ...limits })
      // A connection can break while it is idle. The next call reports the error.
      pool.on('error', () => undefined)
      try {
        await prepare(pool, keyOf(space))
        return new PgvectorIndex(pool, space)
      } catch (error) {
        await pool.end()
        throw error
      }
    },
    async remove() {
      const index = await this.open()
      await index.durable?.clear()
      await index.close()
    },
  })
}

const keyOf = ({ archiveId, spaceId, digest }: VectorSpace) => `${archiveId}/${spaceId}/${digest}`

async function prepare(pool: pg.Pool, key: string): Promise<void> {
  await inTransaction(pool, async (client) => {
    await client.query('SELECT pg_advisory_xact_lock($1)', [schemaLock])
    await client.query(schema)
    await client.query('INSERT INTO cameo_spaces (space) VALUES ($1) ON CONFLICT DO NOTHING', [key])
  })
}

async function inTransaction<T>(pool: pg.Pool, work: (client: pg.PoolClient) => Promise<T>): Promise<T> {
  const client = await pool.connect()
  try {
    await client.query('BEGIN')
    const result = await work(client)
    await client.query('COMMIT')
    client.release()
    return result
  } catch (error) {
    // Closed instead of reused, because it may hold half of a transaction.
    client.release(true)
    throw error
  }
}

class PgvectorIndex implements VectorIndex {
  readonly dimension: number
  readonly #pool: pg.Pool
  readonly #key: string

  constructor(pool: pg.Pool, space: VectorSpace) {
    this.dimension = space.dimension
    this.#pool = pool
    this.#key = keyOf(space)
  }

  readonly durable = {
    lastChange: async (): Promise<number> => {
      const { rows } = await this.#pool.query<{ lastChange: number }>(
        'SELECT last_change::float8 AS "lastChange" FROM cameo_spaces WHERE space = $1',
        [this.#key],
      )
      return rows[0]?.lastChange ?? 0
    },
    apply: ({ add, erase, lastChange = 0 }: ChangeBatch): Promise<void> => {
      checkBatch(add, this.dimension, () => false)
      return inTransaction(this.#pool, async (client) => {
        // Locks the space, so that two processes do not wait for each other's rows.
        await client.query(
          `INSERT INTO cameo_spaces VALUES ($1, $2) ON CONFLICT (space)
           DO UPDATE SET last_change = greatest(cameo_spaces.last_change, excluded.last_change)`,
          [this.#key, lastChange],
        )
        await this.#insert(client, add, 'ON CONFLICT DO NOTHING')
        await client.query(
          `INSERT INTO cameo_vectors SELECT $1, unnest($2::bigint[]), NULL
           ON CONFLICT (space, label) DO UPDATE SET embedding = NULL`,
          [this.#key, erase],
        )
      })
    },
    clear: async (): Promise<void> => {
      await this.#pool.query('DELETE FROM cameo_spaces WHERE space = $1', [this.#key])
    },
  }

  async count(): Promise<number> {
    const { rows } = await this.#pool.query<{ count: number }>(
      'SELECT count(embedding)::float8 AS count FROM cameo_vectors WHERE space = $1',
      [this.#key],
    )
    return rows[0]?.count ?? 0
  }

  async has(labels: readonly number[]): Promise<boolean[]> {
    const { rows } = await this.#pool.query<{ label: number }>(
      'SELECT label::float8 AS label FROM cameo_vectors WHERE space = $1 AND label = ANY ($2::bigint[])',
      [this.#key, labels],
    )
    const known = new Set(rows.map(({ label }) => label))
    return labels.map((label) => known.has(label))
  }

  async add(vectors: readonly LabelledVector[]): Promise<void> {
    checkBatch(vectors, this.dimension, () => false)
    try {
      await inTransaction(this.#pool, (client) => this.#insert(client, vectors, ''))
    } catch (error) {
      if (!(error instanceof pg.DatabaseError) || error.code !== uniqueViolation) throw error
      const known = await this.has(vectors.map(({ label }) => label))
      throw labelIsKnown(vectors.find((_, i) => known[i])?.label ?? -1)
    }
  }

  async erase(labels: readonly number[]): Promise<void> {
    await this.#pool.query(
      'UPDATE cameo_vectors SET embedding = NULL WHERE space = $1 AND label = ANY ($2::bigint[])',
      [this.#key, labels],
    )
  }

  async search(queries: readonly Float32Array[], k: number): Promise<Neighbor[][]> {
    const unit = queries.map((query) => {
      const values = new Float64Array(this.dimension)
      normaliseQuery(query, values)
      return toText(values)
    })
    const { rows } = await this.#pool.query<{ at: number; label: number; cosine: number }>(
      `SELECT q.at::float8 AS at, found.label::float8 AS label, found.cosine
       FROM unnest($2::vector[]) WITH ORDINALITY AS q (query, at) CROSS JOIN LATERAL (
         SELECT label, -(embedding <#> q.query) AS cosine FROM cameo_vectors
         WHERE space = $1 AND embedding IS NOT NULL ORDER BY embedding <#> q.query, label LIMIT $3
       ) AS found ORDER BY q.at, found.cosine DESC, found.label`,
      [this.#key, unit, k],
    )
    const answers = queries.map((): Neighbor[] => [])
    for (const { at, label, cosine } of rows) answers[at - 1]?.push({ label, cosineSimilarity: cosine })
    return answers
  }

  close(): Promise<void> {
    return this.#pool.end()
  }

  async #insert(client: pg.PoolClient, vectors: readonly LabelledVector[], onConflict: string) {
    await client.query(
      `INSERT INTO cameo_vectors SELECT $1, unnest($2::bigint[]), unnest($3::vector[]) ${onConflict}`,
      [this.#key, vectors.map(({ label }) => label), vectors.map(({ vector }) => toText(vector))],
    )
  }
}

const uniqueViolation = '23505'

const toText = (vector: Float32Array | Float64Array) => `[${vector.join(',')}]`
