/** Random questions to every route, made by Schemathesis from the OpenAPI document. */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { after, before, describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import { isDeepStrictEqual, promisify } from 'node:util'
import { openAccess, type Access } from '../../index/access/access.js'
import { changeSettings, readSettings } from '../../index/access/settings.js'
import { temporaryDir } from '../support/cameo.js'
import { startServer, type TestServer } from '../support/http-server.js'
import { peopleArchive } from '../support/people-archive.js'

const run = promisify(execFile)
const seconds = Number(process.env['CAMEO_FUZZ_S'] ?? 30)
/** Settings with which all questions come through. */
const many = 1e6
const open = {
  ...{ requestsPerMinute: many, searchesPerMinute: many, uploadsPerMinute: many, signInsPerMinute: many },
  ...{ purposeRequired: false, approvalRequired: false },
}
let access: Access
let server: TestServer

function restoreSettings(): void {
  const settings = readSettings(access)
  if (!isDeepStrictEqual({ ...settings, ...open }, settings)) changeSettings(access, open)
}

before(async () => {
  const archive = temporaryDir()
  peopleArchive(
    archive,
    ['Ada'],
    [{ path: 'a.mp4', tracks: [{ like: { Ada: 0.9 }, spansS: [[0, 3]] }] }],
  ).close()
  access = openAccess(archive)
  restoreSettings()
  // Who asks is always the owner: a key would be revoked by a random question, and all later ones refused.
  server = await startServer(archive)
})
after(async () => {
  await server.close()
  access.close()
})

describe('random questions', () => {
  it('get no error of the server, and only answers that the document describes', async () => {
    const { stdout: folder } = await run(
      fileURLToPath(new URL('../../../scripts/schemathesis.sh', import.meta.url)),
    )
    // Random settings would limit the further questions, or let no search through. Paths of random jobs are refused.
    const restoring = setInterval(restoreSettings, 20)
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
        ...['--checks', checks.join(',')],
        ...['--phases', 'examples,coverage,fuzzing', '--max-time', `${seconds}`, '--seed', '16'],
        ...['--generation-database', 'none', '--suppress-health-check', 'all', '--warnings', 'off'],
        ...['--continue-on-failure', '--no-shrink'],
      ],
      {
        cwd: temporaryDir(),
        env: { ...process.env, PYTHONPATH: folder.trim() },
        timeout: (seconds + 100) * 1000,
        maxBuffer: 1e8,
      },
    )
      .catch((error: unknown) => {
        if (error instanceof Error && 'stdout' in error)
          assert.fail(`${String(error.stdout)}\n${error.message}`)
        throw error
      })
      .finally(() => clearInterval(restoring))
    restoreSettings()
    const [, count = '0'] = /([\d,]+) generated/.exec(asked.stdout) ?? []
    assert.ok(Number(count.replace(',', '')) > 100, asked.stdout)
    // The random settings and jobs were there, and the settings were restored soon enough.
    const text = await (await server.fetch('/metrics')).text()
    const answers = [...text.matchAll(/^cameo_http_requests_total\{.*route="(.*)",status="(\d+)"\} (\d+)$/gm)]
    const sum = (isMeant: (route: string, status: string) => boolean) =>
      answers.reduce((n, [, route = '', status = '', k]) => n + (isMeant(route, status) ? Number(k) : 0), 0)
    assert.ok(sum((route, status) => route.endsWith('/settings') && status === '200') > 0)
    assert.ok(sum((route, status) => route.endsWith('/jobs') && status === '403') > 0)
    const tooMany = sum((route, status) => !route.endsWith('/settings') && status === '429')
    assert.ok(tooMany + sum((_, status) => status === '401') < sum(() => true) / 10, text)
  })
})
