import type { RequestOptions } from '@sluice/client'
import type {
  Activity,
  ActivityQuery,
  Campaign,
  Company,
  Contact,
  ContactData,
  DoNotContact,
  Id,
  Item,
  Note,
  Segment,
  Success,
  User,
  Utm,
} from '../shapes.ts'
import {
  define,
  everything,
  extra,
  idempotent,
  one,
  pagesOf,
  plain,
  type Lookup,
  type OfOne,
  type PointChange,
  type Two,
} from './row.ts'

/** Contacts and what they belong to. */
export const people = {
  companies: define<Company>()({
    path: 'companies',
    items: 'companies',
    item: 'company',
    does: everything,
    extras: {
      addContact: extra<Two<Success>>('POST companies/{id}/contact/{contact}/add', idempotent),
      removeContact: extra<Two<Success>>('POST companies/{id}/contact/{contact}/remove', idempotent),
    },
  }),
  companyFields: plain('fields/company', 'field', 'fields'),
  contactFields: plain('fields/contact', 'field', 'fields'),
  contacts: define<Contact, ContactData>()({
    path: 'contacts',
    items: 'contacts',
    item: 'contact',
    does: everything,
    extras: {
      owners: extra<Lookup>('GET contacts/list/owners', { answer: { kind: 'all' } }),
      fieldList: extra<Lookup>('GET contacts/list/fields', { answer: { kind: 'all' } }),
      segmentList: extra<Lookup>('GET contacts/list/segments', { answer: { kind: 'all' } }),
      notes: extra<OfOne<Note>>('GET contacts/{id}/notes', pagesOf('notes')),
      devices: extra<OfOne<Item>>('GET contacts/{id}/devices', pagesOf('devices')),
      segments: extra<OfOne<Segment>>('GET contacts/{id}/segments', pagesOf('lists')),
      companies: extra<OfOne<Company>>('GET contacts/{id}/companies', pagesOf('companies')),
      campaigns: extra<OfOne<Campaign>>('GET contacts/{id}/campaigns', pagesOf('campaigns')),
      activity: extra<(id: Id, query?: ActivityQuery, options?: RequestOptions) => Promise<Activity>>(
        'GET contacts/{id}/activity',
        { input: 'query' },
      ),
      allActivity: extra<(query?: ActivityQuery, options?: RequestOptions) => Promise<Activity>>(
        'GET contacts/activity',
        { input: 'query' },
      ),
      addPoints: extra<PointChange>('POST contacts/{id}/points/plus/{points}', { input: 'body' }),
      subtractPoints: extra<PointChange>('POST contacts/{id}/points/minus/{points}', { input: 'body' }),
      addDoNotContact: extra<
        (id: Id, channel: string, why?: DoNotContact, options?: RequestOptions) => Promise<Contact>
      >('POST contacts/{id}/dnc/{channel}/add', {
        input: 'body',
        answer: one('contact'),
        ...idempotent,
      }),
      removeDoNotContact: extra<(id: Id, channel: string, options?: RequestOptions) => Promise<Contact>>(
        'POST contacts/{id}/dnc/{channel}/remove',
        { answer: one('contact'), ...idempotent },
      ),
      addUtm: extra<(id: Id, utm: Utm, options?: RequestOptions) => Promise<Contact>>('POST contacts/{id}/utm/add', {
        input: 'body',
        answer: one('contact'),
      }),
      removeUtm: extra<Two<Contact>>('POST contacts/{id}/utm/{utm}/remove', {
        answer: one('contact'),
        ...idempotent,
      }),
    },
  }),
  devices: plain('devices', 'device'),
  notes: define<Note>()({ path: 'notes', items: 'notes', item: 'note', does: everything, extras: {} }),
  roles: plain('roles', 'role'),
  segments: define<Segment>()({
    path: 'segments',
    items: 'lists',
    item: 'list',
    does: everything,
    extras: {
      addContact: extra<Two<Success>>('POST segments/{id}/contact/{contact}/add', idempotent),
      removeContact: extra<Two<Success>>('POST segments/{id}/contact/{contact}/remove', idempotent),
      addContacts: extra<(id: Id, contacts: readonly Id[], options?: RequestOptions) => Promise<Success>>(
        'POST segments/{id}/contacts/add',
        { input: 'ids', inputName: 'ids', ...idempotent },
      ),
    },
  }),
  stages: define<Item>()({
    path: 'stages',
    items: 'stages',
    item: 'stage',
    does: everything,
    extras: {
      addContact: extra<Two<Success>>('POST stages/{id}/contact/{contact}/add', idempotent),
      removeContact: extra<Two<Success>>('POST stages/{id}/contact/{contact}/remove', idempotent),
    },
  }),
  tags: plain('tags', 'tag'),
  users: define<User>()({
    path: 'users',
    items: 'users',
    item: 'user',
    does: everything,
    extras: {
      /** whom the credentials belong to */
      self: extra<(options?: RequestOptions) => Promise<User>>('GET users/self'),
      /** permissions as `lead:leads:viewown`; true for those that the user has */
      checkPermissions: extra<
        (id: Id, permissions: readonly string[], options?: RequestOptions) => Promise<Readonly<Record<string, boolean>>>
      >('POST users/{id}/permissioncheck', { input: 'ids', inputName: 'permissions', ...idempotent }),
    },
  }),
} as const
