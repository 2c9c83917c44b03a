import type { FastifyReply, FastifyRequest } from 'fastify'
import type { FastifyPluginCallbackZod } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { signInFromProvider, type ProviderAccount } from '../../../index/access/provider-sign-in.js'
import { CameoError } from '../../../pipeline/common/errors.js'
import type { OidcProvider } from '../door/oidc.js'
import type { ServerParts } from '../server/parts.js'

const tags = ['session']
const response = { 302: z.null().describe('The browser goes on there.') }
export const startPath = '/oidc/start'
const callbackPath = '/oidc/callback'
const apiPrefix = '/api/v1'

/** Addresses of a browser that signs in with an account elsewhere. Whatever fails leads back to the page. */
export const oidcRoutes =
  (parts: ServerParts): FastifyPluginCallbackZod =>
  (app, _options, done) => {
    const { oidc, flowCookie } = parts
    app.route({
      method: 'GET',
      url: startPath,
      config: { right: 'anonymous', limit: 'signInsPerMinute' },
      schema: { summary: 'Begin to sign in with an account elsewhere.', tags, response },
      handler: (request, reply) =>
        orBackToPage(parts, request, reply, async () => {
          const begun = await required(oidc).begin(
            new URL(`${apiPrefix}${callbackPath}`, ownAddress(request)),
          )
          flowCookie.write(reply, begun.secret)
          return begun.url
        }),
    })
    app.route({
      method: 'GET',
      url: callbackPath,
      config: { right: 'anonymous', limit: 'signInsPerMinute' },
      schema: { summary: 'Where the provider sends the browser afterwards.', tags, response },
      handler: (request, reply) =>
        orBackToPage(parts, request, reply, async () => {
          const provider = required(oidc)
          const secret = flowCookie.take(request, reply)
          if (secret === undefined) throw new CameoError('SIGN_IN_FAILED', 'the sign-in did not begin here')
          const account = await provider.finish(new URL(request.url, ownAddress(request)), secret)
          await welcome(parts, request, reply, { ...account, newUserRoles: provider.newUserRoles })
          return '/'
        }),
    })
    done()
  }

function required(oidc: OidcProvider | undefined): OidcProvider {
  if (oidc === undefined) throw new CameoError('NOT_FOUND', 'accounts elsewhere are not used here')
  return oidc
}

/** Starts a session of the account's user, always with a new token. */
async function welcome(
  { access, audit, cookie }: ServerParts,
  request: FastifyRequest,
  reply: FastifyReply,
  account: ProviderAccount,
): Promise<void> {
  const signed = signInFromProvider(access, { ...account, replaces: cookie.read(request) })
  const { userId, name, roles } = signed.user
  const actor = { kind: 'user' as const, id: userId, name }
  if (signed.isNew)
    await audit.append({ actor, action: 'user-create', outcome: 'done', details: { userId, roles } })
  await audit.append({ actor, action: 'sign-in', outcome: 'done', details: { issuer: account.issuer } })
  cookie.write(reply, signed.token, signed.expiresAt)
}

const shownByPage: ReadonlySet<string> = new Set(['SIGN_IN_FAILED', 'SIGN_IN_UNAVAILABLE'])

/** The page shows why it failed: a person looks at the answer, not a program. */
async function orBackToPage(
  { audit, oidc }: ServerParts,
  request: FastifyRequest,
  reply: FastifyReply,
  next: () => Promise<string>,
): Promise<void> {
  reply.header('cache-control', 'no-store')
  try {
    await reply.redirect(await next())
  } catch (error) {
    if (!(error instanceof CameoError) || !shownByPage.has(error.code)) throw error
    request.log.warn({ err: error.cause ?? error }, 'sign-in failed')
    if (error.code === 'SIGN_IN_FAILED')
      await audit.append({
        ...{ actor: { kind: 'anonymous', id: '', name: '' }, action: 'sign-in-failed', outcome: 'refused' },
        details: { address: request.ip, provider: oidc?.label },
      })
    await reply.redirect(`/sign-in?problem=${error.code}`)
  }
}

/** The address at which the browser reaches this server. The provider compares it with those that it knows. */
function ownAddress({ protocol, host }: FastifyRequest): URL {
  const address = `${protocol}://${host}`
  if (!URL.canParse(address)) throw new CameoError('USAGE', 'the header Host is not valid')
  return new URL(address)
}
