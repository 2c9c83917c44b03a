import { z } from 'zod'
import { messageOf } from '../../common/errors.js'
import { AnswerWait, usualLimits, type TransferLimits } from '../../common/transfer-pace.js'
import type { PackSource } from './pack.js'

type WheelSource = Extract<PackSource, { readonly kind: 'wheel' }>

export interface WheelPlace {
  readonly url: string
  /** To send with the request. */
  readonly headers: Readonly<Record<string, string>>
}

/** pip's default index. */
const defaultIndex = 'https://pypi.org/simple'

/** A page of links is much smaller. */
const mostPageBytes = 32 * 2 ** 20

const answerSchema = z.object({ files: z.array(z.object({ filename: z.string(), url: z.string() })) })

/**
 * Finds a wheel in the Python package index of `PIP_INDEX_URL`, as pip does: through the simple repository API, in JSON
 * or HTML (PEP 503, PEP 691). A user name and password in the index's address are sent to its host only.
 * @throws Error with a sentence if the index does not answer or has no such file
 */
export async function findWheel(
  { package: spec, file }: WheelSource,
  { limits = usualLimits, signal }: { readonly limits?: TransferLimits; readonly signal?: AbortSignal },
): Promise<WheelPlace> {
  const index = indexAddress()
  const [name = ''] = spec.split('==')
  const page = new URL(`${normalisedName(name)}/`, index.base)
  const answer = new AnswerWait(limits, signal)
  const response = await answer.orLate(
    fetch(page, {
      headers: {
        ...index.headers,
        accept:
          'application/vnd.pypi.simple.v1+json, application/vnd.pypi.simple.v1+html;q=0.2, text/html;q=0.1',
      },
      signal: answer.signal,
    }),
  )
  if (!response.ok)
    throw new Error(`${page.href} answered ${response.status} ${response.statusText}`.trimEnd())
  if (Number(response.headers.get('content-length') ?? 0) > mostPageBytes)
    throw new Error(`${page.href} is not a page of a package index`)
  const text = await answer.orLate(response.text())
  answer.came()
  const isJson = /json/i.test(response.headers.get('content-type') ?? '')
  const href = (isJson ? filesOfJson(text, page) : filesOfHtml(text)).get(file)
  if (href === undefined) throw new Error(`${page.href} does not list the file ${file}`)
  const url = new URL(href, response.url)
  // Other hosts must not receive the password.
  return { url: url.href, headers: url.origin === index.base.origin ? index.headers : {} }
}

/** The base ends with a slash and has no credentials, query or fragment. */
function indexAddress(): { readonly base: URL; readonly headers: Readonly<Record<string, string>> } {
  const given = process.env['PIP_INDEX_URL']
  const text = given === undefined || given === '' ? defaultIndex : given
  if (!URL.canParse(text) || !/^https?:/i.test(text))
    throw new Error('PIP_INDEX_URL is not an http or https address of a package index')
  const base = new URL(text)
  const [user, password] = [base.username, base.password].map(decodeURIComponent)
  base.username = base.password = base.search = base.hash = ''
  if (!base.pathname.endsWith('/')) base.pathname += '/'
  if (user === '' && password === '') return { base, headers: {} }
  const credentials = Buffer.from(`${user}:${password}`).toString('base64')
  return { base, headers: { authorization: `Basic ${credentials}` } }
}

/** PEP 503 */
const normalisedName = (name: string) => name.replace(/[-_.]+/g, '-').toLowerCase()

function filesOfJson(text: string, page: URL): Map<string, string> {
  try {
    const { files } = answerSchema.parse(JSON.parse(text))
    return new Map(files.map(({ filename, url }) => [filename, url]))
  } catch (error) {
    throw new Error(`${page.href} is not a page of a package index: ${messageOf(error)}`, { cause: error })
  }
}

/** PEP 503: each file is a link with the file's name as its text. */
function filesOfHtml(text: string): Map<string, string> {
  const links = text.matchAll(/<a\s[^>]*?href\s*=\s*(?:"([^"]*)"|'([^']*)')[^>]*>([^<]*)<\/a\s*>/gi)
  return new Map(
    [...links].map(([, double, single, name = '']) => [name.trim(), plain(double ?? single ?? '')]),
  )
}

/** Replaces the entities that occur in addresses. */
const plain = (href: string) => href.replace(/&#38;|&amp;/g, '&')
