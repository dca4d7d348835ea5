import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { test, type TestContext } from 'node:test'
import express from 'express'
import fastify from 'fastify'
import { Hono } from 'hono'
import { useHub } from '../../../../../scripts/use-hub.ts'
import { createAdmin } from '../../admin.ts'
import { createSluice } from '../../client.ts'
import type { DeadLetterRecord } from '../../dead-letter.ts'
import { withTopics, type Sessions } from '../../topics/sessions.ts'
import { defineTopics } from '../../topics/topics.ts'
import { createWatched, type Handle } from '../../topics/watched-transport.ts'
import { currentSession } from '../current-session.ts'
import { expressSessions } from './express.ts'
import { fastifySessions } from './fastify.ts'
import { honoSessions } from './hono.ts'

const { hub, connection } = await useHub()
const admin = createAdmin(connection)

const topics = defineTopics({
  DefaultCategory: 'web',
  Topics: [
    {
      Action: 'Placed',
      Entity: 'Order',
      Schema: { type: 'object', required: ['n'], properties: { n: { type: 'integer' } } },
    },
  ],
})
type Events = Sessions<(typeof topics)['definitions'] & object>

/** Far below the handler; nobody has handed the session down. */
async function place(events: Events, n: number): Promise<void> {
  await new Promise(setImmediate)
  currentSession(events).placedOrder({ n })
}

/** The same app in each framework: each answers on its address, and gives its errors status 500 and the word `sorry`. */
const apps: Record<string, (events: Events, context: TestContext) => Promise<string>> = {
  hono: async (events, context) => {
    const app = new Hono()
    app.use(honoSessions(events))
    app.onError((_, c) => c.text('sorry', 500))
    app.post('/ok', async (c) => (await place(events, 1), c.json({ ok: true }, 201)))
    app.post('/refused', async (c) => (await place(events, 2), c.text('no', 409)))
    app.post('/thrown', async () => (await place(events, 3), assert.fail('a bug')))
    app.post('/bad', (c) => (currentSession(events).placedOrder({ n: 'x' as never }), c.text('never')))
    return serve(context, createServer(toNode(app.fetch)))
  },
  express: async (events, context) => {
    const app = express()
    app.use(expressSessions(events))
    app.post('/ok', async (_, response) => (await place(events, 1), response.status(201).json({ ok: true })))
    app.post('/refused', async (_, response) => (await place(events, 2), response.status(409).send('no')))
    app.post('/thrown', async () => (await place(events, 3), assert.fail('a bug')))
    app.post('/bad', () => currentSession(events).placedOrder({ n: 'x' as never }))
    app.post('/pieces', async (_, response) => {
      await place(events, 4)
      response.write('one ')
      response.end('two')
    })
    app.use((_error: Error, _request: unknown, response: express.Response, _next: unknown) => {
      response.status(500).send('sorry')
    })
    return serve(context, createServer(app))
  },
  fastify: async (events, context) => {
    const app = fastify()
    await app.register(fastifySessions(events))
    app.setErrorHandler((_, __, reply) => reply.code(500).send('sorry'))
    app.post('/ok', async (_, reply) => (await place(events, 1), reply.code(201).send({ ok: true })))
    app.post('/refused', async (_, reply) => (await place(events, 2), reply.code(409).send('no')))
    app.post('/thrown', async () => (await place(events, 3), assert.fail('a bug')))
    app.post('/bad', async () => currentSession(events).placedOrder({ n: 'x' as never }))
    app.post('/pieces', async (_, reply) => {
      await place(events, 4)
      reply.hijack()
      reply.raw.end('one two')
    })
    context.after(() => app.close())
    return app.listen({ port: 0, host: '127.0.0.1' })
  },
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

/** hono on Node's server. */
function toNode(handle: (request: Request) => Response | Promise<Response>): Parameters<typeof createServer>[1] {
  return async ({ method = '', url = '', headers }, response) => {
    const fields = Object.entries(headers).map(([name, value]) => [name, String(value)] as [string, string])
    const answer = await handle(new Request(`http://app${url}`, { method, headers: fields }))
    response.writeHead(answer.status, Object.fromEntries(answer.headers)).end(await answer.text())
  }
}

async function open(framework: string, context: TestContext, handle?: Handle) {
  const { transport, bodies } = createWatched(handle)
  const warned: string[] = []
  const logger = {
    debug: () => undefined,
    warn: (fields: object, message: string) => void warned.push(`${message} ${JSON.stringify(fields)}`),
  }
  const buried: unknown[] = []
  const deadLetter = (record: DeadLetterRecord): unknown => buried.push(record.event['payload'])
  const sluice = createSluice({ baseUrl: hub.url, apiKey: hub.apiKey ?? '', transport, maxRetries: 0, deadLetter })
  const events = withTopics(sluice, topics, { service: `app-${framework}`, logger })
  const url = await apps[framework]?.(events, context)
  const post = async (path: string, headers: Record<string, string> = {}) => {
    const answer = await fetch(url + path, { method: 'POST', headers })
    return { status: answer.status, text: await answer.text(), type: answer.headers.get('content-type') }
  }
  return { post, bodies, warned, buried }
}

async function stored(jobId: string) {
  const { events } = await admin.searchEvents({ event_type: 'web.*', limit: 200 })
  return events.filter((event) => event.correlation_id === jobId)
}

for (const framework of Object.keys(apps)) {
  test(`${framework}: a good answer is given after its events are stored, with user and job from the fields`, async (context) => {
    const order: string[] = []
    const { post } = await open(framework, context, async (_, pass) => {
      const answer = await pass()
      order.push('stored')
      return answer
    })
    const job = `${framework}-ok`
    const answer = await post('/ok', { 'x-sluice-user-id': 'user-7', 'x-britecore-job-id': job })
    order.push('answered')
    assert.deepEqual([answer.status, answer.text, order], [201, '{"ok":true}', ['stored', 'answered']])
    const [event, ...more] = await stored(job)
    assert.deepEqual([event?.actor, event?.payload, more.length], [{ type: 'user', id: 'user-7' }, { n: 1 }, 0])
  })

  test(`${framework}: a request without ids, or with such as cannot be, is the service's own, under a job of its own`, async (context) => {
    const { post, bodies, warned } = await open(framework, context)
    await post('/ok')
    await post('/ok', { 'x-sluice-user-id': 'x'.repeat(300), 'x-job-id': 'x'.repeat(300) })
    for (const body of bodies) {
      const event = JSON.parse(body)
      assert.deepEqual(event.actor, { type: 'service', id: `app-${framework}` })
      assert.match(event.correlation_id, /^[0-9a-f-]{36}$/)
    }
    assert.deepEqual([bodies.length, warned.length], [2, 2])
  })

  test(`${framework}: a refusal, an exception and bad data send nothing`, async (context) => {
    const { post, bodies, warned } = await open(framework, context)
    assert.equal((await post('/refused')).status, 409)
    assert.equal((await post('/thrown')).text, 'sorry')
    assert.equal((await post('/bad')).status, 500)
    assert.equal(bodies.length, 0)
    assert.equal(warned.filter((text) => text.startsWith('rolled back')).length, 2)
  })

  test(`${framework}: where the events cannot be sent, the answer is a 500 of the app's own, and the app goes on`, async (context) => {
    const { post, buried } = await open(framework, context, async (n, pass) => {
      if (n === 1) throw new Error('the hub is away')
      return pass()
    })
    const answer = await post('/ok', { 'x-job-id': `${framework}-away` })
    assert.deepEqual([answer.status, answer.text], [500, 'sorry'])
    assert.doesNotMatch(answer.type ?? '', /json/)
    assert.equal((await stored(`${framework}-away`)).length, 0)
    assert.equal((await post('/ok', { 'x-job-id': `${framework}-away` })).status, 201)
    assert.equal((await stored(`${framework}-away`)).length, 1)
    // The client asks again, under new keys: in the dead letters they would be published twice.
    assert.deepEqual(buried, [])
  })

  test(`${framework}: requests at the same time keep their sessions apart`, async (context) => {
    const { post } = await open(framework, context)
    const jobs = Array.from({ length: 20 }, (_, n) => `${framework}-many-${n}`)
    await Promise.all(jobs.map((job) => post('/ok', { 'x-job-id': job, 'x-sluice-user-id': `user of ${job}` })))
    for (const job of jobs) {
      const events = await stored(job)
      assert.deepEqual(
        events.map(({ actor }) => actor?.id),
        [`user of ${job}`],
      )
    }
  })
}

for (const framework of ['express', 'fastify']) {
  test(`${framework}: an answer that has begun to leave is finished, its events are sent, and a failure is logged`, async (context) => {
    const told = Promise.withResolvers<void>()
    const { post, warned, buried } = await open(framework, context, async (n, pass) => {
      if (n === 2) {
        told.resolve()
        throw new Error('the hub is away')
      }
      return pass().finally(told.resolve)
    })
    const good = await post('/pieces', { 'x-job-id': `${framework}-pieces` })
    assert.deepEqual([good.status, good.text], [200, 'one two'])
    await told.promise
    assert.equal((await stored(`${framework}-pieces`)).length, 1)
    assert.equal((await post('/pieces')).text, 'one two')
    while (!warned.some((text) => /had begun to leave .*the hub is away/.test(text))) await new Promise(setImmediate)
    assert.deepEqual(buried, [{ n: 4 }])
  })
}

test('who asks can be taken from what authentication has left in the request', async (context) => {
  const { transport, bodies } = createWatched()
  const events = withTopics(createSluice({ baseUrl: hub.url, apiKey: hub.apiKey ?? '', transport }), topics, {
    service: 'app',
  })
  const app = new Hono<{ Variables: { user: string } }>()
  app.use(async (c, next) => (c.set('user', 'user-from-token'), next()))
  app.use(
    honoSessions(events, {
      identify: (c: import('hono').Context) => ({ userId: c.get('user') }),
      isSuccess: (status) => status < 400,
    }),
  )
  app.post('/', async (c) => (await place(events, 1), c.redirect('/elsewhere', 303)))
  const url = await serve(context, createServer(toNode(app.fetch)))
  await fetch(url, { method: 'POST', redirect: 'manual', headers: { 'x-sluice-user-id': 'forged' } })
  assert.equal(JSON.parse(bodies[0] ?? '').actor.id, 'user-from-token')
})

test('outside of a session there is none, and saying so is better than losing an event', () => {
  const events = withTopics(null, topics, { service: 'app' })
  assert.throws(() => currentSession(events), /no session is current/)
})
