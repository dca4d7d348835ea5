import { createHash } from 'node:crypto'
import { HubError, type EraseRequest, type Erased } from '@sluice/protocol'
import type { Identified } from '../store/store.ts'
import { noteDeed, type Caller } from './audit.ts'
import type { Context } from './context.ts'

/** Events and dead letters that one request looks at. It bounds its time; the cursor goes on from there. */
const rowBudget = 50_000

/** How far an erasure has come: events up to a position, of those that were there when it began; dead letters up to a row. */
type Place = { readonly position: number; readonly last: number; readonly dead: number }

/**
 * One step of erasing what identifies somebody. Beginning again from the start does no harm: what is erased stays erased. Each step
 * that erased something, and the last one, is noted in the audit log, with digests in place of the values.
 *
 * @throws HubError `invalid-cursor`
 */
export async function eraseIdentity(context: Context, caller: Caller, request: EraseRequest): Promise<Erased> {
  const { store, cursors } = context
  const { id } = caller.workspace
  const values = [request.identity].flat()
  const digests = values.map(toDigest)
  const scope = `${id}/erase/${digests.join(',')}`
  const place = request.cursor === undefined ? await begin(context, id) : openPlace(context, scope, request.cursor)
  const found = await store.findIdentified(id, {
    values,
    afterPosition: place.position,
    lastPosition: place.last,
    afterDead: place.dead,
    rowBudget,
  })
  const dryRun = request.dry_run === true
  const counts = dryRun ? countOf(found) : await erase(context, id, found)
  if (!dryRun && (counts.events > 0 || counts.dead_letters > 0 || !found.more))
    await noteDeed(context, caller, {
      verb: 'identity.erase',
      target: digests.join(','),
      details: { ...counts, done: !found.more },
    })
  const next: Place = { position: found.positionsTo, last: place.last, dead: found.deadTo }
  return {
    ...counts,
    looked_at: found.looked,
    dry_run: dryRun,
    done: !found.more,
    next_cursor: found.more ? cursors.seal(scope, JSON.stringify(next)) : null,
  }
}

async function begin({ store }: Context, workspaceId: number): Promise<Place> {
  const { head, trimmedTo } = await store.readHead(workspaceId)
  return { position: trimmedTo, last: head, dead: 0 }
}

function openPlace({ cursors }: Context, scope: string, cursor: string): Place {
  const value = cursors.open(scope, cursor)
  if (value === undefined)
    throw new HubError(
      'invalid-cursor',
      'the cursor belongs to an erasure of another identity, or was changed on its way',
    )
  return JSON.parse(value) as Place // sealed by this function's caller
}

/** Events that are erased in one transaction. */
const partSize = 500

type Counts = Pick<Erased, 'events' | 'dead_letters'>

/** Dead letters of events that are erased anyway are not counted again. */
function countOf({ positions, deadLetters }: Identified): Counts {
  const events = new Set(positions)
  return { events: events.size, dead_letters: deadLetters.filter(({ position }) => !events.has(position)).length }
}

async function erase({ store }: Context, workspaceId: number, { positions, deadLetters }: Identified): Promise<Counts> {
  let [events, count] = [0, 0]
  // In parts: publishes and leases go on in between.
  for (let at = 0; at < positions.length; at += partSize)
    events += await store.eraseEvents(workspaceId, positions.slice(at, at + partSize))
  for (const [inbox, letters] of Map.groupBy(deadLetters, (letter) => letter.inbox)) {
    const choice = { positions: letters.map(({ position }) => position) }
    count += await store.settleDeadLetters(workspaceId, inbox, choice, 'discard').catch(orGone)
  }
  return { events, dead_letters: count }
}

/** The inbox was removed meanwhile, and its dead letters with it. */
function orGone(error: unknown): number {
  if (error instanceof HubError && error.code === 'not-found') return 0
  throw error
}

/** The record of an erasure must not hold what was erased. Long enough to tell two people apart, and to prove a claim. */
const toDigest = (value: string): string => createHash('sha256').update(value).digest('hex').slice(0, 32)
