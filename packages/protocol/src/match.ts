import type { Filter, PayloadCondition } from './filter.ts'
import { matchesEventType, matchesGlob } from './glob.ts'

/** What a filter looks at. `body` gives the parsed event and is called only by filters that need it. */
export type FilterSubject = {
  readonly eventType: string
  readonly source: string | null
  readonly subject: string | null
  readonly body: () => { payload?: unknown; identity?: unknown }
}

/** True if the filter wants every event but the hub's own: such an inbox is read without looking at single events. */
export function isOpenFilter(filter: Filter): boolean {
  return (
    (filter.event_types ?? []).every((glob) => glob === '*') &&
    filter.sources === undefined &&
    filter.subjects === undefined &&
    filter.identity === undefined &&
    (filter.payload ?? []).length === 0
  )
}

/** The member of the filter that the event fails, with a JSON Pointer into the filter, or undefined if it matches. */
export function failedRule(filter: Filter, event: FilterSubject): string | undefined {
  if (!matchesEventType(filter.event_types ?? [], event.eventType)) return '/event_types'
  if (!matchesList(filter.sources, event.source)) return '/sources'
  if (!matchesList(filter.subjects, event.subject)) return '/subjects'
  if (filter.identity === undefined && (filter.payload ?? []).length === 0) return undefined
  const body = event.body()
  for (const [name, wanted] of Object.entries(filter.identity ?? {})) {
    if (member(body.identity, name) !== wanted) return `/identity/${name}`
  }
  const index = (filter.payload ?? []).findIndex(
    (condition) => !holds(condition, resolve(body.payload, condition.pointer)),
  )
  return index < 0 ? undefined : `/payload/${index}`
}

/** @example matchesFilter({ event_types: ['order.*'] }, event) */
export function matchesFilter(filter: Filter, event: FilterSubject): boolean {
  return failedRule(filter, event) === undefined
}

function matchesList(list: readonly string[] | undefined, value: string | null): boolean {
  if (list === undefined || list.length === 0) return true
  return value !== null && list.some((glob) => matchesGlob(glob, value))
}

function member(value: unknown, name: string): unknown {
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, name)) return undefined
  if (Array.isArray(value) && name === 'length') return undefined
  return (value as Record<string, unknown>)[name] // an object with that own member, checked in the line above
}

function resolve(document: unknown, pointer: string): unknown {
  if (pointer === '') return document
  return pointer
    .slice(1)
    .split('/')
    .reduce<unknown>((value, token) => member(value, token.replaceAll('~1', '/').replaceAll('~0', '~')), document)
}

function holds(condition: PayloadCondition, value: unknown): boolean {
  if (condition.exists !== undefined) return (value !== undefined) === condition.exists
  if (condition.not_equals !== undefined) return value !== condition.not_equals
  if (condition.not_in !== undefined) return !condition.not_in.includes(value as string)
  if (value === undefined) return false
  if (condition.equals !== undefined) return value === condition.equals
  if (condition.in !== undefined) return condition.in.includes(value as string)
  if (condition.gt !== undefined) return compare(value, condition.gt, (order) => order > 0)
  if (condition.gte !== undefined) return compare(value, condition.gte, (order) => order >= 0)
  if (condition.lt !== undefined) return compare(value, condition.lt, (order) => order < 0)
  if (condition.lte !== undefined) return compare(value, condition.lte, (order) => order <= 0)
  if (condition.contains !== undefined)
    return (typeof value === 'string' || Array.isArray(value)) && value.includes(condition.contains)
  if (typeof value !== 'string') return false
  if (condition.starts_with !== undefined) return value.startsWith(condition.starts_with)
  return value.endsWith(condition.ends_with ?? '')
}

/** Numbers compare with numbers and strings with strings (so ISO times work); anything else fails. */
function compare(value: unknown, bound: number | string, accepts: (order: number) => boolean): boolean {
  if (typeof value === 'number' && typeof bound === 'number') return accepts(value - bound)
  if (typeof value === 'string' && typeof bound === 'string') return accepts(value < bound ? -1 : value > bound ? 1 : 0)
  return false
}
