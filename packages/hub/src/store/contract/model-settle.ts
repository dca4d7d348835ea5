import assert from 'node:assert/strict'
import { HubError } from '@sluice/protocol'
import type { Settlement, SettleOrder } from '../store.ts'
import { attemptOf, bury, eventAt, heldBy, leaseNamed, move, placeOf, type Model } from './model.ts'
import type { World } from './model-check.ts'
import { positionsOf, type Stage } from './stage.ts'

type Settling = {
  readonly lease: number
  readonly pick: readonly number[] | null
  readonly kind: 'ack' | 'release'
  readonly delayMs?: number
  readonly count?: boolean
}

/** Acknowledges or releases, and checks what each event is answered. */
export async function settle(
  { stage, model, log }: World,
  { lease: number, pick: picked, kind, delayMs = 0, count = true }: Settling,
): Promise<void> {
  const leaseId = leaseNamed(model, number)
  if (leaseId === undefined) return
  const chosen = picked && [...new Set(picked.map((at) => model.leases.get(leaseId)?.[at] ?? eventAt(model, at)))]
  const outcome = kind === 'ack' ? ({ kind } as const) : ({ kind, delayMs, count } as const)
  const settled = await settleOrLose(stage, { leaseId, ...(chosen && { positions: chosen }), outcome })
  if (settled === 'lease-lost') {
    return assert.ok(!chosen && model.voided.has(leaseId), 'only a lease that a seek made void is not known any more')
  }
  log.push(`  ${leaseId} ${settled.map(({ position, status }) => `${position} ${status}`).join(', ')}`)
  assert.equal(new Set(positionsOf(settled)).size, settled.length, 'one result for each position')
  if (chosen) assert.deepEqual(positionsOf(settled), chosen, 'a result for each position')
  else checkWhole(model, leaseId, positionsOf(settled))
  for (const { position, status } of settled) {
    const allowed =
      kind === 'ack' ? ackResults(model, leaseId, position) : releaseResults(model, { leaseId, position, count })
    assert.ok(allowed.includes(status), `${kind} of ${position} by ${leaseId}: ${status}, not ${allowed.join(' or ')}`)
    if (status === 'acked') move(model, position, { at: 'acked' })
    if (status === 'released')
      giveBack(model, position, { availableMs: delayMs > 0 ? stage.store.nowMs() + delayMs : 0, count })
    const place = placeOf(model, position)
    if (status === 'dead' && place?.at === 'leased') bury(model, position, place.attempt)
  }
}

/** Without positions, a lease from before a seek may be refused as a whole. */
async function settleOrLose({ store, id }: Stage, order: SettleOrder): Promise<Settlement[] | 'lease-lost'> {
  try {
    return await store.settleLease(id, 'crm', order)
  } catch (error) {
    if (error instanceof HubError && error.code === 'lease-lost') return error.code
    throw error
  }
}

/** Without positions: all that the lease holds; if it holds nothing, what it held when it ran out, as far as that is known. */
function checkWhole(model: Model, leaseId: string, positions: readonly number[]): void {
  const held = heldBy(model, leaseId)
  const handedOut = model.handedOut.get(leaseId) ?? new Set()
  if (held.length > 0) return assert.deepEqual(new Set(positions), new Set(held))
  for (const position of handedOut) {
    assert.ok(!isGivenBack(model, leaseId, position) || positions.includes(position), `${position} is missing`)
  }
  for (const position of positions) assert.ok(handedOut.has(position), `${position} is too many`)
}

function isGivenBack(model: Model, leaseId: string, position: number): boolean {
  const place = placeOf(model, position)
  return place?.at === 'back' && place.before === leaseId && !model.voided.has(leaseId)
}

function giveBack(
  model: Model,
  position: number,
  { availableMs, count }: { availableMs: number; count: boolean },
): void {
  const attempt = attemptOf(placeOf(model, position)) - (count ? 0 : 1)
  move(model, position, { at: 'back', availableMs, attempt, half: null, before: null })
}

function ackResults(model: Model, leaseId: string, position: number): string[] {
  const place = placeOf(model, position)
  if (place?.at === 'leased' && place.leaseId === leaseId) return ['acked']
  if (isGivenBack(model, leaseId, position)) return ['acked']
  return resultsElsewhere(model, leaseId, position)
}

function releaseResults(
  model: Model,
  { leaseId, position, count }: { leaseId: string; position: number; count: boolean },
): string[] {
  const place = placeOf(model, position)
  if (place?.at === 'leased' && place.leaseId === leaseId) {
    return count && place.attempt >= model.settings.maxAttempts ? ['dead'] : ['released']
  }
  if (isGivenBack(model, leaseId, position)) return ['already']
  const wasMine = place?.at === 'back' && model.handedOut.get(leaseId)?.has(position)
  return [...resultsElsewhere(model, leaseId, position), ...(wasMine ? ['already'] : [])]
}

/** What a lease is told about an event that it does not hold. */
function resultsElsewhere(model: Model, leaseId: string, position: number): string[] {
  const event = model.events.get(position)
  const lost = model.voided.has(leaseId) ? ['lost'] : []
  if (!event) return ['unknown', ...lost]
  switch (event.place.at) {
    case 'leased':
      return ['lost']
    case 'acked':
      // One that was handed out past the filter may lie ahead of the inbox, which keeps nothing of what it has not come to.
      return ['already', ...lost, ...(event.wanted ? [] : ['unknown'])]
    case 'dead':
      return ['dead', ...lost]
    case 'passed':
      // Nothing is kept of an event that is behind the inbox, so it may be told from an acknowledged one or not.
      return ['lost', 'unknown', 'already']
    case 'back':
      return event.place.attempt > 0 ? ['lost'] : ['lost', 'unknown']
    case 'new': {
      const stale = model.dead.has(position) ? ['dead'] : []
      return event.wanted ? ['unknown', ...lost, ...stale] : ['unknown', 'already', ...lost, ...stale]
    }
  }
}
