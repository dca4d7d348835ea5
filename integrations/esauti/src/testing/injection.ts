import { createHmac, timingSafeEqual } from 'node:crypto'
import { toRefusal } from './entities.ts'
import type { Reply, SeenRequest } from './serve.ts'
import type { Store } from './store.ts'

export const injectionPaths: readonly string[] = ['/api/integrations/events', '/api/integrations/identify']

/** An hmac secret makes the signature do for a token. */
export function isSigned({ method, target, headers, body }: SeenRequest, secret: string | undefined): boolean {
  const { 'x-esauti-timestamp': timestamp, 'x-esauti-signature': signature } = headers
  if (secret === undefined || typeof timestamp !== 'string' || typeof signature !== 'string') return false
  const hmac = createHmac('sha256', secret).update(`${method}\n${target}\n${timestamp}\n`).update(body)
  const expected = Buffer.from(`sha256=${hmac.digest('hex')}`)
  return expected.length === signature.length && timingSafeEqual(expected, Buffer.from(signature))
}

/** Knows who an address belongs to. */
export function identify(store: Store, data: unknown): Reply {
  const { identity } = Object(data) as { identity?: { email?: unknown } } // checked below
  const email = typeof identity?.email === 'string' ? identity.email : undefined
  if (email === undefined) return toRefusal(422, 'Missing required field: identity')
  const contact = store.rows('contacts').find((row) => JSON.stringify(row).includes(JSON.stringify(email)))
  return { status: 200, body: { linked: true, ...(contact && { contact_id: contact.id }) } }
}

/** Takes an event; the same idempotency key twice is one event. */
export function inject(store: Store, { headers }: SeenRequest, envelope: unknown): Reply {
  const { type, source, occurred_at: occurredAt } = Object(envelope) as Record<string, unknown>
  if (typeof type !== 'string' || !type.includes('.'))
    return toRefusal(422, `Invalid event type: ${JSON.stringify(type)}`)
  if (typeof source !== 'string' || typeof occurredAt !== 'string') return toRefusal(422, 'Missing required field')
  const key = headers['idempotency-key']
  const known = store.rows('events').find((row) => row['key'] === key)
  const { id } = known ?? store.add('events', { ...Object(envelope), key })
  return { status: known ? 200 : 202, body: { received: true, event_id: `evt_${id}` } }
}
