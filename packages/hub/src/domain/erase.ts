import { HubError, type EraseRequest, type Erased } from '@sluice/protocol'
import { isIdentifiedBy } from '../store/identity.ts'
import type { DuePlace } from '../store/scheduled.ts'
import type { Identified } from '../store/store.ts'
import { noteDeed, type Caller } from './audit.ts'
import type { Context } from './context.ts'

/** Events and dead letters that one request looks at. It bounds its time; the cursor goes on from there. */
const rowBudget = 50_000
/** Waiting and quarantined events that one request looks at of each: they come with their bodies. */
const waitingBudget = 500
/** Events that are erased in one transaction. */
const partSize = 500

/**
 * How far an erasure has come. First what waits for its time, then what is quarantined: what leaves there meanwhile is in the
 * log before it is gone, and so is there when that is looked at. Then the events that are in the log by then, up to a position, and dead letters, up to a row.
 */
type Place =
  | { readonly in: 'schedule'; readonly after: DuePlace }
  | { readonly in: 'quarantine'; readonly after: number }
  | { readonly in: 'log'; readonly position: number; readonly last: number; readonly dead: number }

type Counts = Pick<Erased, 'events' | 'dead_letters' | 'quarantined' | 'scheduled'>
type Step = { readonly counts: Counts; readonly looked: number; readonly next: Place | null }
type Order = { readonly workspaceId: number; readonly values: readonly string[]; readonly dryRun: boolean }

/**
 * One step of erasing what identifies somebody. Beginning again from the start does no harm: what is erased stays erased. Each step
 * that erased something, and the last one, is noted in the audit log, with digests in place of the values.
 *
 * @throws HubError `invalid-cursor`
 */
export async function eraseIdentity(context: Context, caller: Caller, request: EraseRequest): Promise<Erased> {
  const values = [request.identity].flat()
  // The record of an erasure must not hold what was erased.
  const target = values.map(context.sealing.digest).join(',')
  const scope = `${caller.workspace.id}/erase/${target}`
  const order = { workspaceId: caller.workspace.id, values, dryRun: request.dry_run === true }
  const place = openPlace(context, scope, request.cursor)
  const { counts, looked, next } = await takeStep(context, order, place)
  const done = next === null
  if (!order.dryRun && (done || Object.values(counts).some((count) => count > 0)))
    await noteDeed(context, caller, { verb: 'identity.erase', target, details: { ...counts, done } })
  const cursor = done ? null : context.cursors.seal(scope, JSON.stringify(next))
  return { ...counts, looked_at: looked, dry_run: order.dryRun, done, next_cursor: cursor }
}

function openPlace({ cursors }: Context, scope: string, cursor: string | undefined): Place {
  if (cursor === undefined) return { in: 'schedule', after: { dueMs: 0, place: 0 } }
  const value = cursors.open(scope, cursor)
  if (value === undefined)
    throw new HubError(
      'invalid-cursor',
      'the cursor belongs to an erasure of another identity, or was changed on its way',
    )
  return JSON.parse(value) as Place // sealed by this file
}

function takeStep(context: Context, order: Order, place: Place): Promise<Step> {
  if (place.in === 'schedule') return eraseScheduled(context, order, place)
  if (place.in === 'quarantine') return eraseQuarantined(context, order, place)
  return eraseLogged(context, order, place)
}

async function eraseScheduled(
  context: Context,
  order: Order,
  { after }: Extract<Place, { in: 'schedule' }>,
): Promise<Step> {
  const { workspaceId, values, dryRun } = order
  const { scheduled } = context.store
  const rows = await scheduled.list(workspaceId, { after, limit: waitingBudget })
  const ids = rows.filter(({ body }) => isIdentifiedBy(values, body)).map(({ id }) => id)
  const count = dryRun || ids.length === 0 ? ids.length : await scheduled.remove(workspaceId, ids)
  const last = rows.at(-1)
  if (last && rows.length === waitingBudget) {
    const counts = { events: 0, dead_letters: 0, quarantined: 0, scheduled: count }
    const next: Place = { in: 'schedule', after: { dueMs: last.dueMs, place: last.place } }
    return { counts, looked: rows.length, next }
  }
  const step = await eraseQuarantined(context, order, { in: 'quarantine', after: 0 })
  return { ...step, counts: { ...step.counts, scheduled: count }, looked: rows.length + step.looked }
}

async function eraseQuarantined(
  context: Context,
  order: Order,
  { after }: Extract<Place, { in: 'quarantine' }>,
): Promise<Step> {
  const { workspaceId, values, dryRun } = order
  const { quarantine } = context.store
  const rows = await quarantine.list(workspaceId, { after, limit: waitingBudget })
  const ids = rows.filter(({ body }) => isIdentifiedBy(values, body)).map(({ id }) => id)
  const count = dryRun || ids.length === 0 ? ids.length : await quarantine.remove(workspaceId, { ids })
  const counts = { events: 0, dead_letters: 0, quarantined: count, scheduled: 0 }
  const last = rows.at(-1)
  if (last && rows.length === waitingBudget)
    return { counts, looked: rows.length, next: { in: 'quarantine', after: last.place } }
  const { head, trimmedTo } = await context.store.readHead(workspaceId)
  const step = await eraseLogged(context, order, { in: 'log', position: trimmedTo, last: head, dead: 0 })
  return { ...step, counts: { ...step.counts, quarantined: count }, looked: rows.length + step.looked }
}

async function eraseLogged(
  { store }: Context,
  { workspaceId, values, dryRun }: Order,
  { position, last, dead }: Extract<Place, { in: 'log' }>,
): Promise<Step> {
  const search = { values, afterPosition: position, lastPosition: last, afterDead: dead, rowBudget }
  const found = await store.findIdentified(workspaceId, search)
  const counts = dryRun ? countOf(found) : await erase(store, workspaceId, found)
  const next: Place = { in: 'log', position: found.positionsTo, last, dead: found.deadTo }
  return { counts, looked: found.looked, next: found.more ? next : null }
}

/** Dead letters of events that are erased anyway are not counted again. */
function countOf({ positions, deadLetters }: Identified): Counts {
  const events = new Set(positions)
  const outlived = deadLetters.filter((letter) => !events.has(letter.position))
  return { events: events.size, dead_letters: outlived.length, quarantined: 0, scheduled: 0 }
}

async function erase(
  store: Context['store'],
  workspaceId: number,
  { positions, deadLetters }: Identified,
): Promise<Counts> {
  let [events, count] = [0, 0]
  // In parts: publishes and leases go on in between.
  for (let at = 0; at < positions.length; at += partSize)
    events += await store.eraseEvents(workspaceId, positions.slice(at, at + partSize))
  for (const [inbox, letters] of Map.groupBy(deadLetters, (letter) => letter.inbox)) {
    const choice = { positions: letters.map((letter) => letter.position) }
    count += await store.settleDeadLetters(workspaceId, inbox, choice, 'discard').catch(orGone)
  }
  return { events, dead_letters: count, quarantined: 0, scheduled: 0 }
}

/** The inbox was removed meanwhile, and its dead letters with it. */
function orGone(error: unknown): number {
  if (error instanceof HubError && error.code === 'not-found') return 0
  throw error
}
