import type { Fault } from '@sluice/protocol'

/** What is wrong with a value: faults with pointers below it, or none. */
type Rule = (value: unknown, pointer: string) => Fault[]

export type Rules = Readonly<Record<string, { readonly rule: Rule; readonly isRequired?: boolean }>>

/** Every fault of an object whose members have these rules; others are unknown. A member that is undefined is not there. */
export function checkMembers(value: unknown, rules: Rules, pointer: string): Fault[] {
  if (!isObject(value)) return [{ pointer, detail: 'must be a JSON object' }]
  const unknown = Object.entries(value)
    .filter(([name, member]) => !Object.hasOwn(rules, name) && member !== undefined)
    .map(([name]) => ({ pointer: `${pointer}/${escapePointer(name)}`, detail: 'unknown member' }))
  const faults = Object.entries(rules).flatMap(([name, { rule, isRequired }]) => {
    const member = Object.hasOwn(value, name) ? value[name] : undefined
    if (member === undefined && !isRequired) return []
    return rule(member, `${pointer}/${name}`)
  })
  return [...unknown, ...faults]
}

// oxlint-disable-next-line no-control-regex -- control characters are what is looked for
const controlCharacters = /[\u0000-\u001f\u007f]/

function shortText(max = 255): Rule {
  return (value, pointer) => {
    if (typeof value !== 'string') return [{ pointer, detail: 'must be a text' }]
    if (value === '') return [{ pointer, detail: 'must not be empty' }]
    if (value.length > max) return [{ pointer, detail: `must have at most ${max} characters` }]
    if (controlCharacters.test(value) || !value.isWellFormed())
      return [{ pointer, detail: 'must not hold control characters' }]
    return []
  }
}

const eventType: Rule = (value, pointer) => {
  if (typeof value === 'string' && value.startsWith('sluice.'))
    return [{ pointer, detail: 'event types beginning with "sluice." are reserved for the hub' }]
  return shortText()(value, pointer)
}

const object: Rule = (value, pointer) => (isObject(value) ? [] : [{ pointer, detail: 'must be a JSON object' }])

const actorTypes: readonly unknown[] = ['user', 'service', 'third-party']
const actorType: Rule = (value, pointer) =>
  actorTypes.includes(value) ? [] : [{ pointer, detail: `must be one of ${actorTypes.join(', ')}` }]

const timePattern =
  /^(\d{4})-(\d\d)-(\d\d)T(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:\.\d+)?(?:Z|[+-](?:[01]\d|2[0-3]):[0-5]\d)$/
const time: Rule = (value, pointer) => {
  const [, year, month, day] = (typeof value === 'string' && timePattern.exec(value)) || []
  // The day before the first of the next month; a year that `Date` takes for one of the last century has the same days.
  const days = new Date(Date.UTC(2000 + (Number(year) % 400), Number(month), 0)).getUTCDate()
  const isDay = Number(month) >= 1 && Number(month) <= 12 && Number(day) >= 1 && Number(day) <= days
  return isDay ? [] : [{ pointer, detail: 'must be an ISO 8601 time with a zone, as 2026-01-31T12:00:00Z' }]
}

function members(rules: Rules): Rule {
  return (value, pointer) => checkMembers(value, rules, pointer)
}

const text = { rule: shortText() }
const requiredText = { rule: shortText(), isRequired: true }

/** The hub's own: `NewEvent` of the protocol. */
export const eventRules: Rules = {
  event_type: { rule: eventType, isRequired: true },
  payload: { rule: object, isRequired: true },
  source: text,
  subject: text,
  occurred_at: { rule: time },
  metadata: { rule: object },
  actor: { rule: members({ type: { rule: actorType, isRequired: true }, id: requiredText }) },
  identity: {
    rule: members({ id: text, email: { rule: shortText(320) }, phone: { rule: shortText(64) }, external_id: text }),
  },
  entity: { rule: members({ type: requiredText, id: requiredText }) },
  correlation_id: text,
  external_event_id: text,
  channel: text,
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** One reference token of a JSON Pointer (RFC 6901 section 4), cut as the hub cuts it. */
function escapePointer(name: string): string {
  return name.slice(0, 100).replaceAll('~', '~0').replaceAll('/', '~1')
}
