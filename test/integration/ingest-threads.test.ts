import assert from 'node:assert/strict'
import { mkdirSync, realpathSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { dumpArchive } from '../support/archive-dump.js'
import { cameo, temporaryDir } from '../support/cameo.js'
import { faceNames, makeFaceClip } from '../support/faces.js'

const dir = realpathSync(temporaryDir())

describe('ingest: threads', () => {
  it('the result does not depend on how many there are', async () => {
    const folder = join(dir, 'clips')
    mkdirSync(folder)
    await makeFaceClip(join(folder, 'film.mp4'), 'costumes right', {
      seconds: 7,
      then: ['bar left', 'bar right'],
    })
    await makeFaceClip(join(folder, 'film.ts'), 'party first', { seconds: 5, then: ['party second'] })
    for (const face of faceNames.slice(0, 6))
      await makeFaceClip(join(folder, `${face}.mp4`), face, { seconds: 1 })
    const dumps: string[][] = []
    for (const threads of ['1', '2', '5']) {
      const archive = join(dir, `archive ${threads}`)
      const run = await cameo([
        'ingest',
        folder,
        '--archive',
        archive,
        '--segment',
        '1',
        '--threads',
        threads,
      ])
      assert.equal(run.code, 0, run.stderr)
      dumps.push(dumpArchive(archive))
    }
    const [one = []] = dumps
    assert.equal(one.filter((line) => line.startsWith('segments ')).length, 7 + 5 + 6)
    assert.ok(one.some((line) => line.startsWith('descriptor ')))
    for (const dump of dumps) assert.deepEqual(dump, one)
  })
})
