import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { chooseVectorEngine } from '../../index/archive/choose-engine.js'
import { finishErasure } from '../../index/archive/finish-erasure.js'
import { openArchiveIndex } from '../../index/archive/open-archive-index.js'
import { openArchive, type Archive } from '../../index/archive/open-archive.js'
import { forgetClip } from '../../index/identities/forget.js'
import { searchClips } from '../../index/search/search-clips.js'
import type { SearchAnswer } from '../../index/search/clip-match.js'
import { createDescriptorStore } from '../../index/store/descriptors.js'
import type { VectorEngineFactory } from '../../index/vectors/vector-engine.js'
import { temporaryDir } from '../support/cameo.js'
import { describeEngine } from '../support/engine-conformance.js'
import { pgvectorEngine } from '../support/pgvector-engine.js'
import { startPostgres, type TestPostgres } from '../support/postgres.js'
import { RemoteStandIn } from '../support/remote-stand-in.js'
import { storeClips } from '../support/stored-clips.js'

let postgres: TestPostgres
let pgvector: VectorEngineFactory
before(async () => {
  postgres = await startPostgres()
  pgvector = pgvectorEngine(postgres)
})
after(() => postgres.stop())

const unreliable = new RemoteStandIn({ latencyMs: 2, failing: 0.2 })

describeEngine('exact', { recall: 1 })
describeEngine('hnsw', { recall: 0.999 })
describeEngine('unreliable', { factory: () => unreliable.factory, recall: 1 })
describeEngine('pgvector', { factory: () => pgvector, recall: 1 })

describe('an archive that is searched through Postgres', () => {
  const clips = 9

  /** An archive of the same clips every time, searched through one engine. */
  async function archiveWith(engine: string): Promise<Archive> {
    const dir = temporaryDir()
    storeClips(dir, clips).close()
    const archive = openArchive(dir, { engines: { pgvector } })
    await chooseVectorEngine(archive, engine)
    return archive
  }

  /** The answers to a question with each person's first track, closing and opening the index in between. */
  async function answersOf(archive: Archive): Promise<SearchAnswer[]> {
    const { descriptors } = createDescriptorStore(archive.database).liveAfter(1, -1, 12)
    const answers: SearchAnswer[] = []
    for (const { vector } of descriptors) {
      assert.ok(vector instanceof Float32Array)
      const index = await openArchiveIndex(archive)
      answers.push(await searchClips(archive, index, vector, { top: 20, minScore: 0.3, weakScore: -1 }))
      await index.close()
    }
    return answers
  }

  it('gives the same answers as an archive searched through the graph, also after an erasure', async () => {
    const [inPostgres, inGraph] = [await archiveWith('pgvector'), await archiveWith('hnsw')]
    const answers = await answersOf(inPostgres)
    assert.deepEqual(answers, await answersOf(inGraph))
    assert.deepEqual(answers.map(({ matches }) => matches.length), Array(12).fill(clips / 3)) // prettier-ignore
    for (const archive of [inPostgres, inGraph]) {
      forgetClip(archive.database, '4'.repeat(64))
      await finishErasure(archive, { waitMs: 0, hasFollower: false })
    }
    const later = await answersOf(inPostgres)
    assert.deepEqual(later, await answersOf(inGraph))
    assert.equal(later[0]?.tracksSearched, 4 * (clips - 1))
    for (const archive of [inPostgres, inGraph]) archive.close()
  })

  it('reports that Postgres is unavailable, and answers again when it is back', async () => {
    const archive = await archiveWith('pgvector')
    const answers = await answersOf(archive)
    await postgres.stop()
    await assert.rejects(openArchiveIndex(archive), {
      ...{ code: 'ARCHIVE_BUSY', retriable: true, message: /"pgvector" of the archive cannot be reached/ },
    })
    const opening = openArchiveIndex(archive)
    await postgres.start()
    await (await opening).close()
    assert.deepEqual(await answersOf(archive), answers)
    archive.close()
  })
})
