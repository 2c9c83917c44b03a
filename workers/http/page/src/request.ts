/** Requests to the server that gave this page. */

const base = '/api/v1'

/** Why a request failed: a problem document of the server (RFC 9457), or the lack of an answer. */
export class Problem extends Error {
  readonly status: number
  readonly code: string
  readonly isRetriable: boolean
  readonly remedy: string | undefined

  constructor(parts: {
    readonly status: number
    readonly code: string
    readonly detail: string
    readonly retriable: boolean
    readonly remedy?: string
  }) {
    super(parts.detail)
    this.name = 'Problem'
    this.status = parts.status
    this.code = parts.code
    this.isRetriable = parts.retriable
    this.remedy = parts.remedy
  }
}

export type Query = Readonly<Record<string, string | number | boolean | undefined>>

export interface RequestParts {
  readonly query?: Query
  /** Sent as JSON, except form data. */
  readonly body?: unknown
  readonly accept?: string
  readonly signal?: AbortSignal
}

let csrfToken: string | undefined
let onSignedOut: () => void = () => undefined

/** Sent with every request that changes something. */
export const useCsrfToken = (token: string | undefined): void => void (csrfToken = token)

/** Called when the server no longer knows who asks. */
export const whenSignedOut = (listener: () => void): void => void (onSignedOut = listener)

export const urlOf = (path: string, query: Query = {}): string => {
  const words = Object.entries(query).flatMap(([key, value]) =>
    value === undefined || value === '' ? [] : [[key, String(value)]],
  )
  return words.length === 0 ? `${base}${path}` : `${base}${path}?${new URLSearchParams(words).toString()}`
}

/** Sends a request. @throws Problem */
export async function send(method: string, path: string, parts: RequestParts = {}): Promise<Response> {
  const { query, body, accept = 'application/json', signal } = parts
  const isForm = body instanceof FormData
  const headers = new Headers({ accept })
  if (body !== undefined && !isForm) headers.set('content-type', 'application/json')
  if (method !== 'GET' && csrfToken !== undefined) headers.set('x-csrf-token', csrfToken)
  const response = await fetch(urlOf(path, query), {
    method,
    headers,
    ...(body === undefined ? {} : { body: isForm ? body : JSON.stringify(body) }),
    ...(signal === undefined ? {} : { signal }),
  }).catch((error: unknown) => {
    if (signal?.aborted === true) throw error
    throw new Problem({ status: 0, code: 'NO_ANSWER', detail: '', retriable: true })
  })
  if (response.ok) return response
  const problem = await problemOf(response)
  if (problem.code === 'SIGN_IN_REQUIRED') onSignedOut()
  throw problem
}

/** Sends a request, and reads JSON. @throws Problem */
export async function ask<Answer>(method: string, path: string, parts: RequestParts = {}): Promise<Answer> {
  const text = await (await send(method, path, parts)).text()
  return parsed<Answer>(text === '' ? 'null' : text)
}

/** Lines of JSON, as they arrive. */
export async function* linesOf<Line>(response: Response): AsyncGenerator<Line> {
  const reader = response.body?.getReader()
  if (reader === undefined) return
  const decoder = new TextDecoder()
  let rest = ''
  for (;;) {
    const { done, value } = await reader.read()
    const lines = (rest + decoder.decode(value, { stream: !done })).split('\n')
    rest = done ? '' : (lines.pop() ?? '')
    for (const line of lines) if (line.trim() !== '') yield parsed<Line>(line)
    if (done) return
  }
}

/** The server checks its answers against the schemas of its API, so the page does not check them again. */
// eslint-disable-next-line @typescript-eslint/no-unnecessary-type-parameters -- the caller says which answer it is
export function parsed<Value>(json: string): Value {
  // eslint-disable-next-line @typescript-eslint/no-unsafe-return
  return JSON.parse(json)
}

async function problemOf(response: Response): Promise<Problem> {
  const { status } = response
  const text = await response.text().catch(() => '')
  try {
    const given = parsed<Partial<Record<'code' | 'detail' | 'remedy', string>> & { retriable?: boolean }>(
      text,
    )
    return new Problem({
      ...{ status, code: given.code ?? `HTTP_${status}`, detail: given.detail ?? '' },
      retriable: given.retriable ?? false,
      ...(given.remedy === undefined ? {} : { remedy: given.remedy }),
    })
  } catch {
    return new Problem({ status, code: `HTTP_${status}`, detail: '', retriable: status >= 500 })
  }
}
