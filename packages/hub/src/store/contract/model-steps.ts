import assert from 'node:assert/strict'
import fc from 'fast-check'
import type { World } from './model-check.ts'
import { settle } from './model-settle.ts'
import {
  attemptOf,
  backAgain,
  candidates,
  eventAt,
  heldBy,
  leaseNamed,
  move,
  placeOf,
  seek,
  sweep,
  type Model,
} from './model.ts'
import { positionsOf, type EventSpec } from './stage.ts'

export type Step =
  | {
      readonly do: 'publish'
      readonly events: readonly { readonly wanted: boolean; readonly subject: string | null }[]
    }
  | { readonly do: 'lease'; readonly limit: number }
  | { readonly do: 'lease-again'; readonly lease: number; readonly limit: number }
  | { readonly do: 'ack'; readonly lease: number; readonly pick: readonly number[] | null }
  | {
      readonly do: 'release'
      readonly lease: number
      readonly pick: readonly number[] | null
      readonly delayMs: number
      readonly count: boolean
    }
  | { readonly do: 'advance'; readonly ms: number; readonly sweep: boolean }
  | { readonly do: 'extend'; readonly lease: number }
  | { readonly do: 'acknowledge' | 'seek'; readonly event: number }
  | { readonly do: 'replay'; readonly event: number; readonly ignoreFilter: boolean }
  | { readonly do: 'dead-letters'; readonly action: 'replay' | 'discard' }
  | { readonly do: 'pause' | 'resume' | 'reopen' | 'crash' }

const record = <Model>(model: { [Key in keyof Model]: fc.Arbitrary<Model[Key]> }): fc.Arbitrary<Model> =>
  fc.record(model, { noNullPrototype: true })
const index = fc.nat(30)
const pick = fc.option(fc.array(fc.nat(8), { maxLength: 4 }), { freq: 2 })
const published = record({
  wanted: fc.oneof({ weight: 4, arbitrary: fc.constant(true) }, { weight: 1, arbitrary: fc.constant(false) }),
  subject: fc.constantFrom('x', 'x', 'y', null),
})

/** Numbers of leases and events count from the newest, so that what is chosen has something to do with what happened. */
export const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 12,
    arbitrary: record({
      do: fc.constant('publish' as const),
      events: fc.array(published, { minLength: 1, maxLength: 5 }),
    }),
  },
  { weight: 20, arbitrary: record({ do: fc.constant('lease' as const), limit: fc.integer({ min: 1, max: 6 }) }) },
  {
    weight: 5,
    arbitrary: record({
      do: fc.constant('lease-again' as const),
      lease: fc.nat(5),
      limit: fc.integer({ min: 1, max: 6 }),
    }),
  },
  { weight: 14, arbitrary: record({ do: fc.constant('ack' as const), lease: fc.nat(5), pick }) },
  {
    weight: 12,
    arbitrary: record({
      do: fc.constant('release' as const),
      lease: fc.nat(5),
      pick,
      delayMs: fc.constantFrom(0, 0, 7000),
      count: fc.boolean(),
    }),
  },
  {
    weight: 14,
    arbitrary: record({
      do: fc.constant('advance' as const),
      ms: fc.constantFrom(3001, 12_007),
      sweep: fc.boolean(),
    }),
  },
  { weight: 2, arbitrary: record({ do: fc.constant('extend' as const), lease: fc.nat(3) }) },
  { weight: 6, arbitrary: record({ do: fc.constant('acknowledge' as const), event: index }) },
  { weight: 5, arbitrary: record({ do: fc.constant('replay' as const), event: index, ignoreFilter: fc.boolean() }) },
  { weight: 3, arbitrary: record({ do: fc.constant('seek' as const), event: index }) },
  {
    weight: 3,
    arbitrary: record({
      do: fc.constant('dead-letters' as const),
      action: fc.constantFrom('replay' as const, 'discard' as const),
    }),
  },
  { weight: 4, arbitrary: record({ do: fc.constantFrom('pause' as const, 'resume' as const, 'resume' as const) }) },
  { weight: 1, arbitrary: record({ do: fc.constantFrom('reopen' as const, 'crash' as const) }) },
)

/** Leases end after this; no sum of the steps of `advance` meets it, so that nothing depends on what happens at its very end. */
const leaseMs = 10_000

/** Runs one step on the store, checks its answer, and does the same to the model. */
export async function runStep(world: World, { ...todo }: Step): Promise<void> {
  const { stage, model } = world
  switch (todo.do) {
    case 'publish':
      return publish(world, todo.events)
    case 'lease':
      return lease(world, `lease-${model.leases.size}`, todo.limit)
    case 'lease-again':
      return lease(world, leaseNamed(model, todo.lease) ?? 'lease-0', todo.limit)
    case 'ack':
      return settle(world, { ...todo, kind: 'ack' })
    case 'release':
      return settle(world, { ...todo, kind: 'release' })
    case 'advance':
      stage.advance(todo.ms)
      if (!todo.sweep) return
      await stage.store.expireLeases()
      return sweep(model, stage.store.nowMs())
    case 'extend':
      return extend(world, leaseNamed(model, todo.lease))
    case 'acknowledge':
      return acknowledge(world, eventAt(model, todo.event))
    case 'replay':
      return replay(world, eventAt(model, todo.event), todo.ignoreFilter)
    case 'seek':
      return seekTo(world, eventAt(model, todo.event))
    case 'dead-letters':
      return settleDead(world, todo.action)
    case 'pause':
    case 'resume':
      model.active = todo.do === 'resume'
      await stage.store.updateInbox(stage.id, 'crm', { status: model.active ? 'active' : 'paused' })
      return
    case 'reopen':
      return stage.reopen()
    case 'crash':
      return stage.crash()
  }
}

async function publish(
  { stage, model, log }: World,
  events: readonly { wanted: boolean; subject: string | null }[],
): Promise<void> {
  const specs = events.map(({ wanted, subject }): EventSpec => ({
    type: wanted ? 'wanted' : 'other',
    ...(subject !== null && { subject }),
  }))
  const positions: readonly number[] = await stage.publish(...specs)
  for (const [number, position] of positions.entries())
    model.events.set(position, { ...events[number]!, place: { at: 'new' } })
  log.push(`  ${positions.join()}`)
}

async function lease({ stage, model, log }: World, leaseId: string, limit: number): Promise<void> {
  const { events, untilMs } = await stage.lease(leaseId, { limit, leaseMs })
  const nowMs = stage.store.nowMs()
  sweep(model, nowMs)
  const given = positionsOf(events)
  log.push(`  ${leaseId} holds ${given.join()} at ${nowMs}`)
  const held = heldBy(model, leaseId)
  if (held.length > 0) {
    assert.deepEqual(given, held, 'a lease that is held gives the same again')
    for (const { position, attempt } of events) assert.equal(attempt, attemptOf(placeOf(model, position)))
    return
  }
  checkGrant(model, { given, limit, nowMs })
  for (const { position, attempt } of events) {
    assert.equal(attempt, attemptOf(placeOf(model, position)) + 1, `attempt of ${position}`)
    move(model, position, { at: 'leased', leaseId, untilMs: nowMs + leaseMs, attempt })
  }
  if (given.length > 0) assert.equal(untilMs, nowMs + leaseMs)
  if (given.length > 0) model.voided.delete(leaseId)
  model.leases.set(leaseId, given)
  model.handedOut.set(leaseId, new Set([...(model.handedOut.get(leaseId) ?? []), ...given]))
}

type Grant = { readonly given: readonly number[]; readonly limit: number; readonly nowMs: number }

function checkGrant(model: Model, { given, limit, nowMs }: Grant): void {
  const { plain, halves, fresh } = candidates(model, nowMs)
  const all = [...plain, ...[...halves.values()].flat(), ...fresh]
  assert.equal(new Set(given).size, given.length, 'each event once')
  for (const position of given)
    assert.ok(all.includes(position), `${position} may not be handed out; only ${all.join()}`)
  assert.ok(given.length <= limit)
  assert.ok(given.length > 0 || all.length === 0, `nothing handed out although ${all.join()} may be`)
  const half = [...halves.values()].find((positions) => positions.some((position) => given.includes(position)))
  if (half)
    return assert.ok(
      given.every((position) => half.includes(position)),
      'a half is leased alone',
    )
  if (model.settings.ordering === 'key') return checkSubjects(model, given)
  const taken = given.filter((position) => fresh.includes(position))
  assert.deepEqual(taken, fresh.slice(0, taken.length), 'the log is read in order')
  if (taken.length > 0)
    assert.ok(
      halves.size === 0 && plain.every((position) => given.includes(position)),
      'what was given back goes first',
    )
  if (halves.size === 0)
    assert.equal(given.length, Math.min(limit, plain.length + fresh.length), 'as many as there are')
}

function checkSubjects(model: Model, given: readonly number[]): void {
  const subjects = given.flatMap((position) => model.events.get(position)?.subject ?? [])
  assert.equal(new Set(subjects).size, subjects.length, 'one event of each subject')
}

async function extend({ stage, model }: World, leaseId: string | undefined): Promise<void> {
  if (leaseId === undefined) return
  const answer = await stage.store.extendLease(stage.id, 'crm', leaseId, leaseMs)
  const held = heldBy(model, leaseId)
  assert.equal(answer !== undefined, held.length > 0, `extending ${leaseId}`)
  const untilMs = stage.store.nowMs() + leaseMs
  if (answer) assert.equal(answer.untilMs, untilMs)
  for (const position of held)
    move(model, position, { at: 'leased', leaseId, untilMs, attempt: attemptOf(placeOf(model, position)) })
}

async function acknowledge({ stage, model, log }: World, position: number): Promise<void> {
  const status = await stage.store.acknowledgeEvent(stage.id, 'crm', position)
  log.push(`  ${position} ${status}`)
  const event = model.events.get(position)
  if (!event) return assert.equal(status, 'unknown')
  const { at } = event.place
  const open = at === 'back' || at === 'leased' || at === 'dead' || (at === 'new' && event.wanted)
  if (open) assert.equal(status, 'acked')
  else if (at === 'acked' && !model.dead.has(position)) assert.equal(status, 'already')
  else assert.ok(status === 'acked' || status === 'already')
  if (at === 'dead') model.dead.delete(position)
  if (open) move(model, position, { at: 'acked' })
  if (at !== 'new') return
  for (const [other, { wanted, place }] of model.events)
    if (other < position && wanted && place.at === 'new') move(model, other, backAgain())
}

async function replay({ stage, model, log }: World, position: number, ignoreFilter: boolean): Promise<void> {
  const event = model.events.get(position)
  if (!event) return
  const status = await stage.store.replayEvent(stage.id, 'crm', position, ignoreFilter)
  log.push(`  ${position} ${status}`)
  const { wanted, place } = event
  if (!wanted && !ignoreFilter) return assert.equal(status, 'filtered')
  if (place.at === 'leased') return assert.equal(status, 'leased')
  if (place.at === 'back' || (place.at === 'new' && wanted)) return assert.equal(status, 'already-waiting')
  assert.equal(status, 'replayed')
  model.dead.delete(position)
  move(model, position, backAgain())
}

async function seekTo({ stage, model, log }: World, position: number): Promise<void> {
  const row = await stage.store.seekInbox(stage.id, 'crm', position)
  log.push(`  to ${position}`)
  assert.equal(row.next, position)
  seek(model, position)
}

async function settleDead({ stage, model, log }: World, action: 'replay' | 'discard'): Promise<void> {
  const letters = [...model.dead.keys()]
  assert.equal(await stage.store.settleDeadLetters(stage.id, 'crm', {}, action), letters.length)
  log.push(`  ${letters.join()}`)
  model.dead.clear()
  for (const position of letters) {
    const event = model.events.get(position)
    const isUnderWay =
      event?.place.at === 'back' || event?.place.at === 'leased' || (event?.place.at === 'new' && event.wanted)
    if (isUnderWay) continue
    if (action === 'replay') move(model, position, backAgain())
    else if (event?.place.at === 'dead') move(model, position, { at: 'acked' })
  }
}
