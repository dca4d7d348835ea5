import { readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createSluice, EventValidationError } from '@sluice/client'
import { createAdmin } from '@sluice/client/admin'
import { buildEvent } from '@sluice/client/event'
import { EventType } from '@sluice/client/event-types'
import { jsonlFile } from '@sluice/client/node'

// What users of the eSauti SDK write to send events, written with this client.
const baseUrl = process.env.SLUICE_URL
const token = process.env.SLUICE_API_KEY

// A canonical event.
const client = createSluice({ baseUrl, apiKey: token })
const receipt = await client.events.send(
  EventType.CUSTOMER_CREATED,
  { status: 'active' },
  { identity: { id: 'cus_123', email: 'jane@esauti.com' }, source: 'my-app' },
)
console.log(`${EventType.CUSTOMER_CREATED}: ${receipt.status}`)

// Signed, beside the bearer's key. The secret belongs to a key.
const key = await createAdmin({ baseUrl, apiKey: token }).createKey({ user_id: 'examples', hmac: true })
const signing = createSluice({ baseUrl, apiKey: key.api_key, hmacSecret: key.hmac_secret })
const signed = await signing.events.send(
  'order.created',
  { value: 99.99, currency: 'USD' },
  { identity: { id: 'cus_456' }, source: 'shopify' },
)
console.log(`order.created, signed: ${signed.status}`)

// Every option of theirs, and what it is called here.
const deadLetters = join(tmpdir(), `dead-letters-${crypto.randomUUID()}.jsonl`)
const configured = createSluice({
  baseUrl,
  apiKey: token, // token
  hmacSecret: undefined, // hmac_secret
  timeoutMs: 30_000, // timeout, which is in seconds there
  maxRetries: 3, // max_retries
  debug: false, // debug
  redact: true, // redact_pii, which is off there
  eventsEndpoint: '/v1/events', // events_endpoint
  source: 'sdk', // source
  deadLetter: jsonlFile(deadLetters), // the dead-letter sink
})

// What the hub refuses stays in the dead-letter file.
await configured.events.send('', { value: 1 }).catch((error: unknown) => console.log(`refused: ${toReason(error)}`))
const record = JSON.parse(await readFile(deadLetters, 'utf8'))
console.log(`dead letter: ${record.error.code}, after ${record.attempts} attempt`)
await rm(deadLetters)

// The builder says every fault before anything is sent.
try {
  buildEvent('', {}, { identity: { email: '' } })
} catch (error) {
  console.log(`not built: ${toReason(error)}`)
}

function toReason(error: unknown): string {
  if (!(error instanceof EventValidationError)) throw error
  return error.errors.map(({ pointer, detail }) => `${pointer} ${detail}`).join('; ')
}
