import assert from 'node:assert/strict'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { it } from 'node:test'
import { openArchive } from '../../index/archive/open-archive.js'
import { openArchiveIndex } from '../../index/archive/open-archive-index.js'
import { createDescriptorStore } from '../../index/store/descriptors.js'
import { defaultExactUpTo } from '../../index/vectors/archive/engine-plan.js'
import { createVectorFollower } from '../../workers/ingest/vector-follower.js'
import { temporaryDir } from '../support/cameo.js'
import { createDirections } from '../support/vectors.js'

const dimension = 16
const spaceId = 1

it('a follower builds the graph as soon as exact search is slower, and the next start only loads it', async () => {
  const dir = join(temporaryDir(), 'archive')
  const archive = openArchive(dir, { create: true })
  const { database } = archive
  database.exec(`
    INSERT INTO clips (clip_id, size_bytes, added_at) VALUES ('clip', 1, '');
    INSERT INTO runs (clip_id, recipe, segments, cuttable, state) VALUES ('clip', 'recipe', 1, 1, 'working');
    INSERT INTO spaces (space_id, digest, dimension, description, active)
      VALUES (${spaceId}, 'one', ${dimension}, '{}', 1)`)
  const store = createDescriptorStore(database)
  const next = createDirections(dimension, 5)
  const track = database.prepare(
    `INSERT INTO tracks (clip_id, recipe, segment, number, spans, samples, quality, provider)
     VALUES ('clip', 'recipe', 0, ?, '[]', 1, 1, 'cpu')`,
  )
  const insert = database.transaction((from: number, to: number) => {
    for (let i = from; i < to; i++) {
      track.run(i)
      store.insert(spaceId, i + 1, next())
    }
  })

  const notices: string[] = []
  const follower = createVectorFollower(archive, (text) => notices.push(text))
  insert(0, defaultExactUpTo)
  follower.follow()
  insert(defaultExactUpTo, defaultExactUpTo + 50)
  await follower.close()
  assert.ok(readdirSync(join(dir, 'vectors')).includes('vectors-1.json'))

  const index = await openArchiveIndex(archive, { onNotice: (text) => notices.push(text) })
  const { engine, size, unsavedChanges } = index.stats()
  assert.deepEqual({ engine, size, unsavedChanges }, { engine: 'hnsw', size: defaultExactUpTo + 50, unsavedChanges: 0 }) // prettier-ignore
  assert.deepEqual(notices, [])
  await index.close()
  archive.close()
})
