import { EventTypeName, toValidationError, type Fault, type ImportEventTypes, type Topic } from '@sluice/protocol'
import type { Wanted } from './plan-change.ts'

/** One event type of an import, and where its schema stands in the request. */
export type Imported = { readonly wanted: Wanted; readonly pointer: string; readonly schemaPointer: string }

/**
 * The event types that an import asks for.
 *
 * @throws HubError `validation-error` naming topics without a category, names that are too long, and names given twice
 */
export function readImport({
  Topics: topics,
  event_types: eventTypes = [],
  DefaultCategory,
}: ImportEventTypes): Imported[] {
  const faults: Fault[] = []
  const imported = topics
    ? topics.map((topic, index) => fromTopic(topic, { index, category: topic.Category ?? DefaultCategory, faults }))
    : eventTypes.map((wanted, index) => {
        const pointer = `/event_types/${index}`
        return { wanted: clean(wanted), pointer, schemaPointer: `${pointer}/schema` }
      })
  const first = new Map<string, string>()
  for (const { wanted, pointer } of imported) {
    const earlier = first.get(wanted.name)
    if (earlier === undefined) first.set(wanted.name, pointer)
    else faults.push({ pointer, detail: `makes the event type "${wanted.name}", as ${earlier} does` })
  }
  if (faults.length > 0) throw toValidationError(faults)
  return imported
}

type Place = { readonly index: number; readonly category: string | undefined; readonly faults: Fault[] }

function fromTopic(topic: Topic, { index, category, faults }: Place): Imported {
  const pointer = `/Topics/${index}`
  const { Entity: entity, Action: action, Description: description, Schema: schema } = topic
  if (category === undefined)
    faults.push({ pointer: `${pointer}/Category`, detail: 'is missing, and there is no DefaultCategory' })
  const name = `${category ?? ''}.${entity}${action}`
  for (const { message } of EventTypeName.safeParse(name).error?.issues ?? [])
    faults.push({ pointer, detail: `the event type "${name}" ${message}` })
  const wanted = clean({ name, schema, entity, action, category, description })
  return { wanted, pointer, schemaPointer: `${pointer}/Schema` }
}

type Loose = { readonly [Name in keyof Wanted]: Wanted[Name] | undefined } & { readonly name: string }

/** Without the members that are not given. */
function clean(loose: Loose): Wanted {
  const given = Object.entries(loose).filter(([, value]) => value !== undefined)
  return Object.fromEntries(given) as Wanted // those of its members that are there
}
