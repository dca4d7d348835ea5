import { chmodSync, globSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { HubProcess } from '../../scripts/hub-process.ts'
import { readProgress, type Lease } from '../load/consume.ts'
import { openPlace, stores, type Place } from '../load/place.ts'
import { createRandom, type Random } from '../load/random.ts'
import { requireAnswer, type Target } from '../load/request.ts'
import { createTally, type Tally } from '../load/tally.ts'
import type { Suite, SuiteOptions, SuiteResult } from './suite.ts'

/**
 * The wall clock of a running hub steps by up to a day, either way, and the hub is restarted in between. Order and times
 * of acceptance must not go back, and a lease must end when its time is over: not at the step, and not a day later.
 * With Postgres it is the clock of the server that steps, or that of one of two hubs.
 */
export const clock: Suite = {
  name: 'clock',
  what: 'steps of the wall clocks, forth and back, with leases in flight and restarts',
  stores,
  rounds: { ci: 6, alone: 20 },
  run,
}

const leaseSeconds = 2
// Measured with a clock that is not shifted. The hub looks for leases that ran out about every second.
const earlyMs = 100
const lateMs = 6000

type Shifted = 'hub' | 'server'

type State = {
  /** of the one whose clock steps, and which is restarted */
  hub: HubProcess
  /** the same first */
  readonly targets: readonly [Target, ...Target[]]
  readonly place: Place
  readonly tally: Tally
  readonly random: Random
  /** sets a wall clock to the true time plus so many seconds */
  readonly shift: (whose: Shifted, seconds: number) => void
  readonly restart: () => Promise<HubProcess>
  last: { id: string; timestamp: string }
}

async function run({ store, rounds, seed, tell }: SuiteOptions): Promise<SuiteResult> {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-faults-clock-'))
  // The server runs as another user, and reads its file there.
  chmodSync(folder, 0o755)
  const file = (whose: Shifted): string => join(folder, whose)
  const shift = (whose: Shifted, seconds: number): void => {
    writeFileSync(file(whose), `${seconds < 0 ? '' : '+'}${seconds}`)
  }
  shift('hub', 0)
  shift('server', 0)
  const place = await openPlace(store, { postgres: { env: toShiftedEnvironment(file('server')) } })
  try {
    const env = toShiftedEnvironment(file('hub'))
    const hub = await place.startHub({ env })
    const others = store === 'postgres' ? [await place.startHub()] : []
    const port = Number(new URL(hub.url).port)
    const apiKey = hub.apiKey ?? ''
    const target: Target = { url: hub.url, apiKey }
    await requireAnswer(target, { method: 'PUT', path: '/v1/inboxes/work', body: { start: 'earliest' } })
    const state: State = {
      hub,
      targets: [target, ...others.map(({ url }) => ({ url, apiKey }))],
      place,
      tally: createTally(),
      random: createRandom(seed),
      shift,
      restart: () => place.startHub({ env, port }),
      last: { id: '', timestamp: '' },
    }
    await expectShifts(state)
    for (let round = 1; round <= rounds; round += 1) {
      await runRound(state, round % 3 === 0)
      if (round % 5 === 0) tell(`${round} of ${rounds} steps`)
    }
    return await toResult(state, others)
  } finally {
    await place.close()
    rmSync(folder, { recursive: true, force: true })
  }
}

/** libfaketime stands between the process and the C library's wall clock; the monotonic clock stays true. */
function toShiftedEnvironment(file: string): NodeJS.ProcessEnv {
  const [library] = globSync(['/usr/lib/*/faketime/libfaketimeMT.so.1', '/usr/lib/faketime/libfaketimeMT.so.1'])
  if (library === undefined) throw new Error('shifting a clock needs libfaketime: apt-get install libfaketime')
  return {
    LD_PRELOAD: library,
    FAKETIME_TIMESTAMP_FILE: file,
    FAKETIME_NO_CACHE: '1',
    FAKETIME_DONT_FAKE_MONOTONIC: '1',
    DONT_FAKE_MONOTONIC: '1',
  }
}

/** Without this, a library that does nothing would pass every check. */
async function expectShifts({ place: { postgres }, targets: [target], shift, tally }: State): Promise<void> {
  const expect = (what: string, ms: number): void => {
    if (!(ms - Date.now() > 80_000_000)) tally.fault('not shifted', `the wall clock of ${what} is not a day ahead`)
  }
  shift('hub', 86_400)
  // Node writes the field once a second.
  await sleep(1100)
  const response = await fetch(new URL('/status', target.url))
  expect('the hub', Date.parse(response.headers.get('date') ?? ''))
  shift('hub', 0)
  if (postgres === undefined) return
  shift('server', 86_400)
  const [row] = await postgres.exec('select extract(epoch from clock_timestamp())::float * 1000 as ms')
  shift('server', 0)
  expect('the server', Number(row?.['ms']))
}

/** What one lease holds, until all of it has come back. */
type Held = { readonly ids: Set<string>; readonly leasedMs: number; readonly mayEndEarly: boolean }

/** A lease in flight, a step, and the events come back when the lease ends by true time. */
async function runRound(state: State, withRestart: boolean): Promise<void> {
  const { random } = state
  await publish(state, random.between(2, 6))
  const leasedMs = Date.now()
  const lease = await take(anyOf(state), leaseSeconds)
  const isShared = state.place.store === 'postgres'
  const mayEndEarly = step(state) && withRestart && !isShared
  if (withRestart) await restart(state)
  const held: Held = { ids: new Set(lease.events.map((event) => event.event_id)), leasedMs, mayEndEarly }
  await takeOver(state, held)
  await publish(state, random.between(1, 3))
  while (held.ids.size > 0 && (await takeOver(state, held)));
}

async function restart(state: State): Promise<void> {
  await state.hub.stop()
  state.hub = await state.restart()
  state.tally.add('restarts')
}

/** Sets a clock. Answers whether leases are over for a hub that starts now: it cannot know that no time has passed. */
function step({ place: { store }, shift, random, tally, last }: State): boolean {
  const steps = [-86_400, -3600, -61, 61, 3600, 86_400]
  const seconds = steps[random.between(0, steps.length - 1)] ?? 0
  shift(store === 'postgres' && random.chance(0.7) ? 'server' : 'hub', seconds)
  tally.add('steps')
  // The time of the store is ahead of the true one by what it has already believed.
  return seconds * 1000 > Date.parse(last.timestamp) - Date.now()
}

function anyOf({ targets, random }: State): Target {
  return targets[random.between(0, targets.length - 1)] ?? targets[0]
}

/** Another consumer, once. Answers false when the events of the first are overdue. */
async function takeOver(state: State, { ids, leasedMs, mayEndEarly }: Held): Promise<boolean> {
  const { tally } = state
  const target = anyOf(state)
  const lease = await take(target, 30, 0.5)
  const heldMs = Date.now() - leasedMs
  const back = lease.events.filter((event) => ids.delete(event.event_id)).length
  tally.add('came back', back)
  if (back > 0 && !mayEndEarly && heldMs < leaseSeconds * 1000 - earlyMs) {
    tally.fault('expired early', `${back} events after ${heldMs} ms of a lease of ${leaseSeconds} s`)
  }
  if (lease.events.length > 0) {
    const body = { lease_id: lease.lease_id }
    await requireAnswer(target, { method: 'POST', path: '/v1/inboxes/work/ack', body })
  }
  if (ids.size === 0 || heldMs < leaseSeconds * 1000 + lateMs) return true
  const progress = await readProgress(target, 'work')
  tally.fault('stranded', `${ids.size} events after ${heldMs} ms: ${JSON.stringify(progress)}`)
  return false
}

/** Publishes one after the other; ids and times of acceptance must not go back, whatever the wall clock did. */
async function publish(state: State, count: number): Promise<void> {
  for (let n = 0; n < count; n += 1) {
    const order = { method: 'POST', path: '/v1/events', body: { event_type: 'fault.clock', payload: { n } } } as const
    const { event_id: id, timestamp } = await requireAnswer<{ event_id: string; timestamp: string }>(
      anyOf(state),
      order,
    )
    if (id <= state.last.id) state.tally.fault('out of order', `${id} after ${state.last.id}`)
    if (timestamp < state.last.timestamp)
      state.tally.fault('time went back', `${timestamp} after ${state.last.timestamp}`)
    state.last = { id, timestamp }
    state.tally.add('accepted')
  }
}

function take(target: Target, seconds: number, waitSeconds = 0): Promise<Lease> {
  const body = { limit: 100, lease_seconds: seconds, wait_seconds: waitSeconds }
  return requireAnswer<Lease>(target, { method: 'POST', path: '/v1/inboxes/work/lease', body })
}

async function toResult({ hub, place, tally }: State, others: readonly HubProcess[]): Promise<SuiteResult> {
  for (const each of [hub, ...others]) {
    const code = await each.stop()
    if (code !== 0) tally.fault('exit', `a hub ended with ${code} when it was asked to stop`)
  }
  const integrity = await place.check()
  if (integrity !== 'ok') tally.fault('integrity', integrity)
  const { count, faults } = tally
  const [accepted, outOfOrder, wentBack] = [count('accepted'), count('out of order'), count('time went back')]
  const [early, stranded] = [count('expired early'), count('stranded')]
  const figures = { steps: count('steps'), restarts: count('restarts'), accepted, cameBack: count('came back') }
  return {
    summary: `steps ${figures.steps}, out of order ${outOfOrder}, time went back ${wentBack}, leases expired early ${early}, stranded ${stranded}`,
    figures: { ...figures, outOfOrder, wentBack, early, stranded },
    violations: faults,
  }
}
