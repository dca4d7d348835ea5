import { ApiError, EventValidationError, RateLimitError, TransportError, createSluice } from '@sluice/client'
import { createAdmin } from '@sluice/client/admin'

// What can go wrong, and how it looks. What is worth trying again has been tried again by the time an error is thrown.
const options = { baseUrl: process.env.SLUICE_URL, apiKey: process.env.SLUICE_API_KEY, source: 'examples/errors' }
const sluice = createSluice(options)

await show('an event with two faults', () => sluice.events.send('', { order_id: '1' }, { occurred_at: 'yesterday' }))
await show('an event that does not exist', () => sluice.events.get('00000000-0000-8000-8000-000000000000'))
await show('a key that nobody made', () => sluice.with({ apiKey: 'slk_unknown' }).events.send('order.created', {}))
await show('a key that was used with another event', async () => {
  const idempotencyKey = crypto.randomUUID()
  await sluice.events.send('order.created', { order_id: '1' }, { idempotencyKey })
  await sluice.events.send('order.created', { order_id: '2' }, { idempotencyKey })
})
await show('more requests than the key may make', sendTooMany)
await show('a hub that is not there', () =>
  createSluice({ baseUrl: 'http://127.0.0.1:9', maxRetries: 2 }).events.send('order.created', {}),
)

async function show(what: string, attempt: () => Promise<unknown>): Promise<void> {
  try {
    await attempt()
    console.log(`${what}: nothing went wrong`)
  } catch (error) {
    console.log(`${what}: ${explain(error)}`)
  }
}

function explain(error: unknown): string {
  if (error instanceof EventValidationError) {
    return `refused: ${error.faults.map(({ pointer, detail }) => `${pointer} ${detail}`).join('; ')}`
  }
  if (error instanceof RateLimitError) return `too fast, new requests in ${error.retryAfter} s`
  if (error instanceof ApiError) return `${error.status} ${error.errorCode} (request ${error.requestId})`
  if (error instanceof TransportError) return `no answer after ${error.attempts} attempts`
  throw error
}

/** Needs an admin key, to make one with a limit. */
async function sendTooMany(): Promise<void> {
  const admin = createAdmin(options)
  const key = await admin.createKey({ user_id: 'examples', role: 'publisher', rate_limit: 2 })
  try {
    const limited = sluice.with({ apiKey: key.api_key, maxRetries: 0 })
    for (let number = 0; number < 3; number += 1) await limited.events.send('order.created', { number })
  } finally {
    await admin.revokeKey(key.key_id)
  }
}
