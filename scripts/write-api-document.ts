// Writes the OpenAPI document of the server: node dist/scripts/write-api-document.js FILE
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { serve } from '../workers/http/serve.js'
import { createSilentLog } from '../workers/service/log.js'

const [file] = process.argv.slice(2)
if (file === undefined) {
  process.stderr.write('usage: write-api-document.js FILE\n')
  process.exit(2)
}
const dir = mkdtempSync(join(tmpdir(), 'cameo-api-'))
const server = await serve({ archive: dir, port: 0, log: createSilentLog() })
try {
  const document: unknown = await (await fetch(`${server.url}/openapi.json`)).json()
  writeFileSync(file, `${JSON.stringify(document, undefined, 2)}\n`)
} finally {
  await server.close()
  rmSync(dir, { recursive: true, force: true })
}
