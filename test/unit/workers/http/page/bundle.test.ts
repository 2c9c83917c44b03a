/** The built page: `npm run build` makes it. */
import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'

const built = fileURLToPath(new URL('../../../../../workers/http/page/public/', import.meta.url))
const files = readdirSync(built, { recursive: true, withFileTypes: true })
  .filter((entry) => entry.isFile() && !entry.name.endsWith('.json'))
  .map(({ parentPath, name }) => join(parentPath, name))
const sizeOf = (file: string) => gzipSync(readFileSync(file)).length

describe('the built page', () => {
  it('is below 250 KB with gzip in all', () => {
    const bytes = files.reduce((sum, file) => sum + sizeOf(file), 0)
    assert.ok(bytes > 10_000 && bytes < 250_000, `${bytes} bytes`)
  })

  it('needs nothing of another server', () => {
    for (const file of files)
      assert.doesNotMatch(
        readFileSync(file, 'utf8'),
        /(?:src|href)=["']?(?:https?:)?\/\/|url\(["']?(?:https?:)?\/\/|import\(["'](?:https?:)?\/\//,
        file,
      )
  })

  it('has no script and no style within its document, which its policy forbids', () => {
    const html = readFileSync(join(built, 'index.html'), 'utf8')
    assert.doesNotMatch(html, /<style|style=|<script(?![^>]*src=)|\son[a-z]+=/)
  })
})
