import type { Admin } from '@sluice/client/admin'
import { EventTypeName, PutEventType, PutInbox, PutSchedule, PutSource, PutTrigger, Slug } from '@sluice/protocol'

export type Members = Readonly<Record<string, unknown>>

type Issue = { readonly path: readonly PropertyKey[]; readonly message: string }
type Schema = {
  readonly safeParse: (value: unknown) => { readonly error?: { readonly issues: readonly Issue[] } | undefined }
}

/** Something that a file can describe: how it is read from a hub, and how it becomes what the file says. */
export type Kind = {
  /** the member of the file that holds them, by key */
  readonly name: string
  /** one of them, for people */
  readonly one: string
  readonly key: Schema
  readonly schema: Schema
  /** members that are replaced as a whole: what the file leaves out of them is not there afterwards */
  readonly whole: ReadonlySet<string>
  /** members that cannot be changed, and what to do instead */
  readonly fixed: Readonly<Record<string, string>>
  /** members that the hub never shows: they are taken to be the same once they are there */
  readonly hidden?: ReadonlySet<string>
  readonly get: (admin: Admin, key: string) => Promise<Members>
  readonly create: (admin: Admin, key: string, wanted: Members) => Promise<unknown>
  /** @param changed the members that differ */
  readonly change: (admin: Admin, key: string, wanted: Members, changed: Members) => Promise<unknown>
}

// What is put was checked by the kind's schema.
const as = <Body>(members: Members): Body => members as Body

/** In the order in which they are made: what others refer to comes first. */
export const kinds: readonly Kind[] = [
  {
    name: 'event_types',
    one: 'event type',
    key: EventTypeName,
    schema: PutEventType,
    whole: new Set(['schema']),
    fixed: {},
    get: (admin, key) => admin.getEventType(key),
    create: (admin, key, wanted) => admin.putEventType(key, as<PutEventType>(wanted)),
    change: (admin, key, _wanted, changed) => admin.putEventType(key, as<PutEventType>(changed)),
  },
  {
    name: 'inboxes',
    one: 'inbox',
    key: Slug,
    schema: PutInbox,
    whole: new Set(['filter', 'action', 'retry']),
    fixed: { start: 'where an inbox began cannot change; seek it instead' },
    get: (admin, key) => admin.getInbox(key),
    create: (admin, key, wanted) => admin.putInbox(key, as<PutInbox>(wanted)),
    change: (admin, key, _wanted, changed) => admin.patchInbox(key, changed),
  },
  {
    name: 'triggers',
    one: 'trigger',
    key: Slug,
    schema: PutTrigger,
    whole: new Set(['inputs']),
    fixed: {},
    get: (admin, key) => admin.getTrigger(key),
    create: (admin, key, wanted) => admin.putTrigger(key, as<PutTrigger>(wanted)),
    change: (admin, key, wanted) => admin.putTrigger(key, as<PutTrigger>(wanted)),
  },
  {
    name: 'schedules',
    one: 'schedule',
    key: Slug,
    schema: PutSchedule,
    whole: new Set(['event']),
    fixed: {},
    get: (admin, key) => admin.getSchedule(key),
    create: (admin, key, wanted) => admin.putSchedule(key, as<PutSchedule>(wanted)),
    change: (admin, key, wanted) => admin.putSchedule(key, as<PutSchedule>(wanted)),
  },
  {
    name: 'sources',
    one: 'source',
    key: Slug,
    schema: PutSource,
    whole: new Set(['hmac', 'event_type', 'id']),
    fixed: {},
    hidden: new Set(['secret', 'secrets']),
    get: (admin, key) => admin.getSource(key),
    create: (admin, key, wanted) => admin.putSource(key, as<PutSource>(wanted)),
    change: (admin, key, _wanted, changed) => admin.patchSource(key, changed),
  },
]
