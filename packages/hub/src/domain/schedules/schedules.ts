import {
  HubError,
  limits,
  Slug,
  toValidationError,
  type Fault,
  type PutSchedule,
  type Schedule,
} from '@sluice/protocol'
import type { ScheduleRow } from '../../store/scheduled.ts'
import { noteDeed } from '../audit.ts'
import type { Principal } from '../authenticate.ts'
import type { Context, Workspace } from '../context.ts'
import { findNextRun } from './cron.ts'
import { openKey } from '../cursors.ts'
import { toPage, type Page, type PageRequest } from '../page.ts'
import { requireEventType } from '../publish.ts'
import { toIso } from '../to-wire.ts'

/** `key_id`: of the key that put it, whose word its events have. */
export type ScheduleSettings = Pick<Schedule, 'cron' | 'time_zone' | 'event'> & { readonly key_id: string }

/**
 * Makes a schedule, or changes it.
 *
 * @throws HubError `validation-error`, `event-type-not-allowed`
 */
export async function putSchedule(
  context: Context,
  principal: Principal,
  { key, wanted }: { readonly key: string; readonly wanted: PutSchedule },
): Promise<{ schedule: Schedule; created: boolean }> {
  const { store, newId } = context
  const { workspace } = principal
  const settings: ScheduleSettings = {
    ...wanted,
    time_zone: wanted.time_zone ?? 'UTC',
    key_id: principal.keyId,
  }
  const nextMs = checkSettings(key, settings, store.nowMs())
  requireEventType(principal, settings.event.event_type)
  const before = await store.schedules.find(workspace.id, key)
  const text = JSON.stringify(settings)
  if (before?.settings === text) return { schedule: toWire(before), created: false }
  const created = await store.schedules.put(workspace.id, { key, id: newId(), settings: text, nextMs })
  await noteDeed(context, principal, { verb: created ? 'schedule.create' : 'schedule.change', target: key })
  return { schedule: await showSchedule(context, workspace, key), created }
}

/** Answers when it is due. */
function checkSettings(key: string, settings: ScheduleSettings, nowMs: number): number {
  const faults: Fault[] = []
  for (const { message } of Slug.safeParse(key).error?.issues ?? [])
    faults.push({ pointer: 'path.key', detail: message })
  if (Buffer.byteLength(JSON.stringify(settings.event)) > limits.payloadBytes)
    faults.push({ pointer: '/event', detail: `has more than ${limits.payloadBytes} bytes` })
  let nextMs = 0
  try {
    nextMs = findNextRun(settings, nowMs)
  } catch (error) {
    const said = error instanceof Error ? error.message : String(error)
    const pointer = /time ?zone/i.test(said) ? '/time_zone' : '/cron'
    faults.push({ pointer, detail: `cannot be used: ${said.slice(0, 200)}` })
  }
  if (faults.length > 0) throw toValidationError(faults)
  return nextMs
}

export const toSettings = ({ settings }: Pick<ScheduleRow, 'settings'>): ScheduleSettings =>
  JSON.parse(settings) as ScheduleSettings // written by this file

async function requireSchedule({ store }: Context, workspace: Workspace, key: string): Promise<ScheduleRow> {
  const found = await store.schedules.find(workspace.id, key.slice(0, 256))
  if (!found)
    throw new HubError('not-found', `schedule "${key.slice(0, 100)}" does not exist; PUT /v1/schedules/{key} makes it`)
  return found
}

/** @throws HubError `not-found` */
export async function showSchedule(context: Context, workspace: Workspace, key: string): Promise<Schedule> {
  return toWire(await requireSchedule(context, workspace, key))
}

/** By key. */
export async function listSchedules(
  { store, cursors }: Context,
  workspace: Workspace,
  { limit, cursor }: PageRequest,
): Promise<Page> {
  const scope = `${workspace.id}/schedules`
  const rows = await store.schedules.list(workspace.id, { after: openKey(cursors, scope, cursor), limit: limit + 1 })
  return toPage({ cursors, scope, limit, rows, placeOf: ({ key }) => key, print: (row) => JSON.stringify(toWire(row)) })
}

/** One that is resumed goes on with the next time that is to come. */
export async function setScheduleStatus(
  context: Context,
  principal: Principal,
  { key, status }: { readonly key: string; readonly status: ScheduleRow['status'] },
): Promise<Schedule> {
  const { store } = context
  const before = await requireSchedule(context, principal.workspace, key)
  if (before.status !== status) {
    const nextMs = findNextRun(toSettings(before), store.nowMs())
    await store.schedules.setStatus(principal.workspace.id, key, { status, nextMs })
    await noteDeed(context, principal, {
      verb: status === 'paused' ? 'schedule.pause' : 'schedule.resume',
      target: key,
    })
  }
  return showSchedule(context, principal.workspace, key)
}

export async function removeSchedule(context: Context, principal: Principal, key: string): Promise<void> {
  await requireSchedule(context, principal.workspace, key)
  await context.store.schedules.remove(principal.workspace.id, key)
  await noteDeed(context, principal, { verb: 'schedule.remove', target: key })
}

function toWire(row: ScheduleRow): Schedule {
  const { key_id: _, ...settings } = toSettings(row)
  return {
    key: row.key,
    ...settings,
    status: row.status,
    next_at: toIso(row.nextMs),
    last_at: row.lastMs === null ? null : toIso(row.lastMs),
    last_error: row.lastError,
    created_at: toIso(row.createdMs),
    updated_at: toIso(row.updatedMs),
  }
}
