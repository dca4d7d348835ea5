import { parsedBody, receive, type ReceiverOptions } from './receiver.ts'
import type { VerifiedWebhook } from './verify.ts'

/** What is used of the event of an API Gateway (either version), a function URL or a load balancer. */
export type LambdaEvent = {
  readonly headers?: Readonly<Record<string, string | undefined>> | null
  readonly multiValueHeaders?: Readonly<Record<string, readonly string[] | undefined>> | null
  readonly body?: string | null
  readonly isBase64Encoded?: boolean
  readonly httpMethod?: string
  readonly path?: string
  readonly rawPath?: string
  readonly rawQueryString?: string
  readonly requestContext?: { readonly http?: { readonly method?: string } }
}

export type LambdaAnswer = {
  readonly statusCode: number
  readonly headers?: Record<string, string>
  readonly body?: string
}

/**
 * A Lambda handler that is called for verified webhooks alone; all else is answered.
 *
 * @throws TypeError where a mapping template or middleware has parsed the body
 * @example export const handler = lambdaWebhook({ secrets }, async (webhook) => ({ statusCode: 204 }))
 */
export function lambdaWebhook<Event extends LambdaEvent, Rest extends unknown[]>(
  options: ReceiverOptions,
  handle: (webhook: VerifiedWebhook, event: Event, ...rest: Rest) => Promise<LambdaAnswer> | LambdaAnswer,
): (event: Event, ...rest: Rest) => Promise<LambdaAnswer> {
  return async (event, ...rest) => {
    const { headers, multiValueHeaders, httpMethod, requestContext } = event
    const method = requestContext?.http?.method ?? httpMethod
    const query = event.rawQueryString ? `?${event.rawQueryString}` : ''
    const url = `${event.rawPath ?? event.path ?? ''}${query}`
    const fields = { ...headers, ...multiValueHeaders }
    const ended = await receive({ headers: fields, body: toBytes(event), method, url }, options)
    if (!('status' in ended)) return handle(ended, event, ...rest)
    const { status, body } = ended
    return { statusCode: status, headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }
  }
}

function toBytes({ body, isBase64Encoded }: LambdaEvent): Uint8Array | string {
  if (body === undefined || body === null) return ''
  // Types are for those who use them.
  if (typeof body !== 'string')
    throw parsedBody('pass the body through as a text (proxy integration), and let no JSON body parser run before')
  return isBase64Encoded ? Uint8Array.from(atob(body), (character) => character.charCodeAt(0)) : body
}
