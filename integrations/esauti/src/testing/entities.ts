import type { Reply } from './serve.ts'
import { select, type Row, type Store } from './store.ts'
import { toFaults, toRow } from './to-row.ts'

type Entity = { readonly path: string; readonly items: string; readonly item: string }

/** The resources that all work alike, as the service names them: address, list member, item member. */
const entities: readonly Entity[] = [
  'assets assets asset',
  'campaigns campaigns campaign',
  'categories categories category',
  'companies companies company',
  'contacts contacts contact',
  'devices devices device',
  'dynamiccontents dynamicContents dynamicContent',
  'emails emails email',
  'fields/company fields field',
  'fields/contact fields field',
  'focus focus focus',
  'forms forms form',
  'hooks hooks hook',
  'messages messages message',
  'notes notes note',
  'notifications notifications notification',
  'pages pages page',
  'points points point',
  'points/triggers triggers trigger',
  'roles roles role',
  'segments lists list',
  'smses smses sms',
  'stages stages stage',
  'tags tags tag',
  'tweets tweets tweet',
  'users users user',
].map((line) => {
  const [path = '', items = '', item = ''] = line.split(' ')
  return { path, items, item }
})

/** Lists that are objects by id; the others are arrays. */
const byId: ReadonlySet<string> = new Set(['contacts', 'companies', 'segments', 'campaigns'])

export type Ask = {
  readonly method: string
  /** below `/api/` */
  readonly path: string
  readonly query: URLSearchParams
  readonly data: unknown
  readonly store: Store
  readonly pageMax: number
}

export function toRefusal(status: number, message: string, details: object = []): Reply {
  return { status, body: { errors: [{ message, code: status, type: null, details }] } }
}

export const notFound = toRefusal(404, 'Item was not found.')

/** Printed by hand: an object by id keeps the order of the list, which JavaScript would sort away. */
export function toPage(name: string, { total, page }: { total: number; page: readonly Row[] }, keyed = false): Reply {
  const listed = page.map((row) => JSON.stringify(keyed ? { ...row, id: String(row.id) } : row))
  const members = page.map(({ id }, index) => `"${id}":${listed[index]}`)
  const rows = keyed && page.length > 0 ? `{${members.join(',')}}` : `[${listed.join(',')}]`
  return { status: 200, body: `{"total":"${total}","${name}":${rows}}` }
}

/** The answer of one of the resources that work alike; undefined where the address is none of theirs. */
export function answerEntity(ask: Ask): Reply | undefined {
  const entity = entities.find(({ path }) => ask.path === path || isBelow(ask.path, path))
  if (!entity) return undefined
  const { path, item } = entity
  const { store, data } = ask
  const [what = '', verb] = ask.path.slice(path.length + 1).split('/')
  const row = store.find(path, what)
  switch (`${ask.method} ${verb ?? (/^\d+$/.test(what) ? 'ID' : what)}`) {
    case 'GET ':
      return toPage(entity.items, select(store.rows(path), ask.query, ask.pageMax), byId.has(path))
    case 'GET ID':
      return row ? { status: 200, body: { [item]: row } } : notFound
    case 'POST new':
      return what === 'batch' ? batch(ask, entity) : save(ask, entity, { data, row: undefined })
    case 'PATCH edit':
    case 'PUT edit':
      return what === 'batch' ? batch(ask, entity) : save(ask, entity, { data, row })
    case 'DELETE delete':
      if (what === 'batch') return removeBatch(ask, entity)
      if (row) store.remove(path, row.id)
      return row ? { status: 200, body: { [item]: { ...row, id: null } } } : notFound
    default:
      return undefined
  }
}

/** `points/triggers/…` is none of `points`. */
function isBelow(path: string, entity: string): boolean {
  return (
    path.startsWith(`${entity}/`) &&
    !entities.some((other) => other.path.length > entity.length && `${path}/`.startsWith(`${other.path}/`))
  )
}

type Saving = { readonly data: unknown; readonly row: Row | undefined }

function save({ method, store }: Ask, { path, item }: Entity, { data, row }: Saving): Reply {
  if (method === 'PATCH' && !row) return notFound
  const values = (data ?? {}) as Record<string, unknown> // a JSON body of ours
  const faults = toFaults(path, values)
  const [fault] = Object.entries(faults)
  if (fault) return toRefusal(400, `${fault[0]}: ${fault[1].join(' ')}`, faults)
  // PUT clears what is not given.
  const kept = toRow(path, values, method === 'PATCH' ? row : undefined)
  const saved = row ? store.put(path, { ...kept, id: row.id }) : store.add(path, kept)
  return { status: row ? 200 : 201, body: { [item]: saved } }
}

function batch(ask: Ask, entity: Entity): Reply {
  if (!Array.isArray(ask.data) || ask.data.length > 200) return toRefusal(500, 'Batch limit is 200.')
  const replies = ask.data.map((data: Record<string, unknown>) => {
    const row = ask.method === 'POST' ? undefined : ask.store.find(entity.path, String(data['id']))
    return save(ask, entity, { data, row })
  })
  const done = replies.map(({ body }, index) => [index, (body as Record<string, unknown>)[entity.item]] as const)
  return { status: ask.method === 'POST' ? 201 : 200, body: toBatchBody(entity, replies, done) }
}

function removeBatch(ask: Ask, entity: Entity): Reply {
  const rows = (ask.query.get('ids') ?? '').split(',').map((id) => ask.store.find(entity.path, id))
  for (const row of rows) if (row) ask.store.remove(entity.path, row.id)
  const replies = rows.map((row) => (row ? { status: 200, body: {} } : notFound))
  const { statusCodes: _, ...body } = toBatchBody(entity, replies, [...rows.entries()])
  return { status: 200, body }
}

/** As PHP prints arrays with gaps: as objects. */
function toBatchBody(
  { items }: Entity,
  replies: readonly Reply[],
  done: readonly (readonly [index: number, row: unknown])[],
): Record<string, unknown> {
  const errors = replies.flatMap(({ status, body }, index) => {
    const { errors: reasons = [] } = body as { errors?: unknown[] } // printed above
    return status >= 400 ? [[index, reasons[0]] as const] : []
  })
  const found = done.filter(([, row]) => row !== undefined)
  return {
    [items]: found.length === replies.length ? found.map(([, row]) => row) : Object.fromEntries(found),
    statusCodes: replies.map(({ status }) => status),
    ...(errors.length > 0 && { errors: Object.fromEntries(errors) }),
  }
}
