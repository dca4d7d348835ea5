import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { createSluice } from './client.ts'
import type { SluiceOptions } from './options.ts'
import { createFakeClock } from './testing/fake-clock.ts'
import { createRecordingTransport } from './testing/recording-transport.ts'

type Line = Record<string, unknown> & { readonly level: string; readonly message: string }

function open(options: SluiceOptions = {}) {
  const hub = createRecordingTransport()
  const lines: Line[] = []
  const log =
    (level: string) =>
    (fields: Record<string, unknown>, message: string): unknown =>
      lines.push({ level, message, ...fields })
  const apiKey = 'slk_0123456789abcdef_secret'
  const settings = { transport: hub.transport, clock: createFakeClock(), random: () => 0, apiKey, hmacSecret: 'xyzzy' }
  const sluice = createSluice({ ...settings, logger: { debug: log('debug'), warn: log('warn') }, ...options })
  return { hub, lines, sluice }
}

const payload = { customer: { eMail: 'jane@example.com' }, note: 'call +1 415 555 2671, say xyzzy', total: 42 }

test('a logger is told of retries, and of no event', async () => {
  const { hub, lines, sluice } = open()
  hub.fail(1)
  await sluice.events.send('a', payload)
  assert.deepEqual(lines, [
    {
      level: 'warn',
      message: 'trying again',
      operation: 'POST /v1/events',
      attempt: 1,
      delayMs: 0,
      reason: 'POST /v1/events answered 503 overloaded: as the test has told it to (request recorded)',
    },
  ])
})

test('debug tells of every attempt, with the event, masked', async () => {
  const { hub, lines, sluice } = open({ debug: true, source: 'shop' })
  hub.disconnect(1)
  await sluice.events.send('a', payload, { identity: { id: 'u-1', email: 'jane@example.com' } })
  const body = {
    event_type: 'a',
    payload: { customer: { eMail: '[redacted]' }, note: 'call [redacted], say [redacted]', total: 42 },
    identity: { id: 'u-1', email: '[redacted]' },
    source: 'shop',
  }
  const attempt = { level: 'debug', message: 'attempt', operation: 'POST /v1/events', ms: 0, body }
  assert.deepEqual(
    lines.filter(({ level }) => level === 'debug'),
    [
      { ...attempt, attempt: 1, reason: 'Error: connection refused' },
      { ...attempt, attempt: 2, status: 201 },
    ],
  )
  assert.doesNotMatch(JSON.stringify(lines), /jane|415|xyzzy|slk_/)
})

test('what is no event is not logged, also without redact', async () => {
  const { hub, lines, sluice } = open({ debug: true, redact: false })
  await assert.rejects(sluice.inbox('crm').release('lease', { reason: 'the secret of the push inbox' }))
  assert.equal(hub.requests.length, 1)
  assert.doesNotMatch(JSON.stringify(lines), /secret of/)
})

test('without redact, logs hold events as they are, and still no key', async () => {
  const { lines, sluice } = open({ debug: true, redact: false })
  await sluice.events.send('a', payload)
  assert.match(JSON.stringify(lines), /jane@example.com.*\+1 415 555 2671/)
  assert.doesNotMatch(JSON.stringify(lines), /slk_/)
})

test('debug without a logger tells the console; without both, nothing is said', async (context: TestContext) => {
  const said: unknown[][] = []
  context.mock.method(console, 'debug', (...words: unknown[]) => said.push(words))
  context.mock.method(console, 'warn', (...words: unknown[]) => said.push(words))
  const silent = open({ logger: undefined })
  silent.hub.fail(1)
  await silent.sluice.events.send('a', {})
  assert.deepEqual(said, [])
  await open({ logger: undefined, debug: true }).sluice.events.send('a', { email: 'jane@example.com' })
  assert.equal(said[0]?.[0], 'sluice: attempt')
  assert.match(JSON.stringify(said), /"email":"\[redacted\]"/)
})
