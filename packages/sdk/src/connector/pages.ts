import { isDeepStrictEqual } from 'node:util'
import type { FetchResponse } from '../http/fetch.ts'
import type { Params } from '../http/url.ts'
import { remoteFault } from './error.ts'
import type { ConnectorHttp } from './http.ts'
import { isPlainObject, type SourceRow } from './nested.ts'

/** Where the rows of an answer are: a path as `data.items`; default the answer itself, if it is a list, or its `data`. */
type RowsPath = { readonly rows?: string }

type PageOptions = RowsPath & {
  /** of every request */
  readonly params?: Params
  readonly headers?: Readonly<Record<string, string>>
  /** more pages than that are a loop; default 1,000,000 */
  readonly maxPages?: number
}

export type Page<Row = SourceRow> = { readonly rows: readonly Row[]; readonly response: FetchResponse }

type Step<Row> = { readonly page: Page<Row>; readonly next: Request | undefined }
type Request = { readonly path: string; readonly params: Params }

type Walk<Row> = {
  readonly options: PageOptions
  readonly first: Request
  /** what to ask for after a page; undefined at the end */
  readonly next: (page: Page<Row>, before: Request) => Request | undefined
  /** ends before a page without rows; default true */
  readonly endsEmpty?: boolean
}

const defaultMaxPages = 1_000_000

/** One page after the other. A request that was made before, or a page that comes again, would never end: both throw. */
async function* walk<Row>(
  api: ConnectorHttp,
  { options, first, next, endsEmpty = true }: Walk<Row>,
): AsyncGenerator<Step<Row>> {
  const { headers, maxPages = defaultMaxPages } = options
  const asked = new Set<string>()
  let before: readonly Row[] | undefined
  let request: Request | undefined = first
  for (let count = 1; request; count += 1) {
    if (count > maxPages)
      throw remoteFault(`${request.path}: there are more than ${maxPages} pages; raise maxPages if that is meant`)
    const name = JSON.stringify([
      request.path,
      Object.entries(request.params).map(([key, value]) => [key, toParam(value)]),
    ])
    if (asked.has(name))
      throw remoteFault(`${request.path}: the pages go round in a circle; the service asked for ${name} again`)
    asked.add(name)
    const response = await api.get(request.path, { params: request.params, ...(headers && { headers }) })
    const rows = readRows(response.data, options.rows, request.path) as readonly Row[] // the caller says what rows are
    api.onPage()
    if (endsEmpty && rows.length === 0) return
    if (before && rows.length > 0 && isDeepStrictEqual(rows, before))
      throw remoteFault(`${request.path}: the same page came twice; the service ignores where to go on`)
    before = rows
    const page: Page<Row> = { rows, response }
    const following: Request | undefined = next(page, request)
    yield { page, next: following }
    request = following
  }
}

/** @throws ConnectorError if there is no list of rows */
function readRows(data: unknown, path: string | undefined, where: string): readonly SourceRow[] {
  const found =
    path === undefined ? (Array.isArray(data) ? (data as unknown[]) : readPath(data, 'data')) : readPath(data, path)
  if (!Array.isArray(found)) {
    const what =
      typeof data === 'string' ? `text that begins with ${JSON.stringify(data.slice(0, 60))}` : describe(data)
    throw remoteFault(
      `${where}: the answer has no list of rows${path === undefined ? '' : ` at ${path}`}; it is ${what}`,
    )
  }
  const wrong = found.findIndex((row) => !isPlainObject(row))
  if (wrong >= 0) throw remoteFault(`${where}: row ${wrong + 1} of the page is no object`)
  return found as SourceRow[] // each was checked
}

function describe(data: unknown): string {
  if (!isPlainObject(data)) return data === null ? 'empty' : typeof data
  return `an object with ${Object.keys(data).slice(0, 10).join(', ') || 'nothing'}`
}

/** A member by its path, as `meta.next`; undefined where there is none. */
function readPath(data: unknown, path: string): unknown {
  return path
    .split('.')
    .reduce<unknown>(
      (at, name) => (typeof at === 'object' && at !== null ? (at as Record<string, unknown>)[name] : undefined),
      data,
    )
}

export type OffsetOptions = PageOptions & {
  /** rows to ask for; the service may give fewer */
  readonly limit: number
  /** where to begin; default 0 */
  readonly offset?: number
  /** default `limit` and `offset` */
  readonly limitParam?: string
  readonly offsetParam?: string
}

/**
 * Pages by offset. Only an empty one is the end, and the next one begins after the rows that came: services give fewer than they
 * are asked for.
 *
 * @example for await (const { rows, nextOffset } of offsetPages(api, '/users', { limit: 1000 })) …
 */
export async function* offsetPages<Row = SourceRow>(
  api: ConnectorHttp,
  path: string,
  options: OffsetOptions,
): AsyncGenerator<Page<Row> & { readonly offset: number; readonly nextOffset: number }> {
  const { limit, offset: start = 0, limitParam = 'limit', offsetParam = 'offset', params = {} } = options
  const at = (offset: number): Request => ({ path, params: { ...params, [limitParam]: limit, [offsetParam]: offset } })
  let offset = start
  const steps = walk<Row>(api, { options, first: at(start), next: ({ rows }) => at(offset + rows.length) })
  for await (const { page } of steps) {
    const nextOffset = offset + page.rows.length
    yield { ...page, offset, nextOffset }
    offset = nextOffset
  }
}

type NumberedOptions = PageOptions & {
  /** default 1 */
  readonly page?: number
  /** default `page` */
  readonly pageParam?: string
}

/** Pages by number. Only an empty one is the end. */
export async function* numberedPages<Row = SourceRow>(
  api: ConnectorHttp,
  path: string,
  options: NumberedOptions = {},
): AsyncGenerator<Page<Row> & { readonly number: number; readonly nextNumber: number }> {
  const { page: start = 1, pageParam = 'page', params = {} } = options
  const at = (number: number): Request => ({ path, params: { ...params, [pageParam]: number } })
  let number = start
  for await (const { page } of walk<Row>(api, { options, first: at(start), next: () => at(number + 1) })) {
    yield { ...page, number, nextNumber: number + 1 }
    number += 1
  }
}

type CursorOptions = PageOptions & {
  /** where the answer has the next cursor, as `meta.next_cursor`; empty or absent is the end */
  readonly cursorPath: string
  /** default `cursor` */
  readonly cursorParam?: string
  readonly cursor?: string | undefined
}

/** Pages by a cursor that each answer gives. A page may be empty and not the last. */
export async function* cursorPages<Row = SourceRow>(
  api: ConnectorHttp,
  path: string,
  options: CursorOptions,
): AsyncGenerator<Page<Row> & { readonly nextCursor: string | undefined }> {
  const { cursorPath, cursorParam = 'cursor', cursor, params = {} } = options
  const at = (place: string | undefined): Request => ({
    path,
    params: { ...params, ...(place !== undefined && { [cursorParam]: place }) },
  })
  const cursorOf = ({ response }: Page<Row>): string | undefined => toPlace(readPath(response.data, cursorPath))
  const next = (page: Page<Row>): Request | undefined => {
    const place = cursorOf(page)
    return place === undefined ? undefined : at(place)
  }
  for await (const { page } of walk<Row>(api, { options, first: at(cursor), next, endsEmpty: false }))
    yield { ...page, nextCursor: cursorOf(page) }
}

/** As it stands in a query. */
const toParam = (value: unknown): string =>
  typeof value === 'object' ? JSON.stringify(value) : String(value as string)

const toPlace = (value: unknown): string | undefined =>
  value === undefined || value === null || value === '' || value === false ? undefined : toParam(value)

type NextUrlOptions = PageOptions & {
  /** where the answer has the next address, as `links.next`; default the field `Link` with rel="next" */
  readonly urlPath?: string
  /** to go on at an address of a former run */
  readonly url?: string | undefined
}

/** Pages by the next address that each answer gives, in its body or in its field `Link`. */
export async function* nextUrlPages<Row = SourceRow>(
  api: ConnectorHttp,
  path: string,
  options: NextUrlOptions = {},
): AsyncGenerator<Page<Row> & { readonly nextUrl: string | undefined }> {
  const { urlPath, url, params = {} } = options
  const urlOf = ({ response }: Page<Row>): string | undefined =>
    urlPath === undefined ? parseLink(response.headers['link']) : toPlace(readPath(response.data, urlPath))
  const next = (page: Page<Row>): Request | undefined => {
    const following = urlOf(page)
    return following === undefined ? undefined : { path: following, params: {} }
  }
  const first = url === undefined ? { path, params } : { path: url, params: {} }
  for await (const { page } of walk<Row>(api, { options, first, next, endsEmpty: false }))
    yield { ...page, nextUrl: urlOf(page) }
}

/** Pages by the field `Link`, as GitHub has it. */
export function linkPages<Row = SourceRow>(
  api: ConnectorHttp,
  path: string,
  options: Omit<NextUrlOptions, 'urlPath'> = {},
): ReturnType<typeof nextUrlPages<Row>> {
  return nextUrlPages<Row>(api, path, options)
}

/** The address of rel="next" (RFC 8288). */
function parseLink(field: string | string[] | undefined): string | undefined {
  const text = [field ?? []].flat().join(', ')
  for (const [, address, parameters] of text.matchAll(/<([^>]*)>([^<]*)/g))
    if (/;\s*rel\s*=\s*"?(?:[^";]*\s)?next(?:\s[^";]*)?"?/i.test(parameters ?? '')) return address
  return undefined
}

type KeysetOptions = PageOptions & {
  /** column of the last row that the next page goes on from */
  readonly column: string
  /** what it is called in the query, as `since_id` */
  readonly param: string
  readonly after?: string | number | bigint | undefined
}

/** Pages by the last row's key. Only an empty one is the end, or one that goes no further than the one before. */
export async function* keysetPages<Row extends SourceRow = SourceRow>(
  api: ConnectorHttp,
  path: string,
  options: KeysetOptions,
): AsyncGenerator<Page<Row> & { readonly nextAfter: string }> {
  const { column, param, after, params = {} } = options
  const at = (key: string | undefined): Request => ({
    path,
    params: { ...params, ...(key !== undefined && { [param]: key }) },
  })
  const lastOf = (page: Page<Row>): string => {
    const key = page.rows.at(-1)?.[column]
    if (key === undefined || key === null) throw remoteFault(`${path}: the last row of the page has no ${column}`)
    return toParam(key)
  }
  let place = after === undefined ? undefined : String(after)
  // A service that includes the key itself answers the last row for ever.
  const next = (page: Page<Row>): Request | undefined => (lastOf(page) === place ? undefined : at(lastOf(page)))
  for await (const { page } of walk<Row>(api, { options, first: at(place), next })) {
    const nextAfter = lastOf(page)
    if (nextAfter === place && page.rows.length > 1)
      throw remoteFault(
        `${path}: ${page.rows.length} rows have the same ${column}, ${nextAfter}; a page must hold more than that`,
      )
    yield { ...page, nextAfter }
    place = nextAfter
  }
}

type Window = { readonly from: Date; readonly to: Date; readonly isLast: boolean }

/**
 * Slices of time, without gaps: the end of one is the beginning of the next.
 *
 * @throws RangeError for a step that goes nowhere
 * @example for (const { from, to } of timeWindows({ from: start, to: now, stepMs: 86_400_000 })) …
 */
export function* timeWindows({
  from,
  to,
  stepMs,
}: {
  readonly from: Date
  readonly to: Date
  readonly stepMs: number
}): Generator<Window> {
  if (!(stepMs >= 1)) throw new RangeError(`stepMs must be 1 or more; it is ${stepMs}`)
  for (let at = from.getTime(); at < to.getTime(); at += stepMs) {
    const end = Math.min(at + stepMs, to.getTime())
    yield { from: new Date(at), to: new Date(end), isLast: end === to.getTime() }
  }
}
