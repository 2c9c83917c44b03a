import type { FastifyReply } from 'fastify'

/** A signal that is aborted when whoever asked has gone, or has the whole answer. */
export function whenLeft(reply: FastifyReply): AbortSignal {
  const left = new AbortController()
  if (reply.raw.destroyed) left.abort()
  else reply.raw.once('close', () => left.abort())
  return left.signal
}
