import type { RequestOptions } from '@sluice/client'
import type { Call, Request } from '@sluice/client/rest'
import { toList, toPage, toShape } from './answer.ts'
import { checkBatch, toOutcome } from './batch.ts'
import { iterate, type Page } from './iterate.ts'
import { isRecord } from './php-json.ts'
import { checkListQuery, toParameters, type ListQuery } from './query.ts'
import type { Fields, Upload } from './shapes.ts'
import type { Extra, Operation, Operations, Spec } from './spec.ts'
import { toContent } from './upload.ts'

type AnySpec = Spec<unknown, unknown, Operation, Readonly<Record<string, Extra>>>

/** The client of one resource, with the methods that its spec names. */
export function createResource(spec: AnySpec, request: Request): Readonly<Record<string, unknown>> {
  const operations: Operations<unknown, Fields> = createOperations(spec, request)
  const offered = new Set<string>([...spec.does, ...(spec.does.includes('list') ? ['iterate'] : [])])
  const standard = Object.entries(operations).filter(([name]) => offered.has(name))
  const extras = Object.entries(spec.extras).map(([name, extra]) => [name, createExtra(extra, request)])
  return Object.fromEntries([...standard, ...extras])
}

function createOperations(spec: AnySpec, request: Request): Operations<unknown, Fields> {
  const { path, items } = spec
  const one = { kind: 'item', name: spec.item } as const
  const readPage = async (query: ListQuery, options?: RequestOptions): Promise<Page<unknown>> => {
    checkListQuery(query)
    const call = { method: 'GET', path: `/api/${path}`, query: toParameters(query), repeatable: true } as const
    return toPage(await request(call, options), items, toOperation(call))
  }
  const ask = async (last: Call, options: RequestOptions | undefined): Promise<unknown> => {
    const call = { ...last, path: `/api/${path}/${last.path}` }
    return toShape(await request(call, options), one, toOperation(call))
  }
  return {
    list: async (query = {}, options) => toList(await readPage(query, options)),
    iterate: (query = {}, options) => {
      checkListQuery(query)
      return iterate((page) => readPage(page, options), query)
    },
    get: async (id, options) => ask({ method: 'GET', path: toSegment(id), repeatable: true }, options),
    create: (body, options) => ask({ method: 'POST', path: 'new', body, repeatable: 'when-refused' }, options),
    edit: async (id, body, options) =>
      ask({ method: 'PATCH', path: `${toSegment(id)}/edit`, body, repeatable: true }, options),
    // Where there is none, each time would make another.
    upsert: async (id, body, options) =>
      ask({ method: 'PUT', path: `${toSegment(id)}/edit`, body, repeatable: 'when-refused' }, options),
    delete: async (id, options) =>
      ask({ method: 'DELETE', path: `${toSegment(id)}/delete`, repeatable: true }, options),
    batch: createBatch(spec, request),
  }
}

function createBatch({ path, items }: AnySpec, request: Request): Operations<unknown, Fields>['batch'] {
  const send = async (
    call: Omit<Call, 'path'> & { readonly does: 'new' | 'edit' | 'delete' },
    sent: readonly unknown[],
    options: RequestOptions | undefined,
  ) => {
    checkBatch(sent)
    const { does, ...rest } = call
    return toOutcome(await request({ ...rest, path: `/api/${path}/batch/${does}` }, options), items, sent)
  }
  return {
    create: (body, options) => send({ method: 'POST', does: 'new', body, repeatable: 'when-refused' }, body, options),
    edit: (body, options) => send({ method: 'PATCH', does: 'edit', body, repeatable: true }, body, options),
    upsert: (body, options) => send({ method: 'PUT', does: 'edit', body, repeatable: 'when-refused' }, body, options),
    delete: (ids, options) =>
      send({ method: 'DELETE', does: 'delete', query: { ids: ids.join(',') }, repeatable: true }, ids, options),
  }
}

/** Parameters: one for each place in the path, the input if there is one, then the options. */
function createExtra(extra: Extra, request: Request): (...args: unknown[]) => Promise<unknown> {
  const places = extra.path.match(/\{\w+\}/g) ?? []
  return async (...args) => {
    const path = places.reduce((text, place, at) => text.replace(place, toSegment(args[at])), extra.path)
    const input = extra.input === 'none' ? undefined : args[places.length]
    // The signature in the table says what stands where.
    const options = args[places.length + (extra.input === 'none' ? 0 : 1)] as RequestOptions | undefined
    const { method, answer, repeatable } = extra
    const sent = await toSent(extra, input)
    const call = { method, path: `/api/${path}`, repeatable, ...sent } as const
    if (answer.kind === 'bytes') return request({ ...call, answer: 'bytes' }, options)
    return toShape(await request(call, options), answer, toOperation(call))
  }
}

async function toSent({ input, inputName }: Extra, value: unknown): Promise<object> {
  if (input === 'ids') return { body: { [inputName]: value } }
  if (value === undefined || input === 'none') return {}
  // The signature in the table says that it is one.
  if (input === 'upload') return { content: await toContent(value as Upload) }
  return input === 'query' && isRecord(value) ? { query: toParameters(value) } : { body: value }
}

function toOperation({ method, path }: Call): string {
  return `${method} ${path}`
}

/** An id or a name as one segment of a path: nothing in it may lead elsewhere. */
function toSegment(value: unknown): string {
  const text = typeof value === 'number' || typeof value === 'string' ? String(value) : ''
  if (text !== '' && text !== '.' && text !== '..') return encodeURIComponent(text)
  throw new TypeError(`an id or a name is needed here, a number or a text; it is ${JSON.stringify(value)}`)
}
