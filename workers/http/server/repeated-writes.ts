import { createHash } from 'node:crypto'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { z } from 'zod'
import type { Access } from '../../../index/access/access.js'
import { abandonWrite, beginWrite, finishWrite } from '../../../index/access/kept-answers.js'
import { CameoError } from '../../../pipeline/common/errors.js'

/** A write whose answer is kept. */
interface KeptWrite {
  readonly actor: string
  readonly idempotencyKey: string
}

declare module 'fastify' {
  interface FastifyRequest {
    keptWrite: KeptWrite | undefined
  }
}

const keyHeader = 'idempotency-key'
const writes: ReadonlySet<string> = new Set(['POST', 'PUT', 'PATCH', 'DELETE'])

/**
 * Writes may carry a key of the client's choice. If the same write is sent again, because its answer was lost, it is not done
 * again: the client gets the first answer.
 */
export function keepRepeatedWrites(app: FastifyInstance, access: Access): void {
  app.decorateRequest('keptWrite', undefined)
  app.addHook('preHandler', async (request, reply) => {
    const key = request.headers[keyHeader]
    const { actor } = request
    if (typeof key !== 'string' || !writes.has(request.method) || actor.kind === 'anonymous') return
    if (key.length > 200)
      throw new CameoError('USAGE', `the header ${keyHeader} is longer than 200 characters`)
    const write = { actor: `${actor.kind} ${actor.id}`, idempotencyKey: key }
    const answer = beginWrite(access, write, digestOf(request))
    if (answer === undefined) {
      request.keptWrite = write
      return
    }
    await reply
      .code(answer.status)
      .type('application/json; charset=utf-8')
      .serializer(String)
      .send(answer.body)
  })
  app.addHook('onSend', (request, reply, payload, done) => {
    const write = request.keptWrite
    request.keptWrite = undefined
    if (write !== undefined) {
      const isKept = reply.statusCode < 400 && typeof payload === 'string'
      const { shownOnce = [] } = request.routeOptions.config
      if (isKept) finishWrite(access, write, { status: reply.statusCode, body: without(payload, shownOnce) })
      else abandonWrite(access, write)
    }
    done()
  })
}

const objectSchema = z.record(z.string(), z.unknown())

/** A JSON object without some of its fields. What lies deeper stays, for example within a signed receipt. */
function without(json: string, fields: readonly string[]): string {
  if (fields.length === 0) return json
  const all = Object.entries(objectSchema.parse(JSON.parse(json)))
  return JSON.stringify(Object.fromEntries(all.filter(([field]) => !fields.includes(field))))
}

const digestOf = ({ method, url, body }: FastifyRequest): string =>
  createHash('sha256')
    .update(JSON.stringify([method, url, body ?? null]))
    .digest('hex')
