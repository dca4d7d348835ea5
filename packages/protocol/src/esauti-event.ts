import { z } from 'zod'
import { Accepted, shortText } from './event.ts'

/**
 * Libraries of several languages send what they have not as null or as an empty text, ids as numbers, and in PHP an object
 * without members as an empty list.
 */
const text = (max = 255) =>
  z
    .preprocess((value) => (isExact(value) ? String(value) : orAbsent(value)), shortText(max).optional())
    .meta({ type: ['string', 'number', 'null'] })
const object = <Shape extends z.ZodRawShape>(shape: Shape) =>
  z
    .preprocess(
      (value) => (Array.isArray(value) && value.length === 0 ? undefined : orAbsent(value)),
      z.looseObject(shape).optional(),
    )
    .meta({ type: ['object', 'null'] })

const orAbsent = (value: unknown): unknown => (value === null || value === '' ? undefined : value)

/** A number beyond 2^53 is another one by the time that it is read: it must come as a text. */
const isExact = (value: unknown): boolean =>
  typeof value === 'number' && (Number.isSafeInteger(value) || !Number.isInteger(value))

const customer = { id: text(), external_id: text(), email: text(320), phone: text(64) }

/** An event as eSauti's SDKs send it. Members that are not listed here are kept in the event's metadata. */
export const EsautiEvent = z
  .looseObject({
    type: shortText().regex(/\./, 'must be a name with a dot, as order.created'),
    occurred_at: text(64).describe('ISO 8601; without a zone it is UTC'),
    source: text(),
    customer: object(customer),
    entity: object({ type: text(), id: text() }),
    properties: object({}),
    external_event_id: text(),
  })
  .meta({ id: 'EsautiEvent', description: "an event as eSauti's SDKs send it" })
export type EsautiEvent = z.infer<typeof EsautiEvent>

/** Who a visitor turned out to be; members beside `identity` become the payload. */
export const EsautiIdentify = z
  .looseObject({
    identity: z.looseObject({
      ...customer,
      customer: z.union([z.looseObject(customer), text()], { error: 'must be an id or a customer' }).optional(),
    }),
  })
  .meta({ id: 'EsautiIdentify', description: "who a visitor turned out to be, as eSauti's SDKs send it" })
export type EsautiIdentify = z.infer<typeof EsautiIdentify>

export const EsautiReceipt = Accepted.extend({ received: z.literal(true) }).meta({ id: 'EsautiReceipt' })
export type EsautiReceipt = z.infer<typeof EsautiReceipt>

export const EsautiLinked = Accepted.extend({
  linked: z.literal(true),
  contact_id: z.string().optional().describe('the id that the request named'),
}).meta({ id: 'EsautiLinked' })
export type EsautiLinked = z.infer<typeof EsautiLinked>
