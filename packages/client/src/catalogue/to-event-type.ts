import { EventType, type CanonicalEventType } from './event-type.ts'

const byFolded: ReadonlyMap<string, CanonicalEventType> = new Map(
  Object.values(EventType).map((eventType) => [fold(eventType), eventType]),
)

/** Spellings differ in where words are parted and in capitals; the letters are the same. */
function fold(name: string): string {
  return name.replaceAll(/[._\-/: ]/g, '').toLowerCase()
}

/**
 * The canonical name of an event type in another spelling, or undefined if the catalogue has none. Dots, underscores,
 * hyphens, colons, slashes, spaces and capitals may differ.
 *
 * @example toEventType('OrderCreated') // 'order.created'; the same for 'ORDER_CREATED' and 'order/created'
 */
export function toEventType(name: string): CanonicalEventType | undefined {
  return byFolded.get(fold(name))
}
