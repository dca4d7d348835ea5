import { notFound, toPage, type Ask } from './entities.ts'
import type { Reply } from './serve.ts'
import { select, type Row } from './store.ts'

type Handler = (ask: Ask, ...places: string[]) => Reply | undefined

const done: Reply = { status: 200, body: { success: 1 } }

/** What single resources can do beside the usual, by method and address. */
const handlers: readonly (readonly [line: string, handler: Handler])[] = [
  ['GET contacts/list/owners', () => ({ status: 200, body: { 1: { id: '1', firstName: 'Joe' } } })],
  ['GET contacts/list/fields', () => ({ status: 200, body: { 2: { id: '2', alias: 'email' } } })],
  ['GET contacts/list/segments', () => ({ status: 200, body: [] })],
  ['GET contacts/activity', () => ({ status: 200, body: { events: [], total: 0, page: 1, limit: 25, maxPages: 0 } })],
  [
    'GET contacts/:id/activity',
    () => ({ status: 200, body: { events: [{ event: 'lead.create' }], total: 1, maxPages: 1 } }),
  ],
  ['GET contacts/:id/notes', (ask) => pageOf(ask, 'notes', 'notes')],
  ['GET contacts/:id/devices', (ask) => pageOf(ask, 'devices', 'devices')],
  ['GET contacts/:id/segments', (ask, id) => toPage('lists', toAll(membersOf(ask, 'segments', id)), true)],
  ['GET contacts/:id/companies', (ask, id) => toPage('companies', toAll(membersOf(ask, 'companies', id)), true)],
  ['GET contacts/:id/campaigns', (ask, id) => toPage('campaigns', toAll(membersOf(ask, 'campaigns', id)), true)],
  ['POST contacts/:id/points/plus/:points', (ask, id, points) => addPoints(ask, id, Number(points))],
  ['POST contacts/:id/points/minus/:points', (ask, id, points) => addPoints(ask, id, -Number(points))],
  [
    'POST contacts/:id/dnc/:channel/add',
    (ask, id, channel) => setBlocked(ask, id, [{ channel, ...toRecord(ask.data) }]),
  ],
  ['POST contacts/:id/dnc/:channel/remove', (ask, id) => setBlocked(ask, id, [])],
  ['POST contacts/:id/utm/add', (ask, id) => change(ask, id, { utmtags: [ask.data] })],
  ['POST contacts/:id/utm/:utm/remove', (ask, id) => change(ask, id, { utmtags: [] })],
  ['POST segments/:id/contacts/add', (ask, id) => addAll(ask, id)],
  ['GET campaigns/:id/contacts', (ask, id) => toContacts(ask, id)],
  ['POST campaigns/clone/:id', (ask, id) => clone(ask, id)],
  ['POST :path/:id/contact/:contact/add', (ask, path, id, contact) => join({ ask, path, id, contact, isIn: true })],
  ['POST :path/:id/contact/:contact/remove', (ask, path, id, contact) => join({ ask, path, id, contact, isIn: false })],
  ['GET forms/:id/submissions', (ask) => pageOf(ask, 'submissions', 'submissions')],
  [
    'GET forms/:id/submissions/:submission',
    (_, __, id) => ({ status: 200, body: { submission: { id, results: { email: 'a@b.c' } } } }),
  ],
  ['GET forms/:id/submissions/contact/:contact', (ask) => pageOf(ask, 'submissions', 'submissions')],
  ['DELETE forms/:id/fields/delete', (ask, id) => part(ask, 'forms', id)],
  ['DELETE forms/:id/actions/delete', (ask, id) => part(ask, 'forms', id)],
  ['DELETE points/triggers/:id/events/delete', (ask, id) => part(ask, 'points/triggers', id)],
  ['GET points/actions/types', () => ({ status: 200, body: { pointActionTypes: { 'page.hit': 'Visits a page' } } })],
  ['GET points/triggers/events/types', () => ({ status: 200, body: { eventTypes: [] } })],
  ['POST emails/:id/send', () => ({ status: 200, body: { success: 1, sentCount: 3, failedRecipients: 0 } })],
  ['POST emails/:id/contact/:contact/send', () => done],
  ['GET smses/:id/contact/:contact/send', () => ({ status: 200, body: { success: 1, status: 'Delivered' } })],
  ['GET users/self', () => ({ status: 200, body: { id: '1', username: 'admin', email: 'admin@esauti.com' } })],
  ['POST users/:id/permissioncheck', ({ data }) => ({ status: 200, body: toPermissions(data) })],
  [
    'GET hooks/triggers',
    () => ({ status: 200, body: { triggers: { 'mautic.lead_post_save_new': { label: 'New' } } } }),
  ],
  ['GET reports', () => ({ status: 200, body: { total: 1, reports: [{ id: 3, name: 'Hits' }] } })],
  [
    'GET reports/:id',
    (_, id) => ({ status: 200, body: { report: { id: Number(id) }, totalResults: 1, data: [{ hits: 2 }] } }),
  ],
  ['GET stats', () => ({ status: 200, body: { availableTables: ['email_stats', 'page_hits'] } })],
  ['GET stats/:table', (_, table) => ({ status: 200, body: { total: '1', stats: [{ table }] } })],
  [
    'GET data',
    () => ({ status: 200, body: { success: 1, types: { 'mautic.lead.contacts': { 'top.lists': 'Top' } } } }),
  ],
  ['GET data/:type', () => ({ status: 200, body: { success: 1, cached: false, data: { bodyItems: [] } } })],
  [
    'GET files/:folder',
    ({ store }, folder) => ({ status: 200, body: { files: toFiles(store.rows(`files/${folder}`)) } }),
  ],
  ['POST files/:folder/new', (ask, folder) => upload(ask, folder)],
  ['DELETE files/:folder/:file/delete', (ask, folder, file) => removeFile(ask, folder, file)],
  ['GET themes', () => ({ status: 200, body: { themes: { blank: { name: 'Blank', key: 'blank' } } } })],
  [
    'GET themes/:theme',
    () => ({ status: 200, headers: { 'Content-Type': 'application/zip' }, body: Uint8Array.of(80, 75, 0, 255) }),
  ],
  ['POST themes/new', (ask) => (ask.data instanceof File ? done : notFound)],
  ['DELETE themes/:theme/delete', () => done],
]

/** undefined where the address is none of theirs. */
export function answerExtra(ask: Ask): Reply | undefined {
  for (const [line, handler] of handlers) {
    const [method, path = ''] = line.split(' ')
    const match = method === ask.method ? new RegExp(`^${path.replaceAll(/:\w+/g, '([^/]+)')}$`).exec(ask.path) : null
    if (match) return handler(ask, ...match.slice(1).map(decodeURIComponent))
  }
  return undefined
}

function toAll(page: readonly Row[]): { total: number; page: readonly Row[] } {
  return { total: page.length, page }
}

function pageOf({ store, query, pageMax }: Ask, path: string, name: string): Reply {
  return toPage(name, select(store.rows(path), query, pageMax))
}

function change({ store }: Ask, id: string, members: object): Reply {
  const row = store.find('contacts', id)
  return row ? { status: 200, body: { contact: store.put('contacts', { ...row, ...members }) } } : notFound
}

function setBlocked(ask: Ask, id: string, doNotContact: readonly object[]): Reply {
  return change(ask, id, { doNotContact })
}

function addPoints(ask: Ask, id: string, points: number): Reply {
  const before = ask.store.find('contacts', id)?.['points']
  const { status } = change(ask, id, { points: Number(before) + points })
  return status === 200 ? done : notFound
}

type Membership = {
  readonly ask: Ask
  readonly path: string
  readonly id: string
  readonly contact: string
  readonly isIn: boolean
}

function join({ ask: { store }, path, id, contact, isIn }: Membership): Reply | undefined {
  if (!['campaigns', 'companies', 'segments', 'stages'].includes(path)) return undefined
  const row = store.find(path, id)
  if (!row || !store.find('contacts', contact)) return notFound
  const others = membersIn(row).filter((member) => member !== contact)
  store.put(path, { ...row, members: isIn ? [...others, contact] : others })
  return done
}

function membersIn(row: Row): string[] {
  return (row['members'] ?? []) as string[] // written by join
}

function membersOf({ store }: Ask, path: string, contact: string): Row[] {
  return store.rows(path).filter((row) => membersIn(row).includes(contact))
}

function addAll(ask: Ask, id: string): Reply {
  const { ids } = toRecord(ask.data)
  for (const contact of Array.isArray(ids) ? ids.map(String) : [])
    join({ ask, path: 'segments', id, contact, isIn: true })
  return { status: 200, body: { success: 1, details: {} } }
}

function toContacts({ store }: Ask, id: string): Reply {
  const row = store.find('campaigns', id)
  if (!row) return notFound
  const contacts = membersIn(row).map((contact) => ({ campaign_id: id, lead_id: contact }))
  return { status: 200, body: { total: String(contacts.length), contacts } }
}

function clone({ store }: Ask, id: string): Reply {
  const row = store.find('campaigns', id)
  return row ? { status: 201, body: { campaign: store.add('campaigns', row) } } : notFound
}

function part({ store, data }: Ask, path: string, id: string): Reply {
  const row = store.find(path, id)
  const name = path === 'forms' ? 'form' : 'trigger'
  return row ? { status: 200, body: { [name]: { ...row, deleted: toRecord(data) } } } : notFound
}

function toPermissions(data: unknown): Record<string, boolean> {
  const { permissions } = toRecord(data)
  return Object.fromEntries((Array.isArray(permissions) ? permissions : []).map((name) => [String(name), true]))
}

function upload({ store, data }: Ask, folder: string): Reply {
  if (!(data instanceof File)) return notFound
  store.add(`files/${folder}`, { name: data.name, size: data.size })
  return { status: 200, body: { file: { name: data.name, link: `/media/${folder}/${data.name}`, size: data.size } } }
}

function toFiles(rows: readonly Row[]): object {
  // Folders come first in the service's listing, so that the numbers do not begin at 0.
  return rows.length === 0 ? [] : Object.fromEntries(rows.map(({ name }, index) => [index + 2, name]))
}

function removeFile({ store }: Ask, folder: string, file: string): Reply {
  const row = store.rows(`files/${folder}`).find(({ name }) => name === file)
  if (row) store.remove(`files/${folder}`, row.id)
  return row ? { status: 200, body: { success: true } } : notFound
}

function toRecord(data: unknown): Readonly<Record<string, unknown>> {
  return typeof data === 'object' && data !== null && !Array.isArray(data) ? { ...data } : {}
}
