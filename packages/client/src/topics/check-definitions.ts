import { isObject } from './check-schema.ts'
import type { JsonSchema, Topic } from './definition.ts'
import type { TopicFault } from './error.ts'
import { toCamelNames, toEventType } from './names.ts'
import { toPointer } from './snapshot.ts'
import { compileSchema, type Validate } from './validator.ts'

export type CheckedTopic = Topic & { readonly validate: Validate }
export type Checked = { readonly defaultCategory: string | undefined; readonly topics: readonly CheckedTopic[] }

const categoryShape = /^[a-z][a-z0-9]*(?:[_-][a-z0-9]+)*$/
const studlyShape = /^(?:[A-Z][a-z0-9]+)+$/
const members = ['Action', 'Entity', 'Category', 'Description', 'Schema']
/** What a session has itself; a topic of that name could not be called. */
const taken: ReadonlySet<string> = new Set(['jobId', 'flushTo', ...Object.getOwnPropertyNames(Object.prototype)])

type Report = (place: { topic: string; keys: readonly (string | number)[] }, detail: string) => void

/** Everything that is wrong with definitions, and what can be used of them. */
export function checkDefinitions(value: unknown): {
  readonly checked: Checked
  readonly faults: readonly TopicFault[]
} {
  const faults: TopicFault[] = []
  const report: Report = ({ topic, keys }, detail) => faults.push({ topic, pointer: toPointer(keys), detail })
  if (!isObject(value)) {
    report({ topic: '', keys: [] }, 'must be an object with Topics')
    return { checked: { defaultCategory: undefined, topics: [] }, faults }
  }
  const { DefaultCategory: category, Topics: list, ...others } = value
  for (const name of Object.keys(others))
    report(
      { topic: '', keys: [name] },
      `${name} is no member of a definition file; there are DefaultCategory and Topics`,
    )
  if (category !== undefined) checkCategory(category, { topic: '', keys: ['DefaultCategory'] }, report)
  if (!Array.isArray(list)) report({ topic: '', keys: ['Topics'] }, 'Topics must be a list of topics')
  const defaultCategory = typeof category === 'string' ? category : undefined
  const topics = (Array.isArray(list) ? list : []).flatMap((topic: unknown, index) => {
    const checked = checkTopic(topic, { index, defaultCategory }, report)
    return checked ? [{ ...checked, index }] : []
  })
  checkAmbiguity(topics, report)
  return { checked: { defaultCategory, topics }, faults }
}

type Place = { readonly index: number; readonly defaultCategory: string | undefined }

function checkTopic(value: unknown, { index, defaultCategory }: Place, report: Report): CheckedTopic | undefined {
  const at = `Topics[${index}]`
  if (!isObject(value)) {
    report({ topic: at, keys: ['Topics', index] }, `must be an object with ${members.join(', ')}`)
    return undefined
  }
  const { Action: action, Entity: entity, Category: category = defaultCategory, Description: description } = value
  const named = [category, entity, action].every((name) => typeof name === 'string')
  const topic = named ? `${String(category)}.${String(entity)}${String(action)}` : at
  const tell = (member: string, detail: string): void => report({ topic, keys: ['Topics', index, member] }, detail)
  for (const name of Object.keys(value)) {
    if (!members.includes(name)) tell(name, `${name} is no member of a topic; there are ${members.join(', ')}`)
  }
  checkStudly('Action', action, tell)
  checkStudly('Entity', entity, tell)
  if (category === undefined) tell('Category', 'Category is missing, and there is no DefaultCategory')
  else if ('Category' in value) checkCategory(category, { topic, keys: ['Topics', index, 'Category'] }, report)
  if (description !== undefined && typeof description !== 'string') tell('Description', 'Description must be text')
  const validate = checkTopicSchema(value, { topic, keys: ['Topics', index, 'Schema'] }, report)
  if (typeof category !== 'string' || typeof entity !== 'string' || typeof action !== 'string' || !validate) return
  const eventType = toEventType({ category, entity, action })
  if (eventType.length > 255) tell('Entity', `the event type has ${eventType.length} characters; it may have 255`)
  return {
    eventType,
    category,
    entity,
    action,
    description: typeof description === 'string' ? description : undefined,
    schema: value['Schema'] as JsonSchema, // compiled above
    validate,
  }
}

function checkStudly(member: string, value: unknown, tell: (member: string, detail: string) => void): void {
  if (value === undefined) return tell(member, `${member} is missing`)
  if (typeof value === 'string' && studlyShape.test(value)) return
  const example = member === 'Action' ? 'Created or PaidBack' : 'Order or MyEntity'
  tell(member, `${member} must be words of a capital and small letters, as ${example}; it is ${JSON.stringify(value)}`)
}

function checkCategory(value: unknown, place: { topic: string; keys: (string | number)[] }, report: Report): void {
  const member = place.keys.at(-1)
  if (value === 'sluice') report(place, `${member} "sluice" is reserved for the hub`)
  else if (typeof value !== 'string' || !categoryShape.test(value))
    report(place, `${member} must be a lower-case word, as crm; it is ${JSON.stringify(value)}`)
}

function checkTopicSchema(
  topic: Record<string, unknown>,
  place: { topic: string; keys: (string | number)[] },
  report: Report,
): Validate | undefined {
  const schema = topic['Schema']
  const compiled = schema === undefined ? missing : compileSchema(schema)
  if (typeof compiled === 'function') {
    const type = isObject(schema) ? schema['type'] : undefined
    if (type === undefined || [type].flat().includes('object')) return compiled
    report(place, `Schema must let objects through, for data is an object; its type is ${JSON.stringify(type)}`)
    return undefined
  }
  for (const { path, detail } of compiled) {
    const where = path.length === 0 ? 'Schema' : `Schema${toPointer(path)}`
    report({ ...place, keys: [...place.keys, ...path] }, `${where} ${detail}`)
  }
  return undefined
}

const missing = [{ path: [], detail: 'is missing; `{}` lets any object through' }]

/** Two topics that could be meant by one event type, or by one method. */
function checkAmbiguity(topics: readonly (CheckedTopic & { readonly index: number })[], report: Report): void {
  const byName = new Map<string, CheckedTopic & { readonly index: number }>()
  for (const topic of topics) {
    const { category, eventType, index } = topic
    const place = { topic: eventType, keys: ['Topics', index] }
    const other = byName.get(eventType)
    if (other) report(place, `is the event type of ${describe(other)} already`)
    byName.set(eventType, topic)
    for (const method of toCamelNames(topic)) {
      if (taken.has(method)) report(place, `the method ${method} would hide what every session has under that name`)
      const key = `${category} ${method}`
      const same = byName.get(key)
      if (same && !other) report(place, `the method ${method} would stand for ${describe(same)} as well`)
      byName.set(key, topic)
    }
  }
}

function describe({ entity, action, index }: Topic & { readonly index: number }): string {
  return `Topics[${index}] (Entity ${entity}, Action ${action})`
}
