import { HubError, toValidationError, type PatchInbox, type PushTested } from '@sluice/protocol'
import { newDoor, type Door } from '../../store/doors.ts'
import type { InboxRow } from '../../store/store.ts'
import { noteDeed, type Caller } from '../audit.ts'
import type { Principal } from '../authenticate.ts'
import type { Context, Workspace } from '../context.ts'
import { toIso } from '../to-wire.ts'
import { checkInboxAction } from './check-action.ts'
import { checkPush } from './check-push.ts'
import { sendPush } from './push-request.ts'
import { changeSecrets, createSecret, followSecret, openPush, sealPush } from './push-secrets.ts'

/** `door` undefined: the settings do not speak of it. `secret`: one that the hub has made, to be shown once. */
export type CheckedDoor = { readonly door: Door | null | undefined; readonly secret?: string | undefined }

/**
 * The door that settings ask for, in the name of whoever sends them.
 *
 * @throws HubError `validation-error` for both an action and a push, or an address that may not be reached; else as `checkInboxAction`
 */
export async function checkDoor(
  context: Context,
  principal: Principal,
  wanted: PatchInbox,
  before?: InboxRow,
): Promise<CheckedDoor> {
  const { action = before?.settings.action, push = before?.settings.push } = wanted
  if (action && push) throw toValidationError([{ pointer: '/push', detail: 'cannot stand beside an action' }])
  if (wanted.action === undefined && wanted.push === undefined) return { door: undefined }
  const fresh = { ...newDoor, keyId: principal.keyId }
  if (wanted.action) {
    await checkInboxAction(context, principal, wanted.action)
    return { door: fresh }
  }
  if (!wanted.push) return { door: action || push ? undefined : null }
  await checkPush(context, wanted.push)
  const { made, ...secrets } = changeSecrets(openPush(context, before?.door ?? null), wanted.push)
  return { door: { ...fresh, sealed: sealPush(context, secrets) }, secret: made }
}

/** Who has it deliver what. */
export async function noteDoor(
  context: Context,
  caller: Caller,
  key: string,
  { action, push }: PatchInbox,
): Promise<void> {
  const details = action ? { action: `${action.integration}.${action.action}` } : push ? { url: push.url } : {}
  const verb = action ? 'inbox.action' : push ? 'inbox.push' : 'inbox.door.remove'
  await noteDeed(context, caller, { verb, target: key, details })
}

type Pushing = { readonly workspace: Workspace; readonly inbox: InboxRow }

function requirePush({ inbox }: Pushing): NonNullable<InboxRow['settings']['push']> {
  const { push } = inbox.settings
  if (push) return push
  throw new HubError('conflict', `inbox "${inbox.key}" has no push; set one with PATCH /v1/inboxes/${inbox.key}`)
}

const testSeconds = 15

/** Sends an example to where an inbox pushes, as its events would be sent. */
export async function testPush(context: Context, pushing: Pushing): Promise<PushTested> {
  const push = requirePush(pushing)
  const { workspace, inbox } = pushing
  const id = context.newId()
  const event = {
    event_id: id,
    timestamp: toIso(context.store.nowMs()),
    event_type: 'sluice.test',
    payload: { inbox: inbox.key },
  }
  const of = { context, workspace, push, secrets: openPush(context, inbox.door) }
  const startedMs = performance.now()
  const message = { text: JSON.stringify(event), id, attempt: 1 }
  const { status, result, detail } = await sendPush(of, message, AbortSignal.timeout(testSeconds * 1000))
  const ok = status !== null && status >= 200 && status < 300
  return { ok, result, detail: detail === '' ? null : detail, ms: Math.round(performance.now() - startedMs) }
}

type Rotation = { readonly secret?: string | undefined; readonly overlap_seconds?: number | undefined }
const defaultOverlapSeconds = 86_400

/** A new secret signs from now on, and the old one beside it for a while. */
export async function rotatePushSecret(
  context: Context,
  caller: Caller,
  inbox: InboxRow,
  { secret = createSecret(), overlap_seconds: overlap = defaultOverlapSeconds }: Rotation,
): Promise<{ secret: string }> {
  requirePush({ workspace: caller.workspace, inbox })
  const untilMs = context.store.nowMs() + overlap * 1000
  const sealed = sealPush(context, followSecret(openPush(context, inbox.door), secret, untilMs))
  await context.store.updateInbox(caller.workspace.id, inbox.key, { door: { sealed } })
  await noteDeed(context, caller, { verb: 'inbox.push.rotate', target: inbox.key })
  return { secret }
}
