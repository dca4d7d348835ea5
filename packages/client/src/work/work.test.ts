import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { startHub, type Hub } from '@sluice/hub'
import { createAdmin, type Admin } from '../admin.ts'
import { createSluice, type Sluice } from '../client.ts'
import { ApiError } from '../error.ts'
import type { SluiceOptions } from '../options.ts'

type Place = {
  readonly sluice: Sluice
  readonly admin: Admin
  readonly hub: () => Hub
  /** ends the hub and starts it again on the same folder and port */
  readonly restart: (whileDown?: () => Promise<void>) => Promise<void>
}

async function openPlace(context: TestContext, options: SluiceOptions = {}): Promise<Place> {
  const data = await mkdtemp(join(tmpdir(), 'sluice-work-'))
  const start = (port: number): Promise<Hub> =>
    startHub({
      data,
      host: '127.0.0.1',
      port,
      secretKeys: [new Uint8Array(32)],
      logLevel: 'silent',
      trustProxy: [],
      corsOrigins: [],
    })
  let hub = await start(0)
  const { url, port, apiKey } = hub
  context.after(async () => {
    await hub.close()
    await rm(data, { recursive: true })
  })
  const connection = { baseUrl: url, apiKey: apiKey ?? '' }
  return {
    sluice: createSluice({ ...connection, ...options }),
    admin: createAdmin(connection),
    hub: () => hub,
    restart: async (whileDown) => {
      await hub.close()
      await whileDown?.()
      hub = await start(port)
    },
  }
}

async function publish(sluice: Sluice, count: number): Promise<string[]> {
  const events = Array.from({ length: count }, (_, n) => ({
    event_type: 'job',
    payload: { n },
    idempotency_key: `job-${n}`,
  }))
  const { results } = await sluice.events.sendBatch(events)
  return results.map((result) => ('event_id' in result ? result.event_id : assert.fail(JSON.stringify(result))))
}

const nothing = { acked: 0, released: 0, dead: 0, lost: 0 }

/** What the inbox still has, in any state. */
async function left({ admin }: Place, inbox = 'default'): Promise<number> {
  const { behind, waiting, leased, parked } = await admin.getInbox(inbox)
  return behind + waiting + leased + parked
}

test('drain hands every event to a handler once, as many at a time as it may, and acknowledges them', async (context) => {
  const place = await openPlace(context)
  const ids = await publish(place.sluice, 300)
  const handled: string[] = []
  let running = 0
  let most = 0
  const result = await place.sluice.inbox().drain(
    async (event) => {
      most = Math.max(most, (running += 1))
      await new Promise((resolve) => setImmediate(resolve))
      running -= 1
      handled.push(event.event_id)
    },
    { concurrency: 5 },
  )
  assert.deepEqual(result, { ...nothing, acked: 300 })
  assert.deepEqual(handled.toSorted(), ids.toSorted())
  assert.equal(most, 5)
  assert.equal(await left(place), 0)
  assert.deepEqual(await place.sluice.inbox().drain(() => assert.fail()), nothing)
})

test('events that come while it works are taken; the signal ends it', async (context) => {
  const place = await openPlace(context)
  const stop = new AbortController()
  const handled: unknown[] = []
  const worked = place.sluice.inbox().work(
    ({ payload }) => {
      handled.push(payload['n'])
      if (handled.length === 3) stop.abort()
    },
    { signal: stop.signal },
  )
  for (const n of [1, 2, 3]) await place.sluice.events.send('job', { n })
  assert.deepEqual(await worked, { ...nothing, acked: 3 })
  assert.deepEqual(handled, [1, 2, 3])
  assert.equal(await left(place), 0)
})

test('an event whose handler throws comes back with the next attempt, and is dead after the last', async (context) => {
  const place = await openPlace(context)
  await place.admin.putInbox('crm', { start: 'earliest', max_attempts: 3 })
  const [good, bad] = await publish(place.sluice, 2)
  const attempts: number[] = []
  const errors: string[] = []
  const result = await place.sluice.inbox('crm').drain(
    (event) => {
      if (event.event_id === good) return
      attempts.push(event.attempt)
      throw new RangeError(`not attempt ${event.attempt}`)
    },
    { onError: (error, event) => errors.push(`${event.event_id} ${String(error)}`) },
  )
  assert.deepEqual(result, { acked: 1, released: 2, dead: 1, lost: 0 })
  assert.deepEqual(attempts, [1, 2, 3])
  assert.deepEqual(
    errors,
    [1, 2, 3].map((n) => `${bad} RangeError: not attempt ${n}`),
  )
  const { dead_letters: dead } = await place.admin.listDeadLetters('crm')
  assert.deepEqual(
    dead.map((letter) => [letter.event_id, letter.reason]),
    [[bad, 'RangeError: not attempt 3']],
  )
})

test('retryAfter on an error says when the event comes back; without it the schedule of the inbox does', async (context) => {
  const place = await openPlace(context)
  await place.admin.putInbox('crm', { start: 'earliest', retry: { schedule_seconds: [600] } })
  const [first, second] = await publish(place.sluice, 2)
  const result = await place.sluice.inbox('crm').drain((event) => {
    throw event.event_id === first ? Object.assign(new Error('busy'), { retryAfter: 3600 }) : new Error('broken')
  })
  assert.deepEqual(result, { ...nothing, released: 2 })
  const waits = await Promise.all(
    [first, second].map(async (id) => {
      const { verdicts } = await place.admin.explainEvent(id ?? '')
      const verdict = verdicts.find(({ inbox }) => inbox === 'crm')
      return Math.round((Date.parse(verdict?.available_at ?? '') - Date.now()) / 60_000)
    }),
  )
  assert.deepEqual(waits, [60, 10])
})

test('the lease of a slow handler is extended until it ends', async (context) => {
  const extended = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
  let extensions = 0
  const place = await openPlace(context, {
    fetch: async (url, init) => {
      const response = await fetch(url, init)
      if (url.endsWith('/extend') && response.ok) extended[(extensions += 1) - 1]?.resolve()
      return response
    },
  })
  await publish(place.sluice, 1)
  let begun = 0
  const result = await place.sluice.inbox().drain(
    async () => {
      begun += 1
      await Promise.all(extended.map(({ promise }) => promise))
    },
    { leaseSeconds: 1 },
  )
  assert.deepEqual([result.acked, begun], [1, 1])
})

test('when it is stopped, what runs is finished, and the rest goes back without costing an attempt', async (context) => {
  const place = await openPlace(context)
  const ids = await publish(place.sluice, 10)
  const stop = new AbortController()
  const stopped = Promise.withResolvers<void>()
  const gate = Promise.withResolvers<void>()
  const begun: string[] = []
  const worked = place.sluice.inbox().work(
    async (event, { signal }) => {
      begun.push(event.event_id)
      if (begun.length === 2) {
        stop.abort()
        stopped.resolve()
      }
      await gate.promise
      assert.equal(signal.aborted, false)
    },
    { signal: stop.signal, concurrency: 2, batch: 10 },
  )
  await stopped.promise
  // The eight are back while the two still run.
  let others: string[] = []
  while (others.length < 8) {
    const lease = await place.sluice.inbox().lease({ limit: 10, waitSeconds: 1 })
    for (const event of lease.events) assert.equal(event.attempt, 1)
    others = [...others, ...lease.events.map((event) => event.event_id)]
  }
  gate.resolve()
  assert.deepEqual(await worked, { ...nothing, acked: 2 })
  assert.deepEqual([...begun, ...others].toSorted(), ids.toSorted())
})

test('handlers that do not end in time are told to, and their events go back', async (context) => {
  const place = await openPlace(context)
  const [id] = await publish(place.sluice, 1)
  const stop = new AbortController()
  const told = Promise.withResolvers<unknown>()
  const result = await place.sluice.inbox().work(
    async (_, { signal }) => {
      signal.addEventListener('abort', () => told.resolve(signal.reason))
      stop.abort()
      await new Promise(() => undefined)
    },
    { signal: stop.signal, graceSeconds: 0.01 },
  )
  assert.deepEqual(result, nothing)
  assert.match(String(await told.promise), /stopped before the handler had finished/)
  const { verdicts } = await place.admin.explainEvent(id ?? '')
  assert.deepEqual([verdicts[0]?.verdict, verdicts[0]?.history[0]?.outcome], ['waiting', 'released'])
})

test('a worker waits for a hub that goes away and comes back, and what it had done meanwhile counts', async (context) => {
  const place = await openPlace(context, { random: () => 0.1 })
  const ids = await publish(place.sluice, 4)
  const stop = new AbortController()
  const running = Promise.withResolvers<void>()
  const gate = Promise.withResolvers<void>()
  const handled: string[] = []
  const worked = place.sluice.inbox().work(
    async (event) => {
      handled.push(event.event_id)
      if (handled.length === 4) running.resolve()
      await gate.promise
      if (handled.length === 5) stop.abort()
    },
    { signal: stop.signal },
  )
  await running.promise
  await place.restart(async () => gate.resolve())
  const { event_id: last } = await place.sluice.events.send('job', {})
  assert.deepEqual(await worked, { ...nothing, acked: 5 })
  assert.deepEqual(handled.toSorted(), [...ids, last].toSorted())
  assert.equal(await left(place), 0)
})

test('a key that is revoked, or an inbox that is not there, ends it with the refusal', async (context) => {
  const place = await openPlace(context)
  await assert.rejects(
    place.sluice.inbox('nowhere').work(() => undefined),
    { name: 'ApiError', status: 404 },
  )
  const key = await place.admin.createKey({ user_id: 'u', role: 'consumer' })
  const worker = place.sluice.with({ apiKey: key.api_key })
  await publish(place.sluice, 1)
  const worked = worker.inbox().work(async () => {
    await place.admin.revokeKey(key.key_id)
    // Felt within a second: until then acknowledging still works, and it ends at the next request.
  })
  await assert.rejects(worked, (error: unknown) => error instanceof ApiError && error.errorCode === 'key-revoked')
})

test('an event that was given to somebody else is told about, and its handler is stopped', async (context) => {
  const place = await openPlace(context)
  await publish(place.sluice, 1)
  const errors: unknown[] = []
  const result = await place.sluice.inbox().drain(
    async (_, { signal }) => {
      await place.admin.seekInbox('default', { to: 'latest' })
      // It may have been stopped while the hub answered.
      if (!signal.aborted) await new Promise((resolve) => signal.addEventListener('abort', resolve))
    },
    { leaseSeconds: 1, onError: (error) => errors.push(error) },
  )
  assert.deepEqual(result, { ...nothing, lost: 1 })
  assert.ok(errors[0] instanceof ApiError && errors[0].errorCode === 'lease-lost')
})

test('an event that comes back while its handler still runs is not begun twice', async (context) => {
  const again = Promise.withResolvers<void>()
  let leases = 0
  const place = await openPlace(context, {
    fetch: async (url, init) => {
      const response = await fetch(url, init)
      if (url.endsWith('/lease') && !(await response.clone().text()).includes('"events":[]') && (leases += 1) === 2)
        again.resolve()
      return response
    },
  })
  await publish(place.sluice, 1)
  const stop = new AbortController()
  let begun = 0
  const result = await place.sluice.inbox().work(
    async () => {
      begun += 1
      await place.admin.seekInbox('default', { to: 'earliest' })
      await again.promise
      // Let the worker take the answer in.
      await new Promise((resolve) => setImmediate(resolve))
      stop.abort()
    },
    { signal: stop.signal },
  )
  assert.deepEqual([result, begun], [{ ...nothing, acked: 1 }, 1])
  assert.equal(await left(place), 0)
})

test('a stream of what is new misses nothing that comes while the hub restarts, even before its first event', async (context) => {
  const place = await openPlace(context)
  const stop = new AbortController()
  const connected = Promise.withResolvers<void>()
  const watched = place.sluice.with({
    fetch: async (url, init) => {
      const response = await fetch(url, init)
      connected.resolve()
      return response
    },
  })
  const next = watched.inbox().stream({ from: 'latest', signal: stop.signal }).next()
  await connected.promise
  await place.restart()
  const { event_id: id } = await place.sluice.events.send('job', {})
  const { value } = await next
  assert.equal(value?.event.event_id, id)
  stop.abort()
})

test('answers that are lost on the way neither lose nor double an event', async (context) => {
  let requests = 0
  const place = await openPlace(context, {
    maxRetries: 10,
    random: () => 0,
    fetch: async (url, init) => {
      const response = await fetch(url, init)
      await response.clone().text()
      // Every third answer is cut off after the hub has done what was asked.
      if ((requests += 1) % 3 === 0) throw new TypeError('fetch failed')
      return response
    },
  })
  const ids = await publish(place.sluice, 100)
  const handled: string[] = []
  const result = await place.sluice
    .inbox()
    .drain((event) => void handled.push(event.event_id), { batch: 7, concurrency: 3 })
  assert.deepEqual(result, { ...nothing, acked: 100 })
  assert.deepEqual(handled.toSorted(), ids.toSorted())
  assert.equal(await left(place), 0)
})
