import { announcesMore, limitOf, parsedBody, readUpTo, receive, tooLarge, type ReceiverOptions } from './receiver.ts'
import type { VerifiedWebhook } from './verify.ts'

/** What is used of hono's Context. */
type HonoRequest = {
  readonly raw: Request
  readonly method: string
  readonly url: string
  readonly bodyCache: { arrayBuffer?: unknown }
  arrayBuffer(): Promise<ArrayBuffer>
  header(name: string): string | undefined
}
type HonoContext = {
  readonly req: HonoRequest
  json(body: object, status: 401 | 413): Response
  set(key: 'webhook', webhook: VerifiedWebhook): void
}

/**
 * Lets verified webhooks through, with what was verified under `webhook`; all else is answered.
 *
 * @throws TypeError (to `app.onError`) where the body was read before
 * @example app.post('/hook', honoWebhook({ secrets }), (c) => c.json({ type: c.get('webhook').json().type }))
 */
export function honoWebhook(
  options: ReceiverOptions,
): (context: HonoContext, next: () => Promise<void>) => Promise<Response | void> {
  return async (context, next) => {
    const { req } = context
    if (req.raw.bodyUsed && req.bodyCache.arrayBuffer === undefined)
      throw parsedBody('put honoWebhook before whatever calls c.req.json(), c.req.text() or c.req.parseBody()')
    if (announcesMore(req.header('content-length'), options)) return context.json(tooLarge.body, tooLarge.status)
    const body = await read(req, limitOf(options))
    if (!body) return context.json(tooLarge.body, tooLarge.status)
    const ended = await receive({ headers: req.raw.headers, body, method: req.method, url: req.url }, options)
    if ('status' in ended) return context.json(ended.body, ended.status)
    context.set('webhook', ended)
    await next()
  }
}

/** Undefined for more than `limit` bytes. Hono's own `arrayBuffer()` takes whatever comes. */
async function read(req: HonoRequest, limit: number): Promise<ArrayBuffer | undefined> {
  if (req.bodyCache.arrayBuffer !== undefined || !req.raw.body) return req.arrayBuffer()
  // The connection is still needed for the answer.
  const body = await readUpTo(limit, req.raw.body.values({ preventCancel: true }))
  // Where hono looks when the handler asks for the body, too.
  if (body) req.bodyCache.arrayBuffer = Promise.resolve(body.buffer)
  return body?.buffer
}
