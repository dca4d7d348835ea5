import type { SearchQuery } from '@sluice/client/admin'
import type { Query } from '../../address.ts'

/** What the address may say of a search, under the names of the API. */
export const filterNames = [
  'event_type',
  'source',
  'subject',
  'identity',
  'entity',
  'channel',
  'text',
  'after',
  'before',
] as const
type FilterName = (typeof filterNames)[number]
export type Filters = Partial<Record<FilterName, string>>

export function readFilters(query: Query): Filters {
  return Object.fromEntries(filterNames.flatMap((name) => (query[name] ? [[name, query[name]]] : [])))
}

/** A line of search: `order.* source:shop subject:42 after:2026-01-31 some text`; a word with a dot or a star is a type. */
export function parseSearch(line: string): Filters {
  const filters: Filters = {}
  const words: string[] = []
  for (const [, name, quoted, plain] of line.matchAll(/(?:(\w+):)?(?:"([^"]*)"|(\S+))/g)) {
    const value = quoted ?? plain ?? ''
    const known = name === 'type' ? 'event_type' : filterNames.find((one) => one === name)
    if (known === 'after' || known === 'before') Object.assign(filters, toTime(known, value))
    else if (known !== undefined) filters[known] = value
    else if (name === undefined && quoted === undefined && /^[\w-]*([.*][\w*-]+)+\*?$|^\*$/.test(value))
      filters.event_type = value
    else words.push(name === undefined ? value : `${name}:${value}`)
  }
  if (words.length > 0) filters.text = words.join(' ')
  return filters
}

/** A day or a local time; left out if it is neither. */
function toTime(name: 'after' | 'before', value: string): Filters {
  const ms = Date.parse(/^\d{4}-\d\d-\d\d$/.test(value) ? `${value}T00:00` : value)
  return Number.isNaN(ms) ? {} : { [name]: new Date(ms).toISOString() }
}

/** The line that `parseSearch` reads as these. */
export function printSearch(filters: Filters): string {
  return filterNames
    .flatMap((name) => {
      const value = filters[name]
      if (value === undefined) return []
      const text = /\s/.test(value) ? `"${value}"` : value
      if (name === 'event_type') return [/[.*]/.test(value) ? text : `type:${text}`]
      return [name === 'text' ? value : `${name}:${text}`]
    })
    .join(' ')
}

export const toSearchQuery = (filters: Filters): SearchQuery => filters

/** What the tail of the log cannot be narrowed by. */
export function liveObstacle(filters: Filters): string | undefined {
  const blind = filterNames.filter((name) => !['event_type', 'source', 'subject'].includes(name) && filters[name])
  return blind.length === 0
    ? undefined
    : `Live shows what is published, by type, source and subject; not by ${blind.join(', ')}`
}
