import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { createSluice, EventValidationError } from '@sluice/client'
import { createAdmin } from '@sluice/client/admin'
import { startHub, type Hub } from '@sluice/hub'
import { createEsauti, type Esauti } from './esauti.ts'

// The hub takes the same envelope at the same path.
let folder: string
let hub: Hub
let key: { readonly api_key: string; readonly hmac_secret?: string | undefined }

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sluice-esauti-'))
  const quiet = { logLevel: 'silent', trustProxy: [], corsOrigins: [] } as const
  hub = await startHub({ data: folder, host: '127.0.0.1', port: 0, secretKeys: [new Uint8Array(32)], ...quiet })
  const admin = createAdmin({ baseUrl: hub.url, apiKey: hub.apiKey ?? '' })
  key = await admin.createKey({ user_id: 'shop', role: 'creator', hmac: true, require_hmac: true })
})

after(async () => {
  await hub.close()
  await rm(folder, { recursive: true })
})

const open = (hmacSecret = key.hmac_secret): Esauti =>
  createEsauti({ baseUrl: hub.url, token: key.api_key, hmacSecret, source: 'shopify', maxRetries: 0 })

test('a signed event is stored, once for each key, and reads as it was meant', async () => {
  const options = {
    identity: { id: 'cus_456', email: 'jane@esauti.com' },
    entity: { type: 'order', id: '1043' },
    data: { value: 99.99, text: 'ü\u2028"' },
    idempotencyKey: 'order-1043',
  }
  const receipt = await open().events.send('order.created', options)
  assert.equal(receipt.received, true)
  const again = await open().events.send('order.created', options)
  assert.equal(again.event_id, receipt.event_id)
  const sluice = createSluice({ baseUrl: hub.url, apiKey: hub.apiKey ?? '' })
  const event = await sluice.events.get(receipt.event_id ?? '')
  assert.deepEqual(
    [event.event_type, event.source, event.identity, event.entity, event.payload],
    ['order.created', 'shopify', options.identity, options.entity, options.data],
  )
  const linked = await open().events.identify({ email: 'jane@esauti.com' }, { firstname: 'Jane' })
  assert.equal(linked.linked, true)
})

test('the hub refuses a wrong signature, and says what is wrong with an event', async () => {
  await assert.rejects(open('sls_wrong').events.send('order.created'), { name: 'ApiError', status: 401 })
  const esauti = open()
  // Not through `send`, which would not let it go; and this is not signed.
  await assert.rejects(esauti.request({ method: 'POST', path: '/api/integrations/events', body: { type: 'a.b' } }), {
    status: 401,
  })
  const admin = createEsauti({ baseUrl: hub.url, token: hub.apiKey ?? '', maxRetries: 0 })
  const wrong = admin.request({ method: 'POST', path: '/api/integrations/events', body: { type: 'order' } })
  await assert.rejects(wrong, (error: unknown) => error instanceof EventValidationError && error.errors.length > 0)
})
