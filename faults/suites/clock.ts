import { globSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { startHub, type HubProcess } from '../../scripts/hub-process.ts'
import { readProgress, type Lease } from '../load/consume.ts'
import { createRandom, type Random } from '../load/random.ts'
import { requireAnswer, type Target } from '../load/request.ts'
import { createTally, type Tally } from '../load/tally.ts'
import type { Suite, SuiteOptions, SuiteResult } from './suite.ts'

/**
 * The wall clock of a running hub steps by up to a day, either way, and the hub is restarted in between. Order and times
 * of acceptance must not go back, and a lease must end when its time is over: not at the step, and not a day later.
 */
export const clock: Suite = {
  name: 'clock',
  what: 'steps of the wall clock, forth and back, with leases in flight and restarts',
  stores: ['sqlite'],
  rounds: { ci: 6, alone: 20 },
  run,
}

const leaseSeconds = 2
// Measured with a clock that is not shifted. The hub looks for leases that ran out about every second.
const earlyMs = 100
const lateMs = 6000

type State = {
  hub: HubProcess
  readonly target: Target
  readonly tally: Tally
  readonly random: Random
  /** sets the wall clock of the hub to the true time plus so many seconds */
  readonly shift: (seconds: number) => void
  readonly restart: () => Promise<HubProcess>
  last: { id: string; timestamp: string }
}

async function run({ rounds, seed, tell }: SuiteOptions): Promise<SuiteResult> {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-faults-clock-'))
  try {
    const file = join(folder, 'offset')
    const shift = (seconds: number): void => writeFileSync(file, `${seconds < 0 ? '' : '+'}${seconds}`)
    shift(0)
    const env = toShiftedEnvironment(file)
    const hub = await startHub({ data: join(folder, 'data'), env })
    const restart = (): Promise<HubProcess> =>
      startHub({ data: join(folder, 'data'), env, port: Number(new URL(hub.url).port) })
    const target: Target = { url: hub.url, apiKey: hub.apiKey ?? '' }
    await requireAnswer(target, { method: 'PUT', path: '/v1/inboxes/work', body: { start: 'earliest' } })
    const last = { id: '', timestamp: '' }
    const state: State = { hub, target, tally: createTally(), random: createRandom(seed), shift, restart, last }
    await expectShift(state)
    for (let round = 1; round <= rounds; round += 1) {
      await runRound(state, round % 3 === 0)
      if (round % 5 === 0) tell(`${round} of ${rounds} steps`)
    }
    return await toResult(state)
  } finally {
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
async function expectShift(state: State): Promise<void> {
  state.shift(86_400)
  const response = await fetch(new URL('/status', state.target.url))
  const date = Date.parse(response.headers.get('date') ?? '')
  // Node writes the field once a second.
  if (!(date > Date.now() + 80_000_000)) await sleep(1100)
  const later = await fetch(new URL('/status', state.target.url))
  const shifted = Date.parse(later.headers.get('date') ?? '') - Date.now()
  if (!(shifted > 80_000_000))
    state.tally.fault('not shifted', `the hub's wall clock is ${shifted} ms ahead, not a day`)
  state.shift(0)
}

/** What one lease holds, until all of it has come back. */
type Held = { readonly ids: Set<string>; readonly leasedMs: number; readonly mayEndEarly: boolean }

/** A lease in flight, a step, and the events come back when the lease ends by true time. */
async function runRound(state: State, withRestart: boolean): Promise<void> {
  const { target, random, tally } = state
  await publish(state, random.between(2, 6))
  const leasedMs = Date.now()
  const lease = await take(target, leaseSeconds)
  const steps = [-86_400, -3600, -61, 61, 3600, 86_400]
  const step = steps[random.between(0, steps.length - 1)] ?? 0
  state.shift(step)
  tally.add('steps')
  // A hub that starts finds a later wall clock and cannot know that no time has passed: its leases are over.
  const aheadMs = Date.parse(state.last.timestamp) - Date.now()
  const mayEndEarly = withRestart && step * 1000 > aheadMs
  if (withRestart) {
    await state.hub.stop()
    state.hub = await state.restart()
    tally.add('restarts')
  }
  const held: Held = { ids: new Set(lease.events.map((event) => event.event_id)), leasedMs, mayEndEarly }
  await takeOver(state, held)
  await publish(state, random.between(1, 3))
  while (held.ids.size > 0 && (await takeOver(state, held)));
}

/** Another consumer, once. Answers false when the events of the first are overdue. */
async function takeOver({ target, tally }: State, { ids, leasedMs, mayEndEarly }: Held): Promise<boolean> {
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
      state.target,
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

async function toResult({ hub, tally }: State): Promise<SuiteResult> {
  const code = await hub.stop()
  if (code !== 0) tally.fault('exit', `the hub ended with ${code} when it was asked to stop`)
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
