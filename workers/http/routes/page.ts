import fastifyStatic from '@fastify/static'
import type { FastifyInstance, FastifyReply } from 'fastify'
import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { z } from 'zod'
import { CameoError } from '../../../pipeline/common/errors.js'
import { addresses } from '../page/src/app/addresses.js'

const builtDir = fileURLToPath(new URL('../page/public/', import.meta.url))
const yearS = 365 * 24 * 3600

/**
 * The page: static files, and the same document at each address of the page. Everybody may fetch it; it contains nothing of the
 * archive.
 */
export async function addPage(app: FastifyInstance): Promise<void> {
  if (!existsSync(builtDir)) {
    app.get('/', hidden, () => {
      throw new CameoError('NOT_FOUND', 'the page was not built')
    })
    return
  }
  const policy = pagePolicy()
  await app.register(fastifyStatic, { root: builtDir, serve: false, cacheControl: false, index: false })
  app.get<{ Params: { readonly '*': string } }>('/assets/*', hidden, (request, reply) =>
    // Their names contain a digest of their content.
    sent(reply, `assets/${request.params['*']}`, `public, max-age=${yearS}, immutable`),
  )
  app.get('/icon.svg', hidden, (_request, reply) => sent(reply, 'icon.svg', 'public, max-age=86400'))
  for (const address of Object.values(addresses))
    app.get(address, hidden, (_request, reply) =>
      sent(reply.header('content-security-policy', policy), 'index.html', 'no-cache'),
    )
}

const hidden = { config: { right: 'anonymous' }, schema: { hide: true } } as const

const sent = (reply: FastifyReply, file: string, cacheControl: string) =>
  reply.header('cache-control', cacheControl).sendFile(file)

/** Only own files. The inline styles of the player's elements are listed by their digests. */
function pagePolicy(): string {
  const file = new URL('../page/public/style-hashes.json', import.meta.url)
  const hashes = z.array(z.string()).parse(JSON.parse(readFileSync(file, 'utf8')))
  return [
    "default-src 'self'",
    `style-src 'self' ${hashes.join(' ')}`,
    "img-src 'self' data: blob:",
    "media-src 'self' blob:",
    "object-src 'none'",
    "base-uri 'none'",
    "form-action 'self'",
    "frame-ancestors 'none'",
  ].join('; ')
}
