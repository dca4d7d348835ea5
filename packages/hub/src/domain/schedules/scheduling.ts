import { setTimeout as pause } from 'node:timers/promises'
import type { DueEvent, DueSchedule } from '../../store/scheduled.ts'
import type { Draft } from '../../store/store.ts'
import type { Context, Workspace } from '../context.ts'
import { findNextRun } from './cron.ts'
import { digest } from '../dedup.ts'
import { toSettings } from './schedules.ts'
import { storeEvents } from '../store-events.ts'
import { toIso } from '../to-wire.ts'

export type Scheduling = { readonly close: () => Promise<void> }

const everyMs = 500
/** Longer than an append may take: then the node that claimed them is taken for dead. */
const claimMs = 60_000
const atOnce = 500

/** Publishes what is due, on any number of nodes: each event has a key, by which a second one of it is a duplicate. */
export function startScheduling(context: Context, onError: (error: unknown) => void): Scheduling {
  const closing = new AbortController()
  const loop = (async () => {
    while (!closing.signal.aborted) {
      await publishDue(context, onError).catch(onError)
      await runSchedules(context, onError).catch(onError)
      await pause(everyMs, undefined, { signal: closing.signal, ref: false }).catch(() => {})
    }
  })()
  return {
    close: async () => {
      closing.abort()
      await loop
    },
  }
}

/** Events that have waited until now. */
async function publishDue(context: Context, onError: (error: unknown) => void): Promise<void> {
  for (;;) {
    const due = await context.store.scheduled.claimDue(atOnce, claimMs)
    for (const [workspaceId, events] of Map.groupBy(due, (event) => event.workspaceId))
      // Those of a workspace that is being removed must not keep back the others.
      await publishAll(context, workspaceId, events).catch(onError)
    if (due.length < atOnce) return
  }
}

/** They were judged when they were accepted: now they go into the log, whatever their schema says today. */
async function publishAll(
  { store, counts, activity }: Context,
  workspaceId: number,
  events: readonly DueEvent[],
): Promise<void> {
  const outcomes = await store.appendEvents(
    workspaceId,
    events.map((event) => toDraft(event, event.dedup)),
  )
  // Their key was used for another event meanwhile. What was accepted is published all the same.
  const others = events.filter((_event, at) => outcomes[at]?.status === 'mismatch').map((event) => toDraft(event, []))
  const more = others.length === 0 ? [] : await store.appendEvents(workspaceId, others)
  const stored = [...outcomes, ...more].filter(({ status }) => status === 'stored').length
  counts.published += stored
  activity.note(workspaceId, 'published', stored)
  await store.scheduled.remove(
    workspaceId,
    events.map(({ id }) => id),
  )
}

function toDraft({ id, eventType, source, subject, body, notes }: DueEvent, dedup: Draft['dedup']): Draft {
  const own = digest(`scheduled\0${id}`)
  return { eventType, source, subject, body, notes, dedup: [{ key: own, fingerprint: own }, ...dedup] }
}

/** Schedules whose time has come. One that was missed several times makes one event. */
async function runSchedules(context: Context, onError: (error: unknown) => void): Promise<void> {
  for (const due of await context.store.schedules.listDue(atOnce)) await runSchedule(context, due).catch(onError)
}

async function runSchedule(context: Context, due: DueSchedule): Promise<void> {
  const { store } = context
  const workspace = await store.findWorkspaceById(due.workspaceId)
  if (!workspace) return
  await publish(context, workspace, due)
  await store.schedules.advance(due, findNextRun(toSettings(due), Math.max(due.nextMs, store.nowMs())))
}

/** What its type's schema refuses is left out, as if somebody had published it; the next one may pass. */
async function publish(
  context: Context,
  workspace: Workspace,
  { id, key, nextMs, ...due }: DueSchedule,
): Promise<void> {
  const { event } = toSettings(due)
  const metadata = { ...event.metadata, schedule: key, due_at: toIso(nextMs) }
  const own = digest(`schedule\0${id}\0${nextMs}`)
  const { event_type: eventType, source = null, subject = null } = event
  const body = JSON.stringify({ ...event, metadata })
  const dedup = [{ key: own, fingerprint: own }]
  await storeEvents(context, workspace, [{ eventType, source, subject, body, notes: null, dedup }])
}
