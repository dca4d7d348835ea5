import { limitOf, parsedBody, receive, type ReceiverOptions } from './receiver.ts'
import type { VerifiedWebhook } from './verify.ts'

/** What is used of Fastify's request, reply and instance. */
type FastifyRequest = {
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly method: string
  readonly originalUrl: string
  readonly body?: unknown
  webhook?: VerifiedWebhook | null
}
type FastifyReply = { code(status: number): { send(body: object): unknown } }
type Parser = (request: unknown, body: Uint8Array, done: (error: Error | null, body?: unknown) => void) => void
type FastifyInstance<Request, Reply> = {
  removeAllContentTypeParsers(): unknown
  addContentTypeParser(type: string, options: { parseAs: 'buffer'; bodyLimit: number }, parser: Parser): unknown
  decorateRequest(name: 'webhook', value: null): unknown
  addHook(name: 'preHandler', hook: (request: Request, reply: Reply) => Promise<unknown>): unknown
}

/**
 * A Fastify plugin for a scope of routes that take webhooks: they get the bytes, whatever the content type, and only of verified
 * ones, with what was verified in `request.webhook`. Register it in a scope of its own, for other routes of that scope get bytes, too.
 *
 * @throws TypeError (to the error handler) where another plugin has parsed the body
 * @example app.register(async (scope) => {
 *   await scope.register(fastifyWebhook({ secrets }))
 *   scope.post('/hook', async (request) => request.webhook.json())
 * })
 */
export function fastifyWebhook<
  Request extends FastifyRequest = FastifyRequest,
  Reply extends FastifyReply = FastifyReply,
>(options: ReceiverOptions): (app: FastifyInstance<Request, Reply>, settings: unknown, done: () => void) => void {
  const plugin = (app: FastifyInstance<Request, Reply>, _: unknown, done: () => void): void => {
    app.removeAllContentTypeParsers()
    app.addContentTypeParser('*', { parseAs: 'buffer', bodyLimit: limitOf(options) }, (_request, body, end) =>
      end(null, body),
    )
    app.decorateRequest('webhook', null)
    app.addHook('preHandler', async (request, reply) => {
      const { headers, method, originalUrl: url, body = new Uint8Array(0) } = request
      if (!(body instanceof Uint8Array))
        throw parsedBody(
          'register fastifyWebhook after every plugin that adds content type parsers, in a scope of its own',
        )
      const ended = await receive({ headers, body, method, url }, options)
      if ('status' in ended) return reply.code(ended.status).send(ended.body)
      request.webhook = ended
    })
    done()
  }
  // What it adds is for the scope that registers it, not for one of its own.
  return Object.assign(plugin, { [Symbol.for('skip-override')]: true })
}
