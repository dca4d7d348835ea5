import { describeEventType, type PayloadOf } from './catalogue.ts'
import type { JsonSchema } from './schema.ts'
import type { CanonicalEventType } from './event-type.ts'

/**
 * A payload of this type with every member that the catalogue names, made from the examples in its schema: to try an
 * inbox, to fill a test. Each call makes a new one.
 *
 * @throws {TypeError} if the catalogue does not have the type
 * @example await sluice.events.send('order.paid', exampleOf('order.paid'))
 */
export function exampleOf<T extends CanonicalEventType>(eventType: T): PayloadOf<T> {
  const entry = describeEventType(eventType)
  if (entry === undefined) {
    throw new TypeError(
      `"${eventType}" is not in the catalogue; toEventType finds the canonical name of other spellings`,
    )
  }
  // The schema and the type come from one definition, and a test holds every example against its schema.
  return toExample(entry.schema) as PayloadOf<T>
}

function toExample({ examples, enum: words, type, items, properties = {} }: JsonSchema): unknown {
  if (examples !== undefined) return examples[0]
  if (words !== undefined) return words[0]
  if (type === 'array') return items === undefined ? [] : [toExample(items)]
  return Object.fromEntries(Object.entries(properties).map(([name, schema]) => [name, toExample(schema)]))
}
