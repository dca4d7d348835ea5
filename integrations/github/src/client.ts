import { ActionError, HTTPError, type Context, type FetchOptions, type FetchResponse } from '@sluice/sdk/integration'

/** One request, by its path under the API's root. */
type GithubRequest = Pick<FetchOptions, 'method' | 'params' | 'json'> & {
  /** the tag of the answer that is known already: `changed` is false where that is still the answer */
  readonly etag?: string | undefined
}

/** One page of a list; `next` is the address of the one after it. */
export type GithubPage<Data> =
  | { readonly changed: false }
  | {
      readonly changed: true
      readonly data: Data
      readonly etag: string | undefined
      readonly next: string | undefined
    }

export type Github = {
  /** The data of an answer. @throws ActionError that says in words what GitHub refused, and when it may be asked again */
  readonly request: <Data>(path: string, options?: GithubRequest) => Promise<Data>
  /** One page of a list; `path` may be the `next` of the page before. @throws ActionError likewise */
  readonly page: <Data>(path: string, options?: GithubRequest) => Promise<GithubPage<Data>>
}

const publicApi = 'https://api.github.com'

/**
 * GitHub's REST API with the credentials of a context. The token goes to the origin of `base_url` only, whatever address a page
 * names as its next.
 *
 * @example const user = await createGithub(context).request('/user')
 */
export function createGithub(context: Context): Github {
  const { access_token: granted, token = granted, base_url: baseUrl } = context.auth.credentials
  const base = (typeof baseUrl === 'string' && baseUrl !== '' ? baseUrl : publicApi).replace(/\/+$/, '')
  const secretHeaders = { authorization: `Bearer ${String(token)}` }
  const send = async <Data>(path: string, { etag, ...options }: GithubRequest = {}): Promise<FetchResponse<Data>> => {
    const url = toAddress(base, path)
    const headers = { ...fields, ...(etag !== undefined && { 'if-none-match': etag }) }
    return context.fetch<Data>(url, { ...options, headers, secretHeaders })
  }
  return {
    request: async <Data>(path: string, options?: GithubRequest) => {
      const { data } = await inWords(path, () => send<Data>(path, options))
      return data
    },
    page: (path, options) => inWords(path, () => readPage(() => send(path, options))),
  }
}

const fields = {
  accept: 'application/vnd.github+json',
  'x-github-api-version': '2022-11-28',
  // GitHub refuses requests without one.
  'user-agent': 'sluice',
}

function toAddress(base: string, path: string): string {
  if (!path.startsWith('http')) return base + path
  if (URL.parse(path)?.origin === new URL(base).origin) return path
  throw new ActionError(`GitHub named a next page at another address than ${base}; it was not asked`)
}

async function readPage<Data>(send: () => Promise<FetchResponse<Data>>): Promise<GithubPage<Data>> {
  try {
    const { data, headers } = await send()
    return { changed: true, data, etag: headers['etag']?.toString(), next: nextOf(headers['link']?.toString()) }
  } catch (error) {
    if (error instanceof HTTPError && error.status === 304) return { changed: false }
    throw error
  }
}

/** The address with `rel="next"` of a Link field. */
function nextOf(link = ''): string | undefined {
  for (const [, url, params = ''] of link.matchAll(/<([^>]*)>([^<]*)/g)) {
    if (/;\s*rel="?(?:[^";]* )?next\b/i.test(params)) return url
  }
  return undefined
}

async function inWords<Value>(path: string, ask: () => Promise<Value>): Promise<Value> {
  try {
    return await ask()
  } catch (error) {
    if (error instanceof HTTPError) throw toActionError(error, path)
    throw error
  }
}

type ErrorBody = { readonly message?: string; readonly errors?: readonly (string | ErrorDetail)[] }
type ErrorDetail = {
  readonly resource?: string
  readonly field?: string
  readonly code?: string
  readonly message?: string
}

function toActionError(error: HTTPError, path: string): ActionError {
  const { status, responseData } = error
  const body: ErrorBody = typeof responseData === 'object' && responseData !== null ? responseData : {}
  const limit = toLimit(error, body.message ?? '')
  if (limit !== undefined) return new ActionError(limit)
  const what = withoutQuery(path)
  if (status === 401) return new ActionError('GitHub refuses the token; make a new one and connect again')
  if (status === 404)
    return new ActionError(
      `GitHub knows no ${what}, or the token may not see it; check the names and what the token allows`,
    )
  const said = [body.message ?? 'it did not say why', ...(body.errors ?? []).map(toDetail)].join('; ')
  return new ActionError(`GitHub answered ${status} for ${what}: ${said}`)
}

const withoutQuery = (path: string): string =>
  path.startsWith('http') ? new URL(path).pathname : path.replace(/\?.*/, '')

function toDetail(detail: string | ErrorDetail): string {
  if (typeof detail === 'string') return detail
  const { resource, field, code, message } = detail
  return message ?? [resource, field, code?.replaceAll('_', ' ')].filter(Boolean).join(' ')
}

/**
 * GitHub says 403 or 429 for both of its limits: the hourly one by `x-ratelimit-remaining: 0` with the time of its reset, the
 * secondary ones by `retry-after`, or by words alone, and then a minute is the least that it asks for.
 */
function toLimit({ status, headers }: HTTPError, message: string): string | undefined {
  if (status !== 403 && status !== 429) return undefined
  const after = toSeconds(headers['retry-after'])
  const reset = headers['x-ratelimit-remaining'] === '0' ? toSeconds(headers['x-ratelimit-reset']) : undefined
  if (after !== undefined) return `GitHub asks for a pause (secondary rate limit); try again in ${after} seconds`
  if (reset !== undefined) {
    // Measured on GitHub's own clock: this machine's may be wrong.
    const nowMs = Date.parse(String(headers['date'])) || Date.now()
    const seconds = Math.max(1, reset - Math.floor(nowMs / 1000))
    return `GitHub's rate limit is used up; try again in ${seconds} seconds, at ${new Date(reset * 1000).toISOString()}`
  }
  const isLimit = status === 429 || /rate limit|abuse detection/i.test(message)
  return isLimit ? 'GitHub asks for a pause (secondary rate limit); try again in 60 seconds' : undefined
}

function toSeconds(value: string | string[] | undefined): number | undefined {
  return typeof value === 'string' && /^\d{1,12}$/.test(value) ? Number(value) : undefined
}
