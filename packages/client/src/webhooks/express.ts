import {
  announcesMore,
  limitOf,
  parsedBody,
  readUpTo,
  receive,
  tooLarge,
  type Refusal,
  type ReceiverOptions,
} from './receiver.ts'
import type { VerifiedWebhook } from './verify.ts'

/** What is used of Express' request and response; those of `node:http` fit. */
type ExpressRequest = {
  iterator(options: { destroyOnReturn: false }): AsyncIterable<Uint8Array>
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly method?: string | undefined
  readonly url?: string | undefined
  readonly originalUrl?: string | undefined
  readonly readableDidRead?: boolean
  resume(): unknown
  readonly body?: unknown
  webhook?: VerifiedWebhook
}
type ExpressResponse = {
  statusCode: number
  setHeader(name: string, value: string): unknown
  end(text: string): unknown
}

/**
 * Lets verified webhooks through, with what was verified in `request.webhook`; all else is answered. It reads the body itself, or
 * takes the bytes of `express.raw()`.
 *
 * @throws TypeError (to the app's error handlers) where `express.json()` or another parser was faster
 * @example app.post('/hook', expressWebhook({ secrets }), (request, response) => response.json(request.webhook.json()))
 */
export function expressWebhook(
  options: ReceiverOptions,
): (request: ExpressRequest, response: ExpressResponse, next: (error?: unknown) => void) => void {
  return (request, response, next) => {
    take(request, options).then(
      (ended) => {
        if ('status' in ended) {
          // What is left of the body stands before the next request on this connection.
          request.resume()
          return answer(response, ended)
        }
        request.webhook = ended
        next()
      },
      (error: unknown) => next(error),
    )
  }
}

async function take(request: ExpressRequest, options: ReceiverOptions): Promise<VerifiedWebhook | Refusal> {
  const { headers, method, originalUrl, url } = request
  const length = headers['content-length']
  if (announcesMore(typeof length === 'string' ? length : undefined, options)) return tooLarge
  const body = request.body instanceof Uint8Array ? request.body : await read(request, limitOf(options))
  return body ? receive({ headers, body, method, url: originalUrl ?? url }, options) : tooLarge
}

function read(request: ExpressRequest, limit: number): Promise<Uint8Array | undefined> {
  if (request.readableDidRead)
    throw parsedBody(
      "put expressWebhook on the route before app.use(express.json()), or give that route express.raw({ type: '*/*' })",
    )
  // The connection is still needed for the answer.
  return readUpTo(limit, request.iterator({ destroyOnReturn: false }))
}

function answer(response: ExpressResponse, { status, body }: Refusal): void {
  response.statusCode = status
  response.setHeader('content-type', 'application/json')
  response.end(JSON.stringify(body))
}
