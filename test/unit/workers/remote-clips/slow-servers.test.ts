import assert from 'node:assert/strict'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { CameoError } from '../../../../pipeline/common/errors.js'
import { createClipAccess } from '../../../../workers/remote-clips/clip-access.js'
import { temporaryDir } from '../../../support/cameo.js'
import { dripsBody, dripsHeaders, slowServer } from '../../../support/slow-server.js'

const dir = temporaryDir()
const limits = { answerS: 0.3, windowS: 0.3, leastBytesPerS: 100_000 }

/** The error of opening a clip, after all its connections are closed. */
async function failure(
  uri: string,
  { host, open }: Awaited<ReturnType<typeof slowServer>>,
): Promise<CameoError> {
  const access = createClipAccess({
    rules: { roots: [], hosts: new Set([host, 's3://bucket']) },
    ...{ scratchDir: join(dir, 'scratch'), scratchBytes: 2e9, limits },
  })
  const error: unknown = await access.open(uri, undefined, new AbortController().signal).then(
    () => undefined,
    (thrown: unknown) => thrown,
  )
  assert.ok(error instanceof CameoError, String(error))
  while (open.size > 0) await pause(5)
  return error
}

describe('servers that send single bytes slowly', { timeout: 60_000 }, () => {
  for (const [what, beginning, said] of [
    [
      'in the body',
      dripsBody,
      /"a\.mp4" is stopped for now: the server sends too slowly: \d+ bytes in 0\.3 s/,
    ],
    ['in the headers', dripsHeaders, /the server did not answer within 0\.3 s/],
    ['in the headers, after a redirect', undefined, /the server did not answer within 0\.3 s/],
  ] as const)
    it(`http, ${what}: the fetch fails, and the connection is closed`, async () => {
      const moved = 'HTTP/1.1 302 Found\r\nlocation: /b.mp4\r\ncontent-length: 0\r\nconnection: close\r\n\r\n'
      const server = await slowServer((path) => beginning ?? (path === '/a.mp4' ? moved : dripsHeaders))
      const error = await failure(`http://${server.host}/a.mp4`, server)
      assert.deepEqual([error.code, error.retriable], ['CLIP_FETCH_SLOW', true])
      assert.match(error.message, said)
    })

  it('s3, in the body and in the headers: the same', async () => {
    // One server, because the AWS SDK's client keeps the address that it was created with.
    const server = await slowServer((path) =>
      path.startsWith('/bucket/') ? (path.includes('body') ? dripsBody : dripsHeaders) : undefined,
    )
    Object.assign(process.env, {
      ...{ AWS_ENDPOINT_URL_S3: `http://${server.host}`, AWS_REGION: 'us-east-1' },
      ...{ AWS_ACCESS_KEY_ID: 'test', AWS_SECRET_ACCESS_KEY: 'test' },
    })
    for (const key of ['body.mp4', 'headers.mp4']) {
      const error = await failure(`s3://bucket/${key}`, server)
      assert.deepEqual([key, error.code, error.retriable], [key, 'CLIP_FETCH_SLOW', true])
    }
  })
})
