import { isDeepStrictEqual } from 'node:util'
import {
  HubError,
  Slug,
  defaultInbox,
  inboxDefaults,
  type Inbox,
  type InboxPush,
  type InboxSettings,
  type PatchInbox,
  type PutInbox,
  type SeekRequest,
} from '@sluice/protocol'
import type { InboxRow } from '../store/store.ts'
import type { Door } from '../store/doors.ts'
import { noteDeed, type Caller } from './audit.ts'
import type { Principal } from './authenticate.ts'
import type { Context, Workspace } from './context.ts'
import { openKey } from './cursors.ts'
import { checkDoor, noteDoor } from './deliver/doors.ts'
import { toWireDoor } from './deliver/to-wire-door.ts'
import { openPush, withoutPushSecrets } from './deliver/push-secrets.ts'
import { requireEvent } from './event-address.ts'
import { requireRoom } from './quotas.ts'
import { countInboxes } from './workspaces.ts'
import { toPage, type Page, type PageRequest } from './page.ts'
import { toWireInbox } from './to-wire.ts'
import { requireSlug } from './require-slug.ts'

/** @throws HubError `not-found` */
export async function requireInbox({ store }: Context, workspace: Workspace, key: string): Promise<InboxRow> {
  const inbox = Slug.safeParse(key).success ? await store.findInbox(workspace.id, key) : undefined
  if (!inbox)
    throw new HubError('not-found', `inbox "${key.slice(0, 100)}" does not exist; PUT /v1/inboxes/{inbox} makes one`)
  return inbox
}

export async function showInbox(context: Context, workspace: Workspace, key: string): Promise<Inbox> {
  return withProgress(context, workspace, await requireInbox(context, workspace, key))
}

async function withProgress(context: Context, workspace: Workspace, inbox: InboxRow): Promise<Inbox> {
  const { store } = context
  const shown = toWireInbox(inbox, await store.readProgress(workspace.id, inbox.key), store.nowMs())
  return { ...shown, door: toWireDoor(context, workspace, inbox) }
}

/** In the order of their keys. */
export async function listInboxes(
  context: Context,
  workspace: Workspace,
  { limit, cursor }: PageRequest,
): Promise<Page> {
  const { store, cursors } = context
  const scope = `${workspace.id}/inboxes`
  const found = await store.listInboxes(workspace.id, openKey(cursors, scope, cursor), limit + 1)
  const rows = await Promise.all(found.map((inbox) => withProgress(context, workspace, inbox)))
  return toPage({ cursors, scope, limit, rows, placeOf: ({ key }) => key, print: (inbox) => JSON.stringify(inbox) })
}

/**
 * Makes an inbox, or checks that the one that exists has the settings that were sent; it changes nothing.
 *
 * @throws HubError `inbox-differs`, with the members that do in `details.differs`; for an action as `checkInboxAction`
 */
export async function ensureInbox(
  context: Context,
  principal: Principal,
  key: string,
  wanted: PutInbox,
): Promise<{ inbox: Inbox; created: boolean }> {
  requireSlug(key, 'inbox')
  const { workspace } = principal
  const existing = await context.store.findInbox(workspace.id, key)
  const { inbox, created, secret }: Made = existing
    ? { inbox: existing, created: false }
    : await createInbox(context, principal, key, wanted)
  if (!created) refuseDifference(context, inbox, wanted)
  return {
    inbox: { ...(await withProgress(context, workspace, inbox)), ...(secret !== undefined && { secret }) },
    created,
  }
}

/** `secret`: to be shown once */
type Made = { readonly inbox: InboxRow; readonly created: boolean; readonly secret?: string | undefined }

async function createInbox(context: Context, principal: Principal, key: string, wanted: PutInbox): Promise<Made> {
  const { workspace } = principal
  await refuseBeyondQuota(context, workspace)
  const settings = withChanges(inboxDefaults, wanted)
  const { door, secret } = await checkDoor(context, principal, wanted)
  const start = await resolvePlace(context, workspace, settings.start)
  const made = await context.store.createInbox(workspace.id, key, { settings, start, door: door ?? null })
  if (!made.created) return made
  if (door) await noteDoor(context, principal, key, wanted)
  return { ...made, secret }
}

async function refuseBeyondQuota({ store }: Context, workspace: Workspace): Promise<void> {
  if (workspace.quotas.inboxes === undefined) return
  requireRoom(workspace.quotas, 'inboxes', await countInboxes(store, workspace.id))
}

function withChanges(settings: InboxSettings, change: PutInbox): InboxSettings {
  const push = change.push && { push: withoutPushSecrets(change.push) }
  return { ...settings, ...(change as Partial<InboxSettings>), ...push } // parsed JSON holds no undefined
}

function refuseDifference(context: Context, { key, settings, door }: InboxRow, wanted: PutInbox): void {
  const known = {
    ...inboxDefaults,
    ...settings,
    ...(wanted.push && settings.push && { push: asSent(context, door, settings.push, wanted.push) }),
  }
  const differs = Object.entries(wanted)
    .filter(([name, value]) => !isDeepStrictEqual(known[name as keyof InboxSettings], value)) // PutInbox has no other names
    .map(([name]) => name)
  if (differs.length === 0) return
  throw new HubError('inbox-differs', `inbox "${key}" exists with another ${differs.join(', ')}; PATCH changes it`, {
    details: { differs },
  })
}

/** The first position that is looked at from a place: `earliest`, `latest`, or a time. */
async function resolvePlace({ store }: Context, workspace: Workspace, place: string): Promise<number> {
  const { head, trimmedTo } = await store.readHead(workspace.id)
  if (place === 'latest') return head + 1
  if (place === 'earliest') return trimmedTo + 1
  return store.findPosition(workspace.id, Date.parse(place))
}

/** A push with those of its secrets that were sent, to be compared with what was sent. */
function asSent(context: Context, door: Door | null, push: InboxPush, { secret, headers }: InboxPush): InboxPush {
  const known = openPush(context, door)
  return {
    ...push,
    ...(secret !== undefined && { secret: known.secrets[0]?.secret }),
    ...(headers && { headers: known.headers }),
  }
}

/** Whoever sends an action, be it the one that is there, lends it the authority of their key from now on. */
export async function patchInbox(
  context: Context,
  principal: Principal,
  key: string,
  change: PatchInbox,
): Promise<Inbox> {
  const { workspace } = principal
  const inbox = await requireInbox(context, workspace, key)
  const settings = withChanges(inbox.settings, change)
  const { door, secret } = await checkDoor(context, principal, change, inbox)
  if (door === undefined && isDeepStrictEqual(settings, inbox.settings)) return withProgress(context, workspace, inbox)
  const mended = door !== undefined && isStopped(inbox) && ({ status: 'active' } as const)
  const changed = await context.store.updateInbox(workspace.id, key, {
    settings,
    ...(door !== undefined && { door }),
    ...mended,
  })
  if (door !== undefined) await noteDoor(context, principal, key, change)
  return { ...(await withProgress(context, workspace, changed)), ...(secret !== undefined && { secret }) }
}

/** By the hub, and not by people. */
const isStopped = ({ status }: InboxRow): boolean => status === 'broken' || status === 'disabled'

export async function pauseInbox(context: Context, workspace: Workspace, key: string): Promise<Inbox> {
  return setStatus(context, workspace, key, 'paused')
}

export async function resumeInbox(context: Context, workspace: Workspace, key: string): Promise<Inbox> {
  return setStatus(context, workspace, key, 'active')
}

async function setStatus(
  context: Context,
  workspace: Workspace,
  key: string,
  status: 'active' | 'paused',
): Promise<Inbox> {
  const inbox = await requireInbox(context, workspace, key)
  const door = inbox.door && status === 'active' ? { door: { reason: null, probeMs: null, probes: 0 } } : {}
  const changed =
    inbox.status === status ? inbox : await context.store.updateInbox(workspace.id, key, { status, ...door })
  return withProgress(context, workspace, changed)
}

/**
 * Moves an inbox to another place in the log. Its leases are void, its dead letters stay.
 *
 * @param to `earliest`, `latest`, a time, or the id of the event to go on with
 */
export async function seekInbox(context: Context, caller: Caller, key: string, { to }: SeekRequest): Promise<Inbox> {
  const { workspace } = caller
  await requireInbox(context, workspace, key)
  const isTime = to === 'earliest' || to === 'latest' || to.includes('T')
  const position = isTime
    ? await resolvePlace(context, workspace, to)
    : (await requireEvent(context, workspace, to)).position
  const inbox = await context.store.seekInbox(workspace.id, key, position)
  await noteDeed(context, caller, { verb: 'inbox.seek', target: key, details: { to } })
  return withProgress(context, workspace, inbox)
}

/** @throws HubError `conflict` for the inbox that always exists */
export async function deleteInbox(context: Context, caller: Caller, key: string): Promise<void> {
  if (key === defaultInbox)
    throw new HubError('conflict', `inbox "${defaultInbox}" always exists and cannot be removed`)
  await requireInbox(context, caller.workspace, key)
  await context.store.deleteInbox(caller.workspace.id, key)
  await noteDeed(context, caller, { verb: 'inbox.delete', target: key })
}
