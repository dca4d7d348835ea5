import { createVendor, type Answer, type Cut, type VendorRequest } from '@sluice/sdk/testing'

type Row = Readonly<Record<string, unknown>>

export type PeopleAiOptions = {
  /** rows by the last part of their path: `activities`, `participants`, … */
  readonly rows: Readonly<Record<string, readonly Row[]>>
  /** pages hold no more than this, whatever is asked for; default 100,000 */
  readonly pageCap?: number
  /** answers the first page, always */
  readonly ignoresOffset?: boolean
  /** requests for rows that a token is good for; default any number */
  readonly requestsOfToken?: number
  /**
   * Answers instead of the service: undefined lets it answer.
   *
   * @param number of the request, from 1, tokens included
   */
  readonly fault?: (request: VendorRequest, number: number) => Answer | Cut | undefined
}

/** A stand-in for People.ai's API, as far as the connector uses it. */
export type PeopleAi = AsyncDisposable & {
  /** for `base_url` */
  readonly url: string
  /** as `GET /v0/public/activities offset=0` */
  readonly requests: readonly string[]
  /** tokens that it gave */
  readonly tokens: () => number
  readonly close: () => Promise<void>
}

export const testCredentials = { api_key: 'client-of-tests', api_secret: 'secret-of-tests' }

/**
 * Starts it on a free port of this machine.
 *
 * @example await using peopleAi = await startPeopleAi({ rows: { activities: [{ uid: 'a' }], participants: [] } })
 */
export async function startPeopleAi(options: PeopleAiOptions): Promise<PeopleAi> {
  const vendor = await createVendor()
  const requests: string[] = []
  let tokens = 0
  let left = 0
  const guarded = (answer: (request: VendorRequest) => Answer) => (request: VendorRequest) => {
    const offset = request.query.get('offset')
    requests.push(`${request.method} ${request.path}${offset === null ? '' : ` offset=${offset}`}`)
    return options.fault?.(request, requests.length) ?? answer(request)
  }
  const giveToken = ({ text }: VendorRequest): Answer => {
    const form = new URLSearchParams(text)
    const isKnown =
      form.get('client_id') === testCredentials.api_key && form.get('client_secret') === testCredentials.api_secret
    if (form.get('grant_type') !== 'client_credentials' || !isKnown)
      return { status: 401, json: { error: 'invalid_client' } }
    tokens += 1
    left = options.requestsOfToken ?? Number.POSITIVE_INFINITY
    return { json: { access_token: `token-${tokens}`, token_type: 'Bearer' } }
  }
  const giveRows = (request: VendorRequest): Answer => {
    if (request.headers['authorization'] !== `Bearer token-${tokens}` || left === 0) return { status: 401, json: {} }
    left -= 1
    return { json: { data: toPage(options, request) } }
  }
  vendor.on('POST /auth/v1/tokens', guarded(giveToken))
  vendor.on('GET /v0/public/activities', guarded(giveRows))
  vendor.on('GET /v0/public/activities/:type', guarded(giveRows))
  const close = (): Promise<void> => vendor.close()
  return { url: vendor.url, requests, tokens: () => tokens, close, [Symbol.asyncDispose]: close }
}

function toPage(
  { rows, pageCap = 100_000, ignoresOffset }: PeopleAiOptions,
  { path, query }: VendorRequest,
): readonly Row[] {
  const all = rows[path.split('/').at(-1) ?? ''] ?? []
  const offset = ignoresOffset ? 0 : Number(query.get('offset'))
  return all.slice(offset, offset + Math.min(pageCap, Number(query.get('limit'))))
}
