import { ActionError, HTTPError, Integration, type FetchOptions } from '@sluice/sdk/integration'
import { toAddress } from './src/address.ts'
import { readFields, toSecretHeaders } from './src/credentials.ts'

const integration = await Integration.load()

type Inputs = Pick<FetchOptions, 'method' | 'params' | 'headers'> & {
  readonly url: string
  readonly body?: unknown
  readonly idempotency_key?: string
  readonly any_status?: boolean
  readonly timeout_seconds?: number
}

/** Of an answer; more belongs into no event and no form. */
const maxBytes = 5 * 1024 * 1024

integration.action('request', async (inputs, context) => {
  const { url, method = 'GET', params, headers, body, timeout_seconds: seconds = 30, ...rest } = inputs as Inputs // checked by the schema
  const fields = readFields(context.auth)
  const address = toAddress(url, fields.base_url)
  try {
    const answer = await context.fetch(address, {
      method,
      params,
      headers: checkHeaders(headers),
      secretHeaders: toSecretHeaders(fields, address),
      ...(typeof body === 'string' ? { data: body } : { json: body }),
      idempotencyKey: rest.idempotency_key,
      timeoutMs: seconds * 1000,
      maxBytes,
    })
    return { data: toOutput(answer.status, answer.headers, answer.data) }
  } catch (error) {
    if (!(error instanceof HTTPError)) throw error
    if (rest.any_status === true) return { data: toOutput(error.status, error.headers, error.responseData) }
    throw new ActionError(
      `${method} ${address.origin}${address.pathname} answered ${error.message.replace(/^HTTP /, '')}`,
    )
  }
})

/** Those that say where a request goes and where it ends are not the caller's: with them one could be hidden in another. */
const ownHeaders = /^(host|content-length|transfer-encoding|connection|keep-alive|upgrade|te|trailer|expect)$/i

function checkHeaders(headers: Readonly<Record<string, string>> = {}): Readonly<Record<string, string>> {
  const refused = Object.keys(headers).find((name) => ownHeaders.test(name))
  if (refused !== undefined) throw new ActionError(`the header ${refused} cannot be set; leave it out`)
  return headers
}

function toOutput(status: number, headers: Readonly<Record<string, string | string[]>>, data: unknown) {
  const isBytes = data instanceof Uint8Array
  return {
    status,
    headers: Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, String(value)])),
    body: isBytes ? Buffer.from(data).toString('base64') : data,
    encoding: isBytes ? 'base64' : null,
  }
}

// oxlint-disable-next-line import/no-default-export -- what a folder of an integration exports
export default integration
