import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { endWithThisProcess } from '../../scripts/hub-process.ts'
import { createTally, type Tally } from '../load/tally.ts'
import { type Lease } from '../load/consume.ts'
import { openPlace, stores } from '../load/place.ts'
import { phases, type DoomedOrder, type LastWords, type Phase } from '../load/last-words.ts'
import { createRandom, type Random } from '../load/random.ts'
import { requireAnswer, type Target } from '../load/request.ts'
import type { Suite, SuiteOptions, SuiteResult } from './suite.ts'

/**
 * Consumers in processes of their own are killed in each phase of lease and acknowledge. What they held must come back
 * when the lease ends, not before, with the right attempt; what they had acknowledged must not.
 */
export const consumers: Suite = {
  name: 'consumers',
  what: 'kill -9 of a consumer in every phase of lease and acknowledge',
  stores,
  rounds: { ci: 8, alone: 20 },
  run,
}

const leaseSeconds = 1
// The hub looks for leases that ran out about every second; several rounds of halving may follow on a busy machine.
const lateMs = 8000
const earlyToleranceMs = 50

async function run({ store, rounds, seed, tell }: SuiteOptions): Promise<SuiteResult> {
  const place = await openPlace(store)
  try {
    const random = createRandom(seed)
    const tally = createTally()
    const hub = await place.startHub()
    const target: Target = { url: hub.url, apiKey: hub.apiKey ?? '' }
    for (const phase of phases) {
      const body = { start: 'earliest', filter: { event_types: [toEventType(phase)] } }
      await requireAnswer(target, { method: 'PUT', path: `/v1/inboxes/${phase}`, body })
    }
    for (let round = 1; round <= rounds; round += 1) {
      await Promise.all(phases.map((phase) => killOne({ target, phase, random, tally })))
      if (round % 10 === 0) tell(`${round} of ${rounds} rounds, ${tally.count('killed')} consumers killed`)
    }
    const code = await hub.stop()
    if (code !== 0) tally.fault('exit', `the hub ended with ${code} when it was asked to stop`)
    const integrity = await place.check()
    if (integrity !== 'ok') tally.fault('integrity', integrity)
    return toResult(tally)
  } finally {
    await place.close()
  }
}

function toResult({ count, faults }: Tally): SuiteResult {
  const [killed, events, lost, early] = [count('killed'), count('events'), count('lost'), count('early')]
  const [late, wrongAttempt, ackedCameBack] = [count('late'), count('wrong attempt'), count('acked came back')]
  return {
    summary:
      `killed ${killed}, events ${events}, lost ${lost}, back before the lease ended ${early}, back too late ${late}, ` +
      `wrong attempt ${wrongAttempt}, acked came back ${ackedCameBack}`,
    figures: { killed, events, cameBack: count('came back'), lost, early, late, wrongAttempt, ackedCameBack },
    violations: faults,
  }
}

type Case = { readonly target: Target; readonly phase: Phase; readonly random: Random; readonly tally: Tally }

/** One consumer, killed in one phase, and what becomes of its events. */
async function killOne({ target, phase, random, tally }: Case): Promise<void> {
  const before = phase === 'waiting' ? [] : await publish(target, phase, random.between(1, 8))
  const words = await runDoomed({ target, inbox: phase, phase, leaseSeconds }, random)
  tally.add('killed')
  // One that waits at an empty inbox is dead by now: what comes next must not be leased to it.
  const ids = phase === 'waiting' ? await publish(target, phase, random.between(1, 8)) : before
  tally.add('events', ids.length)
  const returned = await takeOver(target, phase, ids)
  for (const event of returned) judge({ event, phase, words, tally })
  for (const id of ids) {
    const verdict = await readVerdict(target, phase, id)
    if (verdict !== 'acknowledged') tally.fault('lost', `${phase}: ${id} is ${verdict}`)
    const known = words.acked.includes(id) || returned.some((event) => event.id === id)
    if (!known && phase !== 'ack-sent') tally.fault('lost', `${phase}: nobody has seen ${id}`)
  }
}

type Returned = { readonly id: string; readonly attempt: number; readonly receivedMs: number }
type Judged = { readonly event: Returned; readonly phase: Phase; readonly words: LastWords; readonly tally: Tally }

function judge({ event: { id, attempt, receivedMs }, phase, words, tally }: Judged): void {
  const held = words.leased.includes(id)
  // Whether a lease whose answer was not read was made, only the hub knows: both are right.
  const right = phase === 'lease-sent' ? [1, 2] : [held ? 2 : 1]
  if (!right.includes(attempt)) tally.fault('wrong attempt', `${phase}: ${id} came as attempt ${attempt}`)
  if (words.acked.includes(id)) tally.fault('acked came back', `${phase}: ${id}`)
  if (!held || words.leasedUntil === null) return
  tally.add('came back')
  const waitedMs = receivedMs - Date.parse(words.leasedUntil)
  if (waitedMs < -earlyToleranceMs) tally.fault('early', `${phase}: ${id} ${-waitedMs} ms before the lease ended`)
  if (waitedMs > lateMs) tally.fault('late', `${phase}: ${id} ${waitedMs} ms after the lease ended`)
}

/** A healthy consumer, until each of the events is acknowledged or it is plain that they never will be. */
async function takeOver(target: Target, inbox: string, ids: readonly string[]): Promise<Returned[]> {
  const returned: Returned[] = []
  const endMs = Date.now() + 30_000
  let open = ids
  while (open.length > 0 && Date.now() < endMs) {
    const body = { limit: 100, wait_seconds: 0.5 }
    const lease = await requireAnswer<Lease>(target, { method: 'POST', path: `/v1/inboxes/${inbox}/lease`, body })
    const receivedMs = Date.now()
    for (const { event_id: id, attempt } of lease.events) returned.push({ id, attempt, receivedMs })
    if (lease.events.length > 0) {
      const ack = { lease_id: lease.lease_id }
      await requireAnswer(target, { method: 'POST', path: `/v1/inboxes/${inbox}/ack`, body: ack })
    }
    const verdicts = await Promise.all(open.map((id) => readVerdict(target, inbox, id)))
    open = open.filter((_, index) => verdicts[index] !== 'acknowledged')
  }
  return returned
}

/** Starts a consumer, waits for its last words, kills it. */
async function runDoomed(order: DoomedOrder, random: Random): Promise<LastWords> {
  const file = fileURLToPath(new URL('../load/doomed-consumer.ts', import.meta.url))
  const child = spawn(process.execPath, [file, JSON.stringify(order)], { stdio: ['ignore', 'pipe', 'inherit'] })
  const reap = endWithThisProcess(() => child.kill('SIGKILL'))
  const ended = once(child, 'exit').finally(reap)
  const [line] = await Promise.race([
    once(createInterface({ input: child.stdout }), 'line'),
    ended.then(([code]) => {
      throw new Error(`a consumer to be killed in phase ${order.phase} ended by itself with ${code}`)
    }),
  ])
  // Where only a request was sent: the kill may come before, while or after the hub deals with it.
  if (order.phase.endsWith('-sent')) await sleep(random.between(0, 10))
  child.kill('SIGKILL')
  await ended
  return JSON.parse(String(line)) as LastWords
}

function toEventType(phase: Phase): string {
  return `fault.${phase}`
}

async function publish(target: Target, phase: Phase, count: number): Promise<string[]> {
  const body = Array.from({ length: count }, (_, n) => ({ event_type: toEventType(phase), payload: { n } }))
  const order = { method: 'POST', path: '/v1/events/batch', body } as const
  const { results } = await requireAnswer<{ results: { event_id: string }[] }>(target, order)
  return results.map((result) => result.event_id)
}

async function readVerdict(target: Target, inbox: string, id: string): Promise<string> {
  type Explained = { readonly verdicts: readonly { readonly inbox: string; readonly verdict: string }[] }
  const { verdicts } = await requireAnswer<Explained>(target, { path: `/v1/events/${id}/explain` })
  return verdicts.find((verdict) => verdict.inbox === inbox)?.verdict ?? 'without a verdict'
}
