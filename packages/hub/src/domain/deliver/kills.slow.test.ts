import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, beforeEach, describe, it } from 'node:test'
import type { Attempt, DeadLetter, Inbox } from '@sluice/protocol'
import { startHub, type HubProcess } from '../../../../../scripts/hub-process.ts'
import { usePostgres } from '../../../../../scripts/use-postgres.ts'
import { eventually } from '../../test-eventually.ts'

/** A service that knows idempotency keys: what it has done for one, it does not do again. */
type Service = { readonly effects: Map<string, number>; heard: number; inFlight: number; most: number; url: string }
type Request = {
  readonly metadata: { readonly event_id: string; readonly attempt: number; readonly previous_outcome: unknown }
}

/** Called with each request, in three phases of it; may kill a hub. */
type Phase = 'before the effect' | 'before the answer' | 'after the answer'
let onPhase: (phase: Phase, request: Request) => Promise<void> = async () => undefined

const keys = new Set<string>()
const service: Service = { effects: new Map(), heard: 0, inFlight: 0, most: 0, url: '' }
const requests: Request[] = []
const server = createServer(async (request, response) => {
  const body = JSON.parse(Buffer.concat(await request.toArray()).toString()) as Request
  service.heard += 1
  service.inFlight += 1
  service.most = Math.max(service.most, service.inFlight)
  requests.push(body)
  await onPhase('before the effect', body)
  const key = String(request.headers['idempotency-key'])
  if (!keys.has(key)) {
    keys.add(key)
    const { event_id: id } = body.metadata
    service.effects.set(id, (service.effects.get(id) ?? 0) + 1)
  }
  await onPhase('before the answer', body)
  await answer(response)
  service.inFlight -= 1
  await onPhase('after the answer', body)
})

async function answer(response: ServerResponse): Promise<void> {
  response.writeHead(200, { 'content-type': 'application/json' }).end('{}')
  await Promise.race([once(response, 'finish'), once(response, 'close')])
}

const integrations = new URL('../../test-integrations', import.meta.url).pathname
const env = { SLUICE_INTEGRATIONS: integrations, SLUICE_ALLOW_CIDR: '127.0.0.0/8', SLUICE_SECRET_KEY: '07'.repeat(32) }
const postgres = await usePostgres()

before(async () => {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  service.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/do`
})
after(() => server.close())
beforeEach(() => {
  service.effects.clear()
  keys.clear()
  requests.length = 0
  Object.assign(service, { heard: 0, inFlight: 0, most: 0 })
  onPhase = async () => undefined
})

type Caller = <Body>(line: string, body?: unknown) => Promise<Body>

/** Asks the hub that is there now. */
function createCaller(hub: () => HubProcess, apiKey: string): Caller {
  return async <Body>(line: string, body?: unknown) => {
    const [method = '', path = ''] = line.split(' ')
    const response = await fetch(hub().url + path, {
      method,
      headers: { authorization: `Bearer ${apiKey}`, 'content-type': 'application/json' },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    })
    assert.ok(response.ok, `${line}: ${response.status}`)
    return (await response.json()) as Body
  }
}

const settings = (more: object = {}) => ({
  filter: { event_types: ['test.kills'] },
  retry: { schedule_seconds: [0] },
  action: { integration: 'vendor', action: 'do', inputs: { url: service.url } },
  ...more,
})

const holdsNothing = ({ waiting, leased, parked }: Inbox): boolean => waiting + leased + parked === 0
const isOver = (inbox: Inbox): boolean => inbox.behind === 0 && holdsNothing(inbox)

async function publish(call: Caller, count: number): Promise<void> {
  const events = Array.from({ length: count }, (_, n) => ({ event_type: 'test.kills', payload: { n } }))
  await call('POST /v1/events/batch', events)
}

/** Each event, and nothing else, was done once. */
function assertOnce(count: number): void {
  assert.equal(service.effects.size, count)
  assert.deepEqual(new Set(service.effects.values()), new Set([1]))
}

/** A hub on a folder of its own that can be killed and started again. */
async function useFolder(
  run: (hub: { readonly call: Caller; readonly restart: (how?: 'kill' | 'stop') => Promise<void> }) => Promise<void>,
): Promise<void> {
  const data = await mkdtemp(join(tmpdir(), 'sluice-kills-'))
  let hub = await startHub({ data, env })
  const call = createCaller(() => hub, hub.apiKey ?? '')
  const restart = async (how: 'kill' | 'stop' = 'kill'): Promise<void> => {
    await hub[how]()
    hub = await startHub({ data, env })
  }
  try {
    await run({ call, restart })
  } finally {
    await hub.stop()
    await rm(data, { recursive: true })
  }
}

describe('a hub that is killed while it delivers', () => {
  it('does everything, and with a key nothing twice, in whatever phase it was', async () => {
    await useFolder(async ({ call, restart }) => {
      await call('PUT /v1/inboxes/kills', settings())
      const plan: [Phase, number][] = [
        ['before the effect', 4],
        ['before the answer', 12],
        ['after the answer', 20],
      ]
      const restarts: Promise<void>[] = []
      onPhase = async (phase) => {
        const [next] = plan
        if (!next || next[0] !== phase || service.heard < next[1]) return
        plan.shift()
        restarts.push(restart())
      }
      await publish(call, 24)
      await eventually(
        () => plan.length,
        (left) => left === 0,
        90_000,
      )
      await Promise.all(restarts)
      await eventually(() => call<Inbox>('GET /v1/inboxes/kills'), isOver, 90_000)
      assertOnce(24)
      const again = requests.filter(({ metadata }) => metadata.attempt > 1)
      assert.ok(again.length >= 3, `${again.length} attempts were not the first`)
      for (const { metadata } of again) assert.equal(metadata.previous_outcome, 'unknown')
      const { attempts } = await call<{ attempts: Attempt[] }>('GET /v1/inboxes/kills/attempts?limit=200')
      assert.equal(attempts.filter(({ outcome }) => outcome === 'delivered').length, 24)
    })
  })

  it('does nothing again where the inbox says so: what nobody knows of is a dead letter', async () => {
    await useFolder(async ({ call, restart }) => {
      await call('PUT /v1/inboxes/kills', settings({ on_unknown: 'stop' }))
      let restarting: Promise<void> | undefined
      onPhase = async (phase) => {
        if (phase === 'before the answer') restarting ??= restart()
      }
      await publish(call, 1)
      await eventually(() => restarting !== undefined, Boolean)
      await restarting
      await eventually(
        () => call<Inbox>('GET /v1/inboxes/kills'),
        ({ dead }) => dead === 1,
        60_000,
      )
      const { dead_letters: letters } = await call<{ dead_letters: DeadLetter[] }>('GET /v1/inboxes/kills/dead-letters')
      assert.match(letters[0]?.reason ?? '', /outcome unknown: attempt 1 was not seen to end/)
      assert.equal(service.heard, 1)
    })
  })
})

describe('a hub that is stopped while it delivers', () => {
  it('ends what does not end by itself, and tells so', async () => {
    await useFolder(async ({ call, restart }) => {
      const action = {
        integration: 'vendor',
        action: 'do',
        inputs: { url: service.url, how: "=attempt = 1 ? 'hang' : 'ok'" },
      }
      await call('PUT /v1/inboxes/kills', settings({ action }))
      await publish(call, 1)
      await eventually(
        () => service.heard,
        (heard) => heard === 1,
      )
      await restart('stop')
      await eventually(() => call<Inbox>('GET /v1/inboxes/kills'), isOver)
      const { attempts } = await call<{ attempts: Attempt[] }>('GET /v1/inboxes/kills/attempts')
      const seen = attempts.map(({ attempt, outcome, result }) => [attempt, outcome, result])
      assert.deepEqual(seen, [
        [2, 'delivered', 'action'],
        [1, 'released', 'unknown'],
      ])
      assert.match(attempts[1]?.reason ?? '', /the run was cancelled/)
      assert.equal(requests[1]?.metadata.previous_outcome, 'unknown')
    })
  })
})

describe('two nodes on one database', { skip: postgres.skip }, () => {
  it('share an inbox with its limit, and one goes on where the other was killed', async () => {
    const nodeEnv = { ...env, DATABASE_URL: postgres.url }
    const data = await mkdtemp(join(tmpdir(), 'sluice-kills-'))
    const one = await startHub({ data, env: nodeEnv })
    const two = await startHub({ data, env: nodeEnv })
    try {
      const call = createCaller(() => two, one.apiKey ?? '')
      const action = { integration: 'vendor', action: 'do', inputs: { url: service.url }, concurrency: 2 }
      for (const n of [1, 2, 3, 4])
        await call(`PUT /v1/inboxes/kills-${n}`, settings({ action, filter: { event_types: [`test.kills-${n}`] } }))
      for (const n of [1, 2, 3, 4]) {
        const events = Array.from({ length: 8 }, () => ({ event_type: `test.kills-${n}`, payload: {} }))
        await call('POST /v1/events/batch', events)
      }
      let killing: Promise<void> | undefined
      onPhase = async (phase) => {
        if (phase === 'before the answer' && service.heard >= 6) killing ??= one.kill()
      }
      const total = async (): Promise<number> => service.effects.size
      await eventually(total, (count) => count === 32, 60_000)
      for (const n of [1, 2, 3, 4])
        await eventually(() => call<Inbox>(`GET /v1/inboxes/kills-${n}`), holdsNothing, 60_000)
      assertOnce(32)
      assert.ok(service.most <= 8, `${service.most} at a time, of 4 inboxes with 2 each`)
    } finally {
      await Promise.all([one.kill(), two.stop()])
      await rm(data, { recursive: true })
    }
  })
})
