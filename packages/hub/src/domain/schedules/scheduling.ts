import { setTimeout as pause } from 'node:timers/promises'
import { HubError } from '@sluice/protocol'
import type { DueEvent, DueSchedule } from '../../store/scheduled.ts'
import type { Draft } from '../../store/store.ts'
import type { Authenticator } from '../authenticate.ts'
import type { Context, Workspace } from '../context.ts'
import { digest } from '../dedup.ts'
import { requireEventType } from '../publish.ts'
import { storeEvents } from '../store-events.ts'
import { toIso } from '../to-wire.ts'
import { findNextRun } from './cron.ts'
import { toSettings } from './schedules.ts'

export type Scheduling = { readonly close: () => Promise<void> }

type Options = {
  readonly context: Context
  readonly authenticator: Pick<Authenticator, 'authenticateById'>
  readonly onError: (error: unknown) => void
}

const everyMs = 500
/** Longer than an append may take: then the node that claimed them is taken for dead. */
const claimMs = 60_000
const atOnce = 500

/** Publishes what is due, on any number of nodes: each event has a key, by which a second one of it is a duplicate. */
export function startScheduling(options: Options): Scheduling {
  const { onError } = options
  const closing = new AbortController()
  const loop = (async () => {
    while (!closing.signal.aborted) {
      await publishDue(options, closing.signal).catch(onError)
      await runSchedules(options).catch(onError)
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
async function publishDue({ context, onError }: Options, closing: AbortSignal): Promise<void> {
  while (!closing.aborted) {
    const due = await context.store.scheduled.claimDue(atOnce, claimMs)
    for (const [workspaceId, events] of Map.groupBy(due, (event) => event.workspaceId))
      // Those of a workspace that is being removed must not keep back the others.
      await publishAll(context, workspaceId, events).catch(onError)
    if (due.length < atOnce) return
  }
}

/** They were judged when they were accepted: now they go into the log, whatever their schema says today. */
async function publishAll({ store, counts }: Context, workspaceId: number, events: readonly DueEvent[]): Promise<void> {
  const outcomes = await store.appendEvents(
    workspaceId,
    events.map((event) => toDraft(event, event.dedup)),
  )
  // Their key was used for another event meanwhile. What was accepted is published all the same.
  const others = events.filter((_event, at) => outcomes[at]?.status === 'mismatch').map((event) => toDraft(event, []))
  const more = others.length === 0 ? [] : await store.appendEvents(workspaceId, others)
  counts.published += [...outcomes, ...more].filter(({ status }) => status === 'stored').length
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
async function runSchedules(options: Options): Promise<void> {
  for (const due of await options.context.store.schedules.listDue(atOnce))
    await runSchedule(options, due).catch(options.onError)
}

async function runSchedule({ context, authenticator }: Options, due: DueSchedule): Promise<void> {
  const { store } = context
  const workspace = await store.findWorkspaceById(due.workspaceId)
  if (!workspace) return
  const refusal = (await findRefusal(authenticator, due)) ?? (await publish(context, workspace, due))
  const nextMs = findNextRun(toSettings(due), Math.max(due.nextMs, store.nowMs()))
  await store.schedules.advance(due, { nextMs, error: refusal?.message ?? null })
}

/** A schedule publishes on the word of the key that put it: for as long as that key may. */
async function findRefusal(
  { authenticateById }: Options['authenticator'],
  due: DueSchedule,
): Promise<HubError | undefined> {
  const { key_id: keyId, event } = toSettings(due)
  try {
    requireEventType(await authenticateById(keyId), event.event_type)
    return undefined
  } catch (error) {
    if (error instanceof HubError && error.status < 500) return error
    throw error
  }
}

/** What is refused is left out, as if somebody had published it; the next one may pass. */
async function publish(
  context: Context,
  workspace: Workspace,
  { id, key, nextMs, ...due }: DueSchedule,
): Promise<HubError | undefined> {
  const { event } = toSettings(due)
  const metadata = { ...event.metadata, schedule: key, due_at: toIso(nextMs) }
  const own = digest(`schedule\0${id}\0${nextMs}`)
  const { event_type: eventType, source = null, subject = null } = event
  const body = JSON.stringify({ ...event, metadata })
  const dedup = [{ key: own, fingerprint: own }]
  const [stored] = await storeEvents(context, workspace, [{ eventType, source, subject, body, notes: null, dedup }])
  return stored instanceof HubError ? stored : undefined
}
