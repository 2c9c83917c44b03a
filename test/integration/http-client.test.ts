import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { after, before, describe, it } from 'node:test'
import { createApiKey } from '../../index/access/api-keys.js'
import { openAccess } from '../../index/access/access.js'
import { createUser } from '../../index/access/users.js'
import { createClient, type CameoClient } from '../../workers/http/client/client.js'
import { serve, type RunningServer } from '../../workers/http/serve.js'
import { createSilentLog } from '../../workers/service/log.js'
import { temporaryDir } from '../support/cameo.js'
import { madeClipId, peopleArchive } from '../support/people-archive.js'

const documentFile = new URL('../../../docs/openapi.json', import.meta.url)

describe('the typed client', () => {
  let server: RunningServer
  let client: CameoClient
  before(async () => {
    const archive = temporaryDir()
    peopleArchive(
      archive,
      ['Ada'],
      [{ path: '/films/a.mp4', tracks: [{ like: { Ada: 0.9 }, spansS: [[0, 3]] }] }],
    ).close()
    const access = openAccess(archive)
    const user = await createUser(access, { name: 'carl', roles: ['curator'] })
    const key = createApiKey(access, {
      ...{ userId: user.userId, name: 'test', roles: ['curator'] },
      expiresAt: new Date(Date.now() + 60_000),
    })
    access.close()
    server = await serve({ archive, port: 0, log: createSilentLog(), temporaryDir: temporaryDir() })
    client = createClient({ url: server.url, key: key.text })
  })
  after(() => server.close())

  it('searches with an API key, and reads the clip that was found', async () => {
    const { data } = await client.POST('/api/v1/searches', { body: { subject: { name: 'Ada' }, top: 5 } })
    assert.deepEqual(
      data?.matches.map(({ clipId }) => clipId),
      [madeClipId(0)],
    )
    const clip = await client.GET('/api/v1/clips/{clipId}', { params: { path: { clipId: madeClipId(0) } } })
    assert.deepEqual(
      clip.data?.people.map(({ name }) => name),
      ['Ada'],
    )
  })

  it('returns a problem with a code where the server refuses', async () => {
    const { error, response } = await client.POST('/api/v1/searches', {
      body: { subject: { name: 'Bob' }, top: 5 },
    })
    assert.equal(response.status, 404)
    assert.equal(error?.code, 'NAME_UNKNOWN')
    const users = await client.GET('/api/v1/audit')
    assert.equal(users.response.status, 403)
  })

  it('has the types of the document that the server serves: run npm run generate:client after a change of routes', async () => {
    const served: unknown = await (await fetch(`${server.url}/openapi.json`)).json()
    assert.deepEqual(served, JSON.parse(readFileSync(documentFile, 'utf8')))
  })
})
