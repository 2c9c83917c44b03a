import { createHash } from 'node:crypto'
import type { FastifyReply } from 'fastify'

/**
 * Answers with a picture that only the asker's own browser may keep, and that it must ask for again each time: what was forgotten
 * does not stay in sight.
 * @param known the header `If-None-Match`
 */
export function sendJpeg(reply: FastifyReply, jpeg: Uint8Array, known: string | undefined): FastifyReply {
  const etag = `"${createHash('sha256').update(jpeg).digest('base64url').slice(0, 22)}"`
  reply.header('etag', etag).header('cache-control', 'private, no-cache')
  if (known?.split(',').some((each) => each.trim() === etag) === true) return reply.code(304).send()
  return reply.type('image/jpeg').send(Buffer.from(jpeg))
}
