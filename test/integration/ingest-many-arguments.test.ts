import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { cameo, jsonLines, temporaryDir } from '../support/cameo.js'

describe('ingest: a long command line', () => {
  it('hundreds of files with long names are taken, though the runtime needs stack for each character', async () => {
    const dir = temporaryDir()
    const files = Array.from({ length: 400 }, (_, i) => join(dir, `${'a long name '.repeat(10)}${i}.mp4`))
    for (const file of files) writeFileSync(file, '')
    const run = await cameo(['ingest', ...files, '--archive', join(dir, 'archive'), '--json'])
    assert.equal(run.code, 1, run.stderr)
    const results = jsonLines(run.stdout)
    assert.equal(results.length, files.length)
    assert.ok(results.every(({ code }) => code === 'CLIP_EMPTY'))
  })
})
