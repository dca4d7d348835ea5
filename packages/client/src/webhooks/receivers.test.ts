import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { describe, it, test, type TestContext } from 'node:test'
import express from 'express'
import fastify from 'fastify'
import { Hono } from 'hono'
import {
  expressWebhook,
  fastifyWebhook,
  honoWebhook,
  lambdaWebhook,
  signMessage,
  type LambdaEvent,
  type ReceiverOptions,
} from '../webhooks.ts'

const secret = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw'
const bytes = Uint8Array.from([0x7b, 0x22, 0x61, 0x22, 0x3a, 0x22, 0xc3, 0xab, 0x22, 0x7d]) // {"a":"ë"}
const binary = Uint8Array.from({ length: 256 }, (_, index) => index)

const sign = (body: Uint8Array, by = secret): Promise<Record<string, string>> =>
  signMessage({ scheme: 'standard-webhooks', secrets: [by], body, nowMs: Date.now(), id: 'msg_1' })

/** Each answers the id and the size of what was verified at /hook; at /parsed something has parsed the body before. */
type Start = (
  options: ReceiverOptions,
  context: TestContext,
) => Promise<(path: string, init: RequestInit) => Promise<Response>>

const frameworks: Record<string, Start> = {
  hono: async (options) => {
    const app = new Hono<{ Variables: { webhook: { id: string | null; body: Uint8Array } } }>()
    app.onError((error, c) => c.text(error.message, 500))
    app.post('/hook', honoWebhook(options), async (c) => {
      const again = await c.req.arrayBuffer()
      assert.deepEqual(new Uint8Array(again), c.get('webhook').body, 'the handler may ask for it, too')
      return c.json([c.get('webhook').id, c.get('webhook').body.length])
    })
    app.use('/parsed', async (c, next) => {
      await c.req.text()
      await next()
    })
    app.post('/parsed', honoWebhook(options), (c) => c.json('never'))
    return async (path, init) => app.request(path, init)
  },
  express: async (options, context) => {
    const app = express()
    app.post('/hook', expressWebhook(options), (request, response) => {
      const { webhook } = request as typeof request & { webhook: { id: string; body: Uint8Array } }
      response.json([webhook.id, webhook.body.length])
    })
    app.post('/raw', express.raw({ type: '*/*' }), expressWebhook(options), (_, response) => void response.json('raw'))
    app.use(express.json())
    app.post('/parsed', expressWebhook(options), (_, response) => void response.json('never'))
    app.use((error: Error, _request: unknown, response: express.Response, _next: unknown) => {
      response.status(500).send(error.message)
    })
    const url = await serve(context, createServer(app))
    return (path, init) => fetch(url + path, init)
  },
  fastify: async (options, context) => {
    const app = fastify()
    app.setErrorHandler((error: Error, _, reply) => reply.code(500).send(error.message))
    await app.register(async (scope) => {
      await scope.register(fastifyWebhook(options))
      scope.post('/hook', async (request) => {
        const { webhook } = request as typeof request & { webhook: { id: string; body: Uint8Array } }
        return [webhook.id, webhook.body.length]
      })
    })
    await app.register(async (scope) => {
      await scope.register(fastifyWebhook(options))
      scope.addContentTypeParser('application/json', { parseAs: 'string' }, (_, body, done) =>
        done(null, JSON.parse(String(body))),
      )
      scope.post('/parsed', async () => 'never')
    })
    app.post('/plain', async (request) => request.body)
    context.after(() => app.close())
    const url = await app.listen({ port: 0, host: '127.0.0.1' })
    return (path, init) => fetch(url + path, init)
  },
}

/** 100 pieces of 1,000 bytes, without a length that is announced. */
function toPieces(): { body: ReadableStream<Uint8Array>; asked: () => number } {
  let asked = 0
  const pull = (controller: ReadableStreamDefaultController<Uint8Array>): void => {
    asked += 1
    if (asked > 100) controller.close()
    else controller.enqueue(new Uint8Array(1000))
  }
  return { body: new ReadableStream({ pull }), asked: () => asked }
}

async function serve(context: TestContext, server: Server): Promise<string> {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  context.after(() => {
    server.closeAllConnections()
    server.close()
  })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

for (const [name, start] of Object.entries(frameworks)) {
  test(`${name} lets through what is verified over the raw bytes`, async (context) => {
    const refused: string[] = []
    const options = {
      secrets: secret,
      maxBytes: 1000,
      onRefused: ({ reason }: { reason: string }) => void refused.push(reason),
    }
    const send = await start(options, context)
    const post = async (path: string, body: Uint8Array, headers: Record<string, string>): Promise<string> => {
      const response = await send(path, { method: 'POST', body: Uint8Array.from(body), headers })
      return `${response.status} ${await response.text()}`
    }
    const json = { 'content-type': 'application/json' }
    assert.equal(await post('/hook', bytes, { ...json, ...(await sign(bytes)) }), '200 ["msg_1",10]')
    assert.equal(
      await post('/hook', binary, { 'content-type': 'image/png', ...(await sign(binary)) }),
      '200 ["msg_1",256]',
    )
    const other = await sign(bytes, 'whsec_AAAA')
    assert.equal(await post('/hook', bytes, { ...json, ...other }), '401 {"error":"webhook refused"}')
    assert.equal(await post('/hook', bytes, json), '401 {"error":"webhook refused"}')
    assert.deepEqual(refused, ['mismatch', 'signature-missing'])
    const large = new Uint8Array(1001)
    assert.match(await post('/hook', large, { 'content-type': 'a/b', ...(await sign(large)) }), /^(413|500) .*large/)
    const pieces = toPieces()
    const headers = { 'content-type': 'a/b', ...(await sign(large)) }
    const init = { method: 'POST', body: pieces.body, headers, duplex: 'half' }
    const unannounced = await send('/hook', init)
    assert.match(`${unannounced.status} ${await unannounced.text()}`, /^(413|500) .*large/)
    if (name === 'hono') assert.ok(pieces.asked() < 5, `${pieces.asked()} pieces were read`)
    assert.match(
      await post('/parsed', bytes, { ...json, ...(await sign(bytes)) }),
      /^500 .*(before it was verified).*Webhook/,
    )
    if (name === 'express') assert.equal(await post('/raw', bytes, { ...json, ...(await sign(bytes)) }), '200 "raw"')
    if (name === 'fastify')
      assert.equal(await post('/plain', bytes, json), '200 {"a":"ë"}', 'other routes are as they were')
  })
}

describe('lambda', () => {
  const handler = lambdaWebhook(
    { secrets: secret, maxBytes: 1000 },
    ({ id, body }, _event: LambdaEvent, context: { n: number }) => ({
      statusCode: 200,
      body: JSON.stringify([id, body.length, context.n]),
    }),
  )

  it('takes the events of gateways, function URLs and load balancers', async () => {
    const headers = await sign(bytes)
    const base64 = Buffer.from(bytes).toString('base64')
    const many = Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toUpperCase(), [value]]))
    const events: LambdaEvent[] = [
      { headers, body: base64, isBase64Encoded: true, rawPath: '/hook', requestContext: { http: { method: 'POST' } } },
      { headers, body: Buffer.from(bytes).toString(), isBase64Encoded: false, httpMethod: 'POST', path: '/hook' },
      { headers: null, multiValueHeaders: many, body: base64, isBase64Encoded: true },
    ]
    for (const event of events)
      assert.deepEqual(await handler(event, { n: 7 }), { statusCode: 200, body: '["msg_1",10,7]' })
  })

  it('answers the rest', async () => {
    const refused = {
      statusCode: 401,
      headers: { 'content-type': 'application/json' },
      body: '{"error":"webhook refused"}',
    }
    assert.deepEqual(await handler({ headers: await sign(bytes), body: '{}' }, { n: 1 }), refused)
    assert.deepEqual(await handler({ headers: {}, body: null }, { n: 1 }), refused)
    assert.equal((await handler({ headers: {}, body: 'x'.repeat(1001) }, { n: 1 })).statusCode, 413)
    const parsed = { headers: {}, body: { a: 1 } as never }
    await assert.rejects(handler(parsed, { n: 1 }), /proxy integration/)
  })
})
