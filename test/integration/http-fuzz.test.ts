/** Random questions to every route, made by Schemathesis from the OpenAPI document. */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { after, before, describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { temporaryDir } from '../support/cameo.js'
import { startAccessServer, type AccessServer } from '../support/http-access.js'
import { peopleArchive } from '../support/people-archive.js'

const run = promisify(execFile)
const seconds = Number(process.env['CAMEO_FUZZ_S'] ?? 20)
let server: AccessServer

before(async () => {
  const archive = temporaryDir()
  peopleArchive(
    archive,
    ['Ada'],
    [{ path: 'a.mp4', tracks: [{ like: { Ada: 0.9 }, spansS: [[0, 3]] }] }],
  ).close()
  server = await startAccessServer(archive)
})
after(() => server.close())

describe('random questions', () => {
  it('get no error of the server, and only answers that the document describes', async () => {
    const { stdout: folder } = await run(
      fileURLToPath(new URL('../../../scripts/schemathesis.sh', import.meta.url)),
    )
    const { userId } = await server.user('fuzz', ['administrator'])
    const { key } = server.key(userId, ['administrator'])
    const checks = [
      'not_a_server_error',
      'status_code_conformance',
      'content_type_conformance',
      'response_schema_conformance',
      'response_headers_conformance',
    ]
    const asked = await run(
      'python3',
      [
        ...['-m', 'schemathesis.cli', 'run', `${server.url}/openapi.json`, '--no-color'],
        ...['--header', `Authorization: Bearer ${key}`, '--checks', checks.join(',')],
        ...['--phases', 'examples,coverage,fuzzing', '--max-time', `${seconds}`, '--seed', '16'],
        ...['--generation-database', 'none', '--suppress-health-check', 'all', '--warnings', 'off'],
        // Random settings would limit the further questions, and random jobs would read this machine's files.
        ...['--exclude-path-regex', '/(settings|jobs)$', '--continue-on-failure', '--no-shrink'],
      ],
      {
        cwd: temporaryDir(),
        env: { ...process.env, PYTHONPATH: folder.trim() },
        timeout: (seconds + 100) * 1000,
        maxBuffer: 1e8,
      },
    ).catch((error: unknown) => {
      if (error instanceof Error && 'stdout' in error)
        assert.fail(`${String(error.stdout)}\n${error.message}`)
      throw error
    })
    const [, count = '0'] = /([\d,]+) generated/.exec(asked.stdout) ?? []
    assert.ok(Number(count.replace(',', '')) > 100, asked.stdout)
  })
})
