import { accounts } from './accounts.ts'
import { activities } from './activities.ts'
import { bookings } from './bookings.ts'
import { campaigns } from './campaigns.ts'
import { carts } from './carts.ts'
import { customers } from './customers.ts'
import { documents } from './documents.ts'
import type { Definition } from './domain.ts'
import { invoices } from './invoices.ts'
import { messages } from './messages.ts'
import { orders } from './orders.ts'
import { payments } from './payments.ts'
import { people } from './people.ts'
import { privacy } from './privacy.ts'
import { products } from './products.ts'
import { promotions } from './promotions.ts'
import { sales } from './sales.ts'
import { object, type JsonSchema, type ObjectOf } from './schema.ts'
import { security } from './security.ts'
import { shipments } from './shipments.ts'
import { subscriptions } from './subscriptions.ts'
import { support } from './support.ts'
import { website } from './website.ts'
import type { CanonicalEventType } from './event-type.ts'

/** Every domain, in the order in which the catalogue lists them. */
const all = [
  customers,
  accounts,
  orders,
  carts,
  payments,
  invoices,
  subscriptions,
  products,
  shipments,
  promotions,
  campaigns,
  messages,
  website,
  sales,
  activities,
  support,
  bookings,
  privacy,
  documents,
  people,
  security,
] as const

type Intersection<U> = (U extends unknown ? (each: U) => void : never) extends (each: infer I) => void ? I : never
type Definitions = Intersection<(typeof all)[number]['events']>
type PayloadOfDefinition<D> = D extends { readonly required: infer R }
  ? ObjectOf<R, D extends { readonly optional: infer O } ? O : object>
  : never

/**
 * What the payload of a canonical event type holds, as TypeScript knows it: `PayloadOf<'order.paid'>`. Members of your own
 * are welcome in a payload; add them to the type: `PayloadOf<'order.paid'> & { till: string }`.
 */
export type PayloadOf<T extends CanonicalEventType> = PayloadOfDefinition<Definitions[T]>

export type CatalogueEntry = {
  /** `<entity>.<past-tense verb>` */
  readonly event_type: CanonicalEventType
  readonly domain: string
  /** one sentence: when it is emitted, and about what */
  readonly description: string
  /** JSON Schema (2020-12) of the payload, complete in itself. Members that it does not name are allowed. */
  readonly schema: JsonSchema
}

const draft = 'https://json-schema.org/draft/2020-12/schema'

function toEntry(domain: string, eventType: string, { description, required, optional }: Definition): CatalogueEntry {
  return {
    // The names of the domains are the canonical ones; event-types.ts is written from them.
    event_type: eventType as CanonicalEventType,
    domain,
    description,
    schema: { $schema: draft, ...object(required, optional) },
  }
}

/** Every canonical event type, by domain. */
export const catalogue: readonly CatalogueEntry[] = all.flatMap(({ name, events }) =>
  Object.entries<Definition>(events).map(([eventType, definition]) => toEntry(name, eventType, definition)),
)

/** The domains, and one sentence on each. */
export const domains: readonly { readonly name: string; readonly about: string }[] = all.map(({ name, about }) => ({
  name,
  about,
}))

const byName: ReadonlyMap<string, CatalogueEntry> = new Map(catalogue.map((entry) => [entry.event_type, entry]))

/**
 * The entry of one event type, or undefined if the catalogue does not have it. Other spellings go through `toEventType`
 * first.
 *
 * @example describeEventType('order.paid')?.schema.required // ['order_id', 'amount', 'payment_method', 'paid_at']
 */
export function describeEventType(eventType: string): CatalogueEntry | undefined {
  return byName.get(eventType)
}
