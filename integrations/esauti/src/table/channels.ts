import type { RequestOptions } from '@sluice/client'
import type { ListQuery } from '../query.ts'
import type { Campaign, Email, Fields, Form, Id, Item, List, Submission, Success } from '../shapes.ts'
import {
  define,
  everything,
  extra,
  idempotent,
  one,
  pagesOf,
  plain,
  type DeleteParts,
  type OfOne,
  type Two,
} from './row.ts'

/** What reaches contacts. */
export const channels = {
  campaigns: define<Campaign>()({
    path: 'campaigns',
    items: 'campaigns',
    item: 'campaign',
    does: everything,
    extras: {
      addContact: extra<Two<Success>>('POST campaigns/{id}/contact/{contact}/add', idempotent),
      removeContact: extra<Two<Success>>('POST campaigns/{id}/contact/{contact}/remove', idempotent),
      contacts: extra<OfOne<Fields>>('GET campaigns/{id}/contacts', pagesOf('contacts')),
      clone: extra<(id: Id, options?: RequestOptions) => Promise<Campaign>>('POST campaigns/clone/{id}', {
        answer: one('campaign'),
      }),
    },
  }),
  dynamicContents: plain('dynamiccontents', 'dynamicContent', 'dynamicContents'),
  emails: define<Email>()({
    path: 'emails',
    items: 'emails',
    item: 'email',
    does: everything,
    extras: {
      send: extra<(id: Id, options?: RequestOptions) => Promise<Success>>('POST emails/{id}/send'),
      sendToContact: extra<(id: Id, contact: Id, message?: Fields, options?: RequestOptions) => Promise<Success>>(
        'POST emails/{id}/contact/{contact}/send',
        { input: 'body' },
      ),
    },
  }),
  focus: plain('focus', 'focus'),
  forms: define<Form>()({
    path: 'forms',
    items: 'forms',
    item: 'form',
    does: everything,
    extras: {
      submissions: extra<OfOne<Submission>>('GET forms/{id}/submissions', pagesOf('submissions')),
      submission: extra<Two<Submission>>('GET forms/{id}/submissions/{submission}', {
        answer: one('submission'),
      }),
      submissionsOf: extra<
        (id: Id, contact: Id, query?: ListQuery, options?: RequestOptions) => Promise<List<Submission>>
      >('GET forms/{id}/submissions/contact/{contact}', pagesOf('submissions')),
      deleteFields: extra<DeleteParts<Form>>('DELETE forms/{id}/fields/delete', {
        input: 'ids',
        inputName: 'fields',
        answer: one('form'),
        ...idempotent,
      }),
      deleteActions: extra<DeleteParts<Form>>('DELETE forms/{id}/actions/delete', {
        input: 'ids',
        inputName: 'actions',
        answer: one('form'),
        ...idempotent,
      }),
    },
  }),
  messages: plain('messages', 'message'),
  notifications: plain('notifications', 'notification'),
  pages: plain('pages', 'page'),
  smses: define<Item>()({
    path: 'smses',
    items: 'smses',
    item: 'sms',
    does: everything,
    extras: {
      // A GET that sends: it must not be tried again on a lost answer.
      sendToContact: extra<Two<Success>>('GET smses/{id}/contact/{contact}/send', { repeatable: 'when-refused' }),
    },
  }),
  tweets: plain('tweets', 'tweet'),
} as const
