import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { Clock } from './clock.ts'
import { createSluice } from './client.ts'
import { ApiError } from './error.ts'
import { backoffBaseMs, backoffCapMs, longestRetryAfterSeconds, parseRetryAfter, toBackoffMs } from './retry.ts'
import { createFakeClock } from './testing/fake-clock.ts'
import { createRecordingTransport } from './testing/recording-transport.ts'
import type { TransportRequest, TransportResponse } from './transport.ts'

const start = Date.parse('2026-01-31T12:00:00Z')

test('a wait is never longer than the doubled step or the cap', () => {
  fc.assert(
    fc.property(fc.nat(200), fc.double({ min: 0, max: 1, noNaN: true }), (attempt, share) => {
      const delay = toBackoffMs(attempt, () => share)
      assert.ok(delay >= 0 && delay <= Math.min(backoffCapMs, backoffBaseMs * 2 ** attempt))
    }),
  )
})

test('Retry-After is read in both forms, and nonsense is ignored', () => {
  assert.equal(parseRetryAfter('7', null, start), 7)
  assert.equal(parseRetryAfter(' 0 ', null, start), 0)
  assert.equal(parseRetryAfter('Sat, 31 Jan 2026 12:00:30 GMT', null, start), 30)
  assert.equal(parseRetryAfter('Sat, 31 Jan 2026 11:00:00 GMT', null, start), 0)
  for (const nonsense of [null, '', '-1', 'soon', '1e9', '99999999999', '7 seconds', '2026-01-31']) {
    assert.equal(parseRetryAfter(nonsense, null, start), undefined, String(nonsense))
  }
})

test('a date in Retry-After counts from the Date of the answer, so that a wrong clock here changes nothing', () => {
  const wrong = start + 3_600_000
  assert.equal(parseRetryAfter('Sat, 31 Jan 2026 12:00:30 GMT', 'Sat, 31 Jan 2026 12:00:10 GMT', wrong), 20)
})

type Answer = { readonly status: number; readonly retryAfter?: number } | 'no answer'

/** A hub that gives these answers in turn, then 201, and a clock that only moves when somebody sleeps or an answer takes time. */
function script(
  answers: readonly Answer[],
  options: { share: number; answerMs: number; totalTimeoutMs?: number; maxRetries: number },
) {
  const requests: TransportRequest[] = []
  const waits: number[] = []
  let now = start
  const clock: Clock = {
    now: () => now,
    sleep: async (ms) => {
      waits.push(ms)
      now += ms
    },
  }
  const transport = async (request: TransportRequest): Promise<TransportResponse> => {
    const answer = answers[requests.length] ?? { status: 201 }
    requests.push(request)
    now += options.answerMs
    if (answer === 'no answer') throw new Error('socket hang up')
    const fields: Record<string, string> =
      answer.retryAfter === undefined ? {} : { 'retry-after': String(answer.retryAfter) }
    return { status: answer.status, header: (name) => fields[name] ?? null, text: async () => '{}', stream: () => null }
  }
  const { totalTimeoutMs, maxRetries } = options
  const sluice = createSluice({ transport, clock, random: () => options.share, totalTimeoutMs, maxRetries })
  return { sluice, requests, waits, elapsed: () => now - start }
}

const answer: fc.Arbitrary<Answer> = fc.oneof(
  fc.constant('no answer' as const),
  fc.record({ status: fc.constantFrom(408, 425, 429, 500, 502, 503, 504) }),
  fc.record({ status: fc.constantFrom(429, 503), retryAfter: fc.nat(200) }),
  fc.record({ status: fc.constantFrom(400, 401, 403, 404, 409, 410, 413, 415, 422, 302, 501) }),
)

test('attempts, waits and deadline hold for every run of answers', async () => {
  const options = fc.record({
    share: fc.double({ min: 0, max: 1, noNaN: true }),
    answerMs: fc.nat(500),
    maxRetries: fc.nat(6),
    totalTimeoutMs: fc.oneof(fc.constant(Infinity), fc.integer({ min: 600, max: 100_000 })),
  })
  await fc.assert(
    fc.asyncProperty(fc.array(answer, { maxLength: 8 }), options, async (answers, given) => {
      const { sluice, requests, waits, elapsed } = script(answers, given)
      const failure = await sluice.events.send('a', {}).then(
        () => undefined,
        (error: unknown) => error,
      )
      const heard = requests.map((_, index) => answers[index] ?? { status: 201 })
      const last = heard.at(-1)
      // Ended well exactly when the last answer was good, and nothing but the last was final.
      assert.equal(failure === undefined, last !== 'no answer' && last?.status === 201)
      for (const before of heard.slice(0, -1))
        assert.ok(before === 'no answer' || [408, 425, 429, 500, 502, 503, 504].includes(before.status))
      assert.ok(requests.length <= given.maxRetries + 1)
      assert.equal(waits.length, requests.length - 1)
      assert.equal(new Set(requests.map((request) => request.headers['idempotency-key'])).size, 1)
      assert.ok(elapsed() <= given.totalTimeoutMs + given.answerMs)
      for (const [index, wait] of waits.entries()) {
        const reason = heard[index]
        const asked = reason === 'no answer' ? undefined : reason?.retryAfter
        if (asked === undefined) assert.equal(wait, given.share * Math.min(backoffCapMs, backoffBaseMs * 2 ** index))
        else
          assert.ok(wait >= asked * 1000 && wait <= asked * 1000 + backoffBaseMs && asked <= longestRetryAfterSeconds)
      }
    }),
  )
})

test('an answer that asks for longer than two minutes is given to the caller instead of waited for', async () => {
  const { sluice, waits } = script([{ status: 503, retryAfter: 3600 }], { share: 0.5, answerMs: 1, maxRetries: 3 })
  await assert.rejects(
    sluice.events.send('a', {}),
    (error: unknown) => error instanceof ApiError && error.retryAfter === 3600,
  )
  assert.deepEqual(waits, [])
})

test('a date in Retry-After is waited for, and not beyond the total time', async () => {
  const hub = createRecordingTransport()
  const clock = createFakeClock()
  const sluice = createSluice({ transport: hub.transport, clock, random: () => 0.5 })
  hub.fail(1, { retryAfter: 'Sat, 31 Jan 2026 12:00:30 GMT' })
  await sluice.events.send('a', {}, { totalTimeoutMs: 60_000 })
  assert.deepEqual(clock.sleeps, [30_125])
  hub.fail(1, { retryAfter: 'Sat, 31 Jan 2026 12:02:00 GMT' })
  await assert.rejects(sluice.events.send('a', {}, { totalTimeoutMs: 60_000 }), {
    name: 'ApiError',
    retryAfter: 89.875,
  })
  assert.deepEqual([clock.sleeps.length, hub.requests.length], [1, 3])
})

test('the wait between two attempts grows to a cap, and no further', async () => {
  const hub = createRecordingTransport()
  const clock = createFakeClock()
  const sluice = createSluice({ transport: hub.transport, clock, random: () => 1, maxRetries: 9 })
  hub.disconnect(9)
  await sluice.events.send('a', {})
  assert.deepEqual(clock.sleeps, [250, 500, 1000, 2000, 4000, 8000, 16_000, 20_000, 20_000])
})
