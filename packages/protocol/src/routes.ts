import { z } from 'zod'
import {
  Accepted,
  BatchAccepted,
  Event,
  EventPage,
  limits,
  NewBatchEvent,
  NewEvent,
  Pagination,
  shortText,
} from './event.ts'
import {
  AckRequest,
  Attempt,
  DeadLetter,
  DeadLetterSelection,
  ExtendRequest,
  Extended,
  Inbox,
  Lease,
  LeaseRequest,
  PatchInbox,
  PutInbox,
  ReleaseRequest,
  Replayed,
  SeekRequest,
  Settled,
  Slug,
  Verdict,
} from './inbox.ts'
import { AuditEntry, Key, KeyStatus, KeyWithSecret, NewKey, PatchKey, RotateKey, type Permission } from './key.ts'
import { PutWorkspace, Workspace } from './workspace.ts'

const time = z.iso.datetime({ offset: true })
const limit = (max: number, initial: number): z.ZodDefault<z.ZodCoercedNumber> =>
  z.coerce.number().int().min(1).max(max).default(initial) as unknown as z.ZodDefault<z.ZodCoercedNumber>
const cursor = z.string().min(1).max(1024).optional()
// Older clients address an event by id and time; the id alone is enough here.
const withTimestamp = z.object({ timestamp: z.string().max(64).optional().describe('accepted and not needed') })
const page = z.object({ limit: limit(limits.pollMax, limits.pollDefault), cursor })

export type Route = {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  /** path templates as OpenAPI writes them */
  readonly path: string
  readonly summary: string
  /** what the key must be allowed to do; `open` needs no key */
  readonly access: Permission | 'open'
  readonly query?: z.ZodObject
  readonly body?: z.ZodType
  /** an empty body stands for `{}` */
  readonly bodyOptional?: boolean
  readonly answers: Readonly<
    Record<number, { readonly description: string; readonly schema?: z.ZodType; readonly mediaType?: string }>
  >
  /** paths of the foreign clients that reach the same handler */
  readonly alias?: string
}

const eventId = '/v1/events/{event_id}'
const inbox = '/v1/inboxes/{inbox}'
const ok = <Schema extends z.ZodType>(
  description: string,
  schema: Schema,
): { 200: { description: string; schema: Schema } } => ({ 200: { description, schema } })

const Status = z
  .object({ status: z.literal('ok'), version: z.string(), uptime_seconds: z.number() })
  .meta({ id: 'Status' })
const Health = z
  .object({ status: z.enum(['ok', 'failing']), checks: z.record(z.string(), z.string()) })
  .meta({ id: 'Health' })
const list = <Item extends z.ZodType>(name: string, item: Item): z.ZodObject =>
  z.object({ [name]: z.array(item), pagination: Pagination })
const deadLetterCount = z.object({ count: z.int(), dry_run: z.boolean() })

/** The one list of what the hub answers. Server, OpenAPI and tests read it. */
export const routes = {
  getRoot: {
    method: 'GET',
    path: '/',
    summary: 'Where things are',
    access: 'open',
    answers: ok('links', z.object({ message: z.string(), version: z.string(), docs: z.string(), health: z.string() })),
  },
  getStatus: {
    method: 'GET',
    path: '/status',
    summary: 'Is the process up (touches no store)',
    access: 'open',
    answers: ok('up', Status),
  },
  getHealth: {
    method: 'GET',
    path: '/health',
    summary: 'Are store and writer working',
    access: 'open',
    answers: {
      200: { description: 'all work', schema: Health },
      503: { description: 'at least one fails', schema: Health },
    },
  },
  getOpenapi: {
    method: 'GET',
    path: '/openapi.json',
    summary: 'This description',
    access: 'open',
    answers: ok('OpenAPI 3.1', z.record(z.string(), z.unknown())),
  },
  getDocs: {
    method: 'GET',
    path: '/docs',
    summary: 'API reference for people',
    access: 'open',
    answers: { 200: { description: 'a page', mediaType: 'text/html' } },
  },
  getProblem: {
    method: 'GET',
    path: '/problems/{code}',
    summary: 'What an error means and what to do',
    access: 'open',
    answers: { 200: { description: 'a page', mediaType: 'text/html' } },
  },
  getMetrics: {
    method: 'GET',
    path: '/metrics',
    summary: 'Prometheus metrics; from loopback, or with a key that may read',
    access: 'open',
    answers: { 200: { description: 'metrics', mediaType: 'text/plain' } },
  },

  publishEvent: {
    method: 'POST',
    path: '/v1/events',
    alias: '/events',
    summary: 'Publish one event',
    access: 'publish',
    body: NewEvent,
    answers: {
      200: { description: 'a repetition under the same idempotency key', schema: Accepted },
      201: { description: 'stored', schema: Accepted },
    },
  },
  publishBatch: {
    method: 'POST',
    path: '/v1/events/batch',
    summary: 'Publish up to 1,000 events',
    access: 'publish',
    body: z.union([z.strictObject({ events: z.array(NewBatchEvent) }), z.array(NewBatchEvent)]),
    answers: ok('one result for each event', BatchAccepted),
  },
  searchEvents: {
    method: 'GET',
    path: '/v1/events',
    summary: 'Search, newest first',
    access: 'read',
    query: z.object({
      event_type: shortText().optional().describe('glob'),
      source: shortText().optional(),
      subject: shortText().optional(),
      channel: shortText().optional(),
      identity: shortText(320).optional().describe('id, email, phone or external_id'),
      entity: shortText(511).optional().describe('`type:id` or an id'),
      after: time.optional(),
      before: time.optional(),
      text: z.string().min(1).max(200).optional().describe('part of the payload'),
      limit: limit(limits.pollMax, limits.pollDefault),
      cursor,
    }),
    answers: ok(
      'a page; `searched_to` tells how far back a bounded scan came',
      EventPage.extend({ searched_to: z.string().nullable() }).meta({ id: 'SearchPage' }),
    ),
  },
  pollDefault: {
    method: 'GET',
    path: '/v1/events/inbox',
    alias: '/events/inbox',
    summary: 'Peek at the default inbox, oldest first',
    access: 'inbox-read',
    query: page,
    answers: ok('a page', EventPage),
  },
  getEvent: {
    method: 'GET',
    path: eventId,
    alias: '/events/{event_id}',
    summary: 'One event, acknowledged or not',
    access: 'read',
    query: withTimestamp,
    answers: ok('the event', Event),
  },
  acknowledgeEvent: {
    method: 'DELETE',
    path: eventId,
    alias: '/events/{event_id}',
    summary: 'Acknowledge in the default inbox',
    access: 'inbox',
    query: withTimestamp,
    answers: { 204: { description: 'acknowledged, now or before' } },
  },
  explainEvent: {
    method: 'GET',
    path: `${eventId}/explain`,
    summary: 'What became of it in each inbox',
    access: 'read',
    answers: ok('a verdict for each inbox', z.object({ event_id: z.string(), verdicts: z.array(Verdict) })),
  },
  replayEvent: {
    method: 'POST',
    path: `${eventId}/replay`,
    summary: 'Hand it out again',
    access: 'inbox',
    body: z.strictObject({ inbox: Slug, ignore_filter: z.boolean().optional() }),
    answers: ok('waiting again', Replayed),
  },

  listInboxes: {
    method: 'GET',
    path: '/v1/inboxes',
    summary: 'All inboxes with their progress',
    access: 'inbox-read',
    query: page,
    answers: ok('a page', list('inboxes', Inbox)),
  },
  getInbox: {
    method: 'GET',
    path: inbox,
    summary: 'One inbox with its progress',
    access: 'inbox-read',
    answers: ok('the inbox', Inbox),
  },
  putInbox: {
    method: 'PUT',
    path: inbox,
    summary: 'Ensure an inbox',
    access: 'inbox',
    body: PutInbox,
    bodyOptional: true,
    answers: {
      200: { description: 'was there, with these settings', schema: Inbox },
      201: { description: 'made', schema: Inbox },
    },
  },
  patchInbox: {
    method: 'PATCH',
    path: inbox,
    summary: 'Change settings',
    access: 'inbox',
    body: PatchInbox,
    answers: ok('the inbox', Inbox),
  },
  deleteInbox: {
    method: 'DELETE',
    path: inbox,
    summary: 'Remove an inbox and its dead letters',
    access: 'inbox',
    answers: { 204: { description: 'removed' } },
  },
  pauseInbox: {
    method: 'POST',
    path: `${inbox}/pause`,
    summary: 'Hand nothing out; keep storing',
    access: 'inbox',
    answers: ok('the inbox', Inbox),
  },
  resumeInbox: {
    method: 'POST',
    path: `${inbox}/resume`,
    summary: 'Hand out again',
    access: 'inbox',
    answers: ok('the inbox', Inbox),
  },
  seekInbox: {
    method: 'POST',
    path: `${inbox}/seek`,
    summary: 'Go elsewhere in the log; voids leases',
    access: 'inbox',
    body: SeekRequest,
    answers: ok('the inbox', Inbox),
  },
  leaseEvents: {
    method: 'POST',
    path: `${inbox}/lease`,
    summary: 'Take events to work on',
    access: 'inbox',
    body: LeaseRequest,
    bodyOptional: true,
    answers: ok('the lease', Lease),
  },
  ackEvents: {
    method: 'POST',
    path: `${inbox}/ack`,
    summary: 'Done',
    access: 'inbox',
    body: AckRequest,
    answers: ok('a result per id', Settled),
  },
  releaseEvents: {
    method: 'POST',
    path: `${inbox}/release`,
    summary: 'Give back',
    access: 'inbox',
    body: ReleaseRequest,
    answers: ok('a result per id', Settled),
  },
  extendLease: {
    method: 'POST',
    path: `${inbox}/extend`,
    summary: 'Keep a lease for longer, counted from now',
    access: 'inbox',
    body: ExtendRequest,
    answers: ok('the new end', Extended),
  },
  peekInbox: {
    method: 'GET',
    path: `${inbox}/events`,
    summary: 'Peek, oldest first',
    access: 'inbox-read',
    query: page,
    answers: ok('a page', EventPage),
  },
  streamInbox: {
    method: 'GET',
    path: `${inbox}/stream`,
    summary: 'Server-sent events: follow the inbox, or with lease_seconds compete for its work',
    access: 'inbox-read',
    query: z.object({
      lease_seconds: z.coerce.number().int().min(1).max(3600).optional(),
      from: z.enum(['latest', 'earliest']).optional().describe('default: where the inbox stands'),
      cursor,
      limit: limit(limits.leaseMax, limits.leaseDefault).describe('with lease_seconds: events leased at a time'),
      ticket: z.string().max(1024).optional(),
    }),
    answers: { 200: { description: 'frames', mediaType: 'text/event-stream' } },
  },
  createTicket: {
    method: 'POST',
    path: `${inbox}/stream/ticket`,
    summary: 'A short-lived ticket that lets a browser open the stream',
    access: 'inbox-read',
    answers: ok('good for 60 seconds, for this inbox', z.object({ ticket: z.string(), expires_at: z.string() })),
  },
  listDeadLetters: {
    method: 'GET',
    path: `${inbox}/dead-letters`,
    summary: 'Dead letters, oldest first',
    access: 'inbox-read',
    query: page,
    answers: ok('a page', list('dead_letters', DeadLetter)),
  },
  replayDeadLetters: {
    method: 'POST',
    path: `${inbox}/dead-letters/replay`,
    summary: 'Hand dead letters out again',
    access: 'inbox',
    body: DeadLetterSelection,
    answers: ok('how many', deadLetterCount),
  },
  discardDeadLetters: {
    method: 'POST',
    path: `${inbox}/dead-letters/discard`,
    summary: 'Give dead letters up',
    access: 'inbox',
    body: DeadLetterSelection,
    answers: ok('how many', deadLetterCount),
  },
  listAttempts: {
    method: 'GET',
    path: `${inbox}/attempts`,
    summary: 'Hand-outs that failed, newest first',
    access: 'inbox-read',
    query: page,
    answers: ok('a page', list('attempts', Attempt)),
  },

  listKeys: {
    method: 'GET',
    path: '/v1/keys',
    summary: "The workspace's keys",
    access: 'admin',
    query: page.extend({ status: KeyStatus.optional() }),
    answers: ok('a page', list('keys', Key)),
  },
  createKey: {
    method: 'POST',
    path: '/v1/keys',
    summary: 'Make a key',
    access: 'admin',
    body: NewKey,
    answers: { 201: { description: 'the key, with its secret this once', schema: KeyWithSecret } },
  },
  getKey: {
    method: 'GET',
    path: '/v1/keys/{key_id}',
    summary: 'One key',
    access: 'admin',
    answers: ok('the key', Key),
  },
  patchKey: {
    method: 'PATCH',
    path: '/v1/keys/{key_id}',
    summary: 'Change, activate or deactivate a key',
    access: 'admin',
    body: PatchKey,
    answers: ok('the key', Key),
  },
  rotateKey: {
    method: 'POST',
    path: '/v1/keys/{key_id}/rotate',
    summary: 'A new secret under the same id',
    access: 'admin',
    body: RotateKey,
    bodyOptional: true,
    answers: ok('the key, with its secret this once', KeyWithSecret),
  },
  revokeKey: {
    method: 'DELETE',
    path: '/v1/keys/{key_id}',
    summary: 'Revoke a key for good',
    access: 'admin',
    answers: { 204: { description: 'revoked, now or before' } },
  },
  listAudit: {
    method: 'GET',
    path: '/v1/audit',
    summary: 'Who did what, newest first',
    access: 'admin',
    query: page,
    answers: ok('a page', list('entries', AuditEntry)),
  },

  listWorkspaces: {
    method: 'GET',
    path: '/v1/workspaces',
    summary: 'All workspaces',
    access: 'instance',
    query: page,
    answers: ok('a page', list('workspaces', Workspace)),
  },
  putWorkspace: {
    method: 'PUT',
    path: '/v1/workspaces/{workspace}',
    summary: 'Ensure a workspace',
    access: 'instance',
    body: PutWorkspace,
    bodyOptional: true,
    answers: { 200: { description: 'was there', schema: Workspace }, 201: { description: 'made', schema: Workspace } },
  },
  getWorkspace: {
    method: 'GET',
    path: '/v1/workspaces/{workspace}',
    summary: 'One workspace',
    access: 'instance',
    answers: ok('the workspace', Workspace),
  },
  deleteWorkspace: {
    method: 'DELETE',
    path: '/v1/workspaces/{workspace}',
    summary: 'Remove a workspace with its events, inboxes and keys',
    access: 'instance',
    answers: { 204: { description: 'removed' } },
  },
} as const satisfies Record<string, Route>

export type RouteName = keyof typeof routes
