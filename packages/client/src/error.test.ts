import assert from 'node:assert/strict'
import { test } from 'node:test'
import { inspect } from 'node:util'
import { createSluice } from './client.ts'
import { ApiError, TransportError } from './error.ts'
import { createRecordingTransport } from './testing/recording-transport.ts'
import type { Transport, TransportRequest } from './transport.ts'

const apiKey = 'slk_0123456789abcdef_keykeykeykeykeykeykeykeykeykeykeykeykeykey'
const hmacSecret = 'the secret of the shop'
const payload = { card: '4111 1111 1111 1111' }

/** Everything that an error shows to whoever prints it. */
const show = (error: unknown): string => `${String(error)} ${inspect(error)} ${JSON.stringify(error)}`

async function failWith(transport: Transport): Promise<string> {
  const sluice = createSluice({
    baseUrl: `http://${apiKey}@hub.example`,
    hmacSecret,
    transport,
    maxRetries: 1,
    random: () => 0,
  })
  const failure = await sluice.events.send('a', payload).then(
    () => assert.fail('it should fail'),
    (error: unknown) => error,
  )
  assert.ok(failure instanceof ApiError || failure instanceof TransportError)
  return show(failure)
}

test('no error holds the key, the secret or the payload', async () => {
  const hub = createRecordingTransport()
  const failures: ((times: number) => void)[] = [
    (times) => hub.fail(times, { status: 503, retryAfter: 0 }),
    (times) => hub.fail(times, { status: 401, errorCode: 'unauthorized' }),
    (times) => hub.fail(times, { status: 429, retryAfter: 500 }),
    (times) => hub.disconnect(times),
    () => hub.refuse('a'),
  ]
  for (const fail of failures) {
    fail(2)
    const text = await failWith(hub.transport)
    assert.doesNotMatch(text, /keykey|secret of the shop|4111/)
    hub.reset()
  }
})

test('nor does its message when somebody in between says them back', async () => {
  const echo: Transport = async ({ headers }: TransportRequest) => {
    throw new Error(`cannot send ${JSON.stringify(headers)} signed with ${hmacSecret}`)
  }
  const sluice = createSluice({ apiKey, hmacSecret, transport: echo, maxRetries: 0 })
  await assert.rejects(sluice.events.send('a', payload), (error: unknown) => {
    assert.ok(error instanceof TransportError)
    assert.match(error.message, /Bearer \[redacted\].*signed with \[redacted\]$/)
    assert.doesNotMatch(`${error.message} ${error.stack}`.split('\n    at ')[0] ?? '', /keykey|of the shop/)
    return true
  })
})

test('what was tried is said: how often, what was asked, and why it failed', async () => {
  const hub = createRecordingTransport()
  const sluice = createSluice({ transport: hub.transport, maxRetries: 2, random: () => 0 })
  hub.disconnect(3)
  await assert.rejects(sluice.events.send('a', {}), {
    name: 'TransportError',
    attempts: 3,
    message: 'POST /v1/events failed after 3 attempts: connection refused',
  })
  hub.fail(1, { status: 404, errorCode: 'not-found' })
  await assert.rejects(sluice.events.send('a', {}), {
    name: 'ApiError',
    message: 'POST /v1/events answered 404 not-found: as the test has told it to (request recorded)',
  })
})
