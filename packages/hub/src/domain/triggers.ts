import { HubError, type Poll, type PutTrigger, type Trigger } from '@sluice/protocol'
import type { PollRow, TriggerRow } from '../store/triggers.ts'
import { noteDeed } from './audit.ts'
import type { Principal } from './authenticate.ts'
import { requireConnection } from './connections.ts'
import type { Context, Workspace } from './context.ts'
import { openKey, openPosition } from './cursors.ts'
import { requireIntegration } from './integrations.ts'
import { toPage, type Page, type PageRequest } from './page.ts'
import { requireAction, requireCredentials } from './run-action.ts'
import { toIso } from './to-wire.ts'
import { requireSlug } from './require-slug.ts'

/** Settings as they are kept, all of them filled in. It is polled with what the key may that put it. */
export type TriggerSettings = Pick<
  Trigger,
  'integration' | 'polling_trigger' | 'connection' | 'inputs' | 'interval_seconds' | 'first_poll' | 'look_back_seconds'
> & {
  readonly user_id: string
  /** absent in those that were put before keys were noted */
  readonly key_id?: string
}

const defaultLookBackSeconds = 300

/**
 * Activates a polling trigger, or changes it. What it remembers stays, unless it is to ask something else: another integration,
 * trigger, connection or other inputs.
 *
 * @throws HubError `validation-error`, `not-found`, `forbidden`
 */
export async function putTrigger(
  context: Context,
  principal: Principal,
  { key, wanted }: { readonly key: string; readonly wanted: PutTrigger },
): Promise<{ trigger: Trigger; created: boolean }> {
  const { store, newId } = context
  const { workspace } = principal
  requireSlug(key, 'key')
  const settings = await checkSettings(context, principal, wanted)
  const before = await store.triggers.find(workspace.id, key)
  const known = before && toSettings(before)
  // In the name of another key it is another one: with that key's rights it is polled from now on.
  if (before && isSame(settings, known)) return { trigger: toWire(before), created: false }
  const id = before && known && asksTheSame(settings, known) ? before.id : newId()
  const created = await store.triggers.put(workspace.id, {
    key,
    id,
    settings: JSON.stringify(settings),
    nextPollMs: store.nowMs(),
  })
  await noteDeed(context, principal, { verb: created ? 'trigger.create' : 'trigger.change', target: key })
  return { trigger: await showTrigger(context, workspace, key), created }
}

async function checkSettings(context: Context, principal: Principal, wanted: PutTrigger): Promise<TriggerSettings> {
  const installed = requireIntegration(context, wanted.integration)
  const of = installed.config.polling_triggers[wanted.polling_trigger]
  if (!of)
    throw new HubError(
      'not-found',
      `integration "${wanted.integration}" has no polling trigger "${wanted.polling_trigger}"`,
    )
  requireAction(principal, `${wanted.integration}.${wanted.polling_trigger}`)
  requireCredentials(installed, wanted.connection)
  if (wanted.connection !== undefined) {
    const connection = await requireConnection(context, principal, wanted.connection)
    if (connection.integration !== wanted.integration)
      throw new HubError('conflict', `connection "${connection.key}" is one of "${connection.integration}"`)
  }
  return {
    integration: wanted.integration,
    polling_trigger: wanted.polling_trigger,
    connection: wanted.connection ?? null,
    inputs: wanted.inputs ?? {},
    interval_seconds: wanted.interval_seconds ?? of.intervalSeconds,
    first_poll: wanted.first_poll ?? 'prime',
    look_back_seconds: wanted.look_back_seconds ?? defaultLookBackSeconds,
    user_id: principal.userId,
    key_id: principal.keyId,
  }
}

const isSame = (left: unknown, right: unknown): boolean => JSON.stringify(left) === JSON.stringify(right)

function asksTheSame(left: TriggerSettings, right: TriggerSettings): boolean {
  const asked = ({ integration, polling_trigger: trigger, connection, inputs }: TriggerSettings) => [
    integration,
    trigger,
    connection,
    inputs,
  ]
  return isSame(asked(left), asked(right))
}

export const toSettings = ({ settings }: Pick<TriggerRow, 'settings'>): TriggerSettings =>
  JSON.parse(settings) as TriggerSettings // written by this file

/** @throws HubError `not-found` */
export async function requireTrigger(
  { store }: Pick<Context, 'store'>,
  workspace: Workspace,
  key: string,
): Promise<TriggerRow> {
  const found = await store.triggers.find(workspace.id, key.slice(0, 256))
  if (!found)
    throw new HubError('not-found', `trigger "${key.slice(0, 100)}" does not exist; PUT /v1/triggers/{key} makes it`)
  return found
}

export async function showTrigger(
  context: Pick<Context, 'store'>,
  workspace: Workspace,
  key: string,
): Promise<Trigger> {
  return toWire(await requireTrigger(context, workspace, key))
}

/** By key. */
export async function listTriggers(
  { store, cursors }: Context,
  workspace: Workspace,
  { limit, cursor }: PageRequest,
): Promise<Page> {
  const scope = `${workspace.id}/triggers`
  const rows = await store.triggers.list(workspace.id, { after: openKey(cursors, scope, cursor), limit: limit + 1 })
  return toPage({ cursors, scope, limit, rows, placeOf: ({ key }) => key, print: (row) => JSON.stringify(toWire(row)) })
}

export async function setTriggerStatus(
  context: Context,
  principal: Principal,
  key: string,
  status: TriggerRow['status'],
): Promise<Trigger> {
  await requireTrigger(context, principal.workspace, key)
  await context.store.triggers.setStatus(principal.workspace.id, key, status)
  await noteDeed(context, principal, { verb: status === 'paused' ? 'trigger.pause' : 'trigger.resume', target: key })
  return showTrigger(context, principal.workspace, key)
}

export async function removeTrigger(context: Context, principal: Principal, key: string): Promise<void> {
  await requireTrigger(context, principal.workspace, key)
  await context.store.triggers.remove(principal.workspace.id, key)
  await noteDeed(context, principal, { verb: 'trigger.remove', target: key })
}

/** Newest first. */
export async function listPolls(
  { store, cursors }: Context,
  workspace: Workspace,
  { key, limit, cursor }: PageRequest & { readonly key: string },
): Promise<Page> {
  await requireTrigger({ store }, workspace, key)
  const scope = `${workspace.id}/trigger/${key}/polls`
  const before = openPosition(cursors, scope, cursor, Number.MAX_SAFE_INTEGER)
  const rows = await store.triggers.listPolls(workspace.id, key, { before, limit: limit + 1 })
  return toPage({
    cursors,
    scope,
    limit,
    rows,
    placeOf: ({ id }) => id,
    print: (row) => JSON.stringify(toWirePoll(row)),
  })
}

export function toWirePoll({ atMs, ms, outcome, found, published, error }: Omit<PollRow, 'id'>): Poll {
  return { at: toIso(atMs), ms, outcome, found, published, error }
}

function toWire(row: TriggerRow): Trigger {
  const { user_id: _, key_id: __, ...settings } = toSettings(row)
  return {
    key: row.key,
    ...settings,
    status: row.status,
    primed: row.primed,
    failures: row.failures,
    last_error: row.lastError,
    last_poll_at: row.lastPollMs === null ? null : toIso(row.lastPollMs),
    next_poll_at: toIso(row.nextPollMs),
    created_at: toIso(row.createdMs),
    updated_at: toIso(row.updatedMs),
  }
}
