import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import { describe, it } from 'node:test'
import { parseWebhook, postAlert, PostError } from '../../../../workers/alerts/webhook.js'
import { startReceiver, type Answer } from '../../../support/alert-receiver.js'
import { refusedWith } from '../../../support/refused-with.js'

const alert = {
  ...{ clipId: 'c'.repeat(64), name: 'Ada Lovelace', path: '/home/ada/secret folder/party.mp4', score: 0.71 },
  ...{ at: '2024-05-01T12:00:00.000Z', ranges: [{ startS: 1.5, endS: 3, trackId: 7 }] },
}
const never = new AbortController().signal

/** Posts the alert to a server that gives these answers, one after the other. */
async function post(answers: readonly Answer[], secret?: string, timeoutMs = 500) {
  const receiver = await startReceiver(answers)
  const webhook = { ...parseWebhook(`${receiver.url}/hook?token=hidden`, secret), timeoutMs, againAfterMs: 1 }
  try {
    const error = await postAlert(webhook, alert, never).then(
      () => undefined,
      (thrown: unknown) => thrown,
    )
    return { requests: receiver.requests, error, host: webhook.host }
  } finally {
    await receiver.close()
  }
}

describe('an alert that is posted', () => {
  it('holds names, the clip and times: no folder, score, picture or vector', async () => {
    const { requests, error } = await post([200])
    assert.equal(error, undefined)
    const { body = '', method, url, headers } = requests[0] ?? {}
    assert.deepEqual(
      [method, url, headers?.['content-type']],
      ['POST', '/hook?token=hidden', 'application/json'],
    )
    const { id, ...rest } = JSON.parse(body) as Record<string, unknown>
    assert.deepEqual(rest, {
      ...{ v: 1, name: 'Ada Lovelace', clip: 'party.mp4', clipId: 'c'.repeat(64) },
      ...{ ranges: [{ startS: 1.5, endS: 3 }], at: '2024-05-01T12:00:00.000Z' },
    })
    assert.match(String(id), /^[0-9a-f]{32}$/)
    assert.equal(headers?.['x-cameo-signature'], undefined)
  })

  it('has the same id at each attempt, and a signature if there is a secret', async () => {
    const { requests, error } = await post([500, 200], 'key')
    assert.equal(error, undefined)
    const [first, second] = requests
    assert.equal(first?.body, second?.body)
    const wanted = `sha256=${createHmac('sha256', 'key')
      .update(first?.body ?? '')
      .digest('hex')}`
    assert.equal(first?.headers['x-cameo-signature'], wanted)
  })

  it('is tried again after failures that may pass, three times in all', async () => {
    for (const answers of [
      [503, 429, 200],
      ['cut', 200],
      ['hang', 200],
    ] as const)
      assert.equal((await post(answers)).error, undefined, String(answers))
    const { requests, error } = await post([500, 500, 500, 200])
    assert.equal(requests.length, 3)
    assert.ok(error instanceof PostError)
  })

  it('is not tried again after a refusal, and follows no redirect', async () => {
    for (const answer of [401, 404, 400, 302] as const) {
      const { requests, error } = await post([answer, 200])
      assert.equal(requests.length, 1, String(answer))
      assert.ok(error instanceof PostError)
      assert.equal(error.isOfAlert, answer === 400)
    }
    assert.match(String((await post([302])).error), /redirects are not followed/)
  })

  it('errors name the host and never the address, which may hold a token', async () => {
    for (const answers of [[404], [302], ['hang', 'hang', 'hang'], ['cut', 'cut', 'cut']] as const) {
      const { error, host } = await post(answers, undefined, 100)
      assert.ok(error instanceof Error)
      assert.ok(error.message.startsWith(host), error.message)
      assert.doesNotMatch(`${error.message} ${error.stack ?? ''}`, /hidden|token/)
    }
  })

  it('stops at once by the signal', async () => {
    const receiver = await startReceiver(['hang'])
    const stop = new AbortController()
    const posting = postAlert(parseWebhook(receiver.url), alert, stop.signal)
    await receiver.asked(1)
    stop.abort(new Error('stopped'))
    await assert.rejects(posting, /stopped/)
    await receiver.close()
  })
})

describe('the address of a webhook', () => {
  it('may be https, or http to this machine', () => {
    assert.equal(parseWebhook('https://hooks.example:8443/a/secret?b=c').host, 'hooks.example:8443')
    for (const host of ['localhost:1', '127.0.0.1:1', '127.9.9.9', '[::1]:1'])
      assert.equal(parseWebhook(`http://${host}/x`).host, host)
  })

  it('is refused otherwise, without being shown', () => {
    const refused = ['http://hooks.example/secret', 'ftp://localhost/secret', 'secret', 'https://ada:secret@hooks.example', 'http://localhost.hooks.example/secret', 'http://127.0.0.1.hooks.example/secret', 'file:///secret'] // prettier-ignore
    for (const address of refused)
      assert.throws(
        () => parseWebhook(address),
        (error: Error) => refusedWith('USAGE', /^the address of the alert webhook/)(error) && !/secret/.test(error.message), // prettier-ignore
        address,
      )
  })
})
