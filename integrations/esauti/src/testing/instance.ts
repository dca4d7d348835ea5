import { answerEntity, notFound, toRefusal, type Ask } from './entities.ts'
import { answerExtra } from './extras.ts'
import { identify, inject, injectionPaths, isSigned } from './injection.ts'
import { serve, type SeenRequest, type Turn } from './serve.ts'
import { createStore } from './store.ts'
import { createTokenIssuer } from './tokens.ts'

export type InstanceOptions = {
  /** default: a free one */
  readonly port?: number
  /** the bearer token it takes; default `YOUR_BEARER_TOKEN` */
  readonly token?: string
  /** for OAuth2, and as user name and password of Basic; defaults `client` and `secret` */
  readonly clientId?: string
  readonly clientSecret?: string
  /** of signed events, which need no token then */
  readonly hmacSecret?: string
  /** of OAuth2 tokens; default 3,600 */
  readonly expiresInSeconds?: number
  /** items that it puts on one page at most; default 100 */
  readonly pageMax?: number
}

export type Instance = {
  readonly url: string
  readonly token: string
  /** every request, in order */
  readonly seen: readonly SeenRequest[]
  /** The next requests meet these, one each, before they are looked at; tokens are still issued. */
  meet(...turns: readonly Turn[]): void
  /** No token of OAuth2 that was issued is good any more. */
  expireTokens(): void
  refreshToken(): string
  close(): Promise<void>
  [Symbol.asyncDispose](): Promise<void>
}

/**
 * A small eSauti in memory, for tests: it keeps what it is sent, and answers as the service does, its PHP habits included
 * (totals as text, lists as objects by id, `[]` for an empty object).
 *
 * @example await using instance = await startInstance()
 */
export async function startInstance(options: InstanceOptions = {}): Promise<Instance> {
  const { token = 'YOUR_BEARER_TOKEN', clientId = 'client', clientSecret = 'secret', pageMax = 100 } = options
  const tokens = createTokenIssuer({
    token,
    clientId,
    clientSecret,
    expiresInSeconds: options.expiresInSeconds ?? 3600,
  })
  const store = createStore()
  const seen: SeenRequest[] = []
  const turns: Turn[] = []
  const served = await serve(options.port ?? 0, async (request) => {
    seen.push(request)
    const { pathname, searchParams } = new URL(request.target, 'http://instance')
    if (pathname === '/oauth/v2/token') return tokens.issue(request)
    const turn = turns.shift()
    if (turn !== undefined) return turn
    const isInjection = injectionPaths.includes(pathname)
    if (!tokens.isAllowed(request) && !(isInjection && isSigned(request, options.hmacSecret)))
      return toRefusal(401, 'The access token provided is invalid.')
    const data = await toData(request)
    if (isInjection) return pathname.endsWith('/identify') ? identify(store, data) : inject(store, request, data)
    const path = pathname.replace(/^\/api\//, '')
    const ask: Ask = { method: request.method, path, query: searchParams, data, store, pageMax }
    return answerExtra(ask) ?? answerEntity(ask) ?? notFound
  })
  return {
    url: served.url,
    token,
    seen,
    meet: (...more) => void turns.push(...more),
    expireTokens: () => tokens.expire(),
    refreshToken: () => tokens.refreshToken(),
    close: () => served.close(),
    [Symbol.asyncDispose]: () => served.close(),
  }
}

/** JSON, or the file in a form. */
async function toData({ headers, body }: SeenRequest): Promise<unknown> {
  const type = headers['content-type'] ?? ''
  if (body.length === 0) return undefined
  if (type.startsWith('application/json')) return JSON.parse(body.toString())
  const form = await new Response(new Uint8Array(body), { headers: { 'content-type': type } }).formData()
  return form.get('file')
}
