import { setTimeout as sleep } from 'node:timers/promises'
import type { HubProcess } from '../../scripts/hub-process.ts'
import { compareLedger, type Comparison } from './compare.ts'
import { consume, drainAll, pollDefault } from './consume.ts'
import { follow, followTo } from './follow.ts'
import { toCauses } from './hub-log.ts'
import { createLedger } from './ledger.ts'
import { createSource, publishAgain, publishBatches, publishSingles, type Source } from './publish.ts'
import type { Place } from './place.ts'
import type { Random } from './random.ts'
import { readLog, readMissing } from './read-log.ts'
import { requireAnswer, type Target } from './request.ts'

/** Hubs that will fail, again and again, and all that their publishers and consumers know. Anything is asked of any hub. */
export type UnderLoad = {
  readonly place: Place
  readonly targets: readonly [Target, ...Target[]]
  readonly source: Source
  readonly slowest: { readonly ms: number }
}

const publishers = 6

/** Makes the inboxes that the load uses, on a hub whose store is new. */
export async function prepareLoad(
  place: Place,
  hubs: readonly [HubProcess, ...HubProcess[]],
  random: Random,
): Promise<UnderLoad> {
  // The one that found the store empty has made the key.
  const apiKey = hubs.find((hub) => hub.apiKey !== null)?.apiKey ?? ''
  const slowest = { ms: 0 }
  const toTarget = ({ url }: HubProcess): Target => ({ url, apiKey, slowest })
  const targets = [toTarget(hubs[0]), ...hubs.slice(1).map(toTarget)] as const
  const [target] = targets
  for (const inbox of ['work', 'audit']) {
    // Attempts must not run out: an event that is in flight at each end of the hub would become a dead letter.
    const body = { start: 'earliest', max_attempts: 1000 }
    await requireAnswer(target, { method: 'PUT', path: `/v1/inboxes/${inbox}`, body })
  }
  const ordered = { start: 'earliest', max_attempts: 1000, ordering: 'key' }
  await requireAnswer(target, { method: 'PUT', path: '/v1/inboxes/ordered', body: ordered })
  await requireAnswer(target, { method: 'PATCH', path: '/v1/inboxes/default', body: { max_attempts: 1000 } })
  const ledger = createLedger({
    work: { inOrder: false },
    audit: { inOrder: true },
    ordered: { inOrder: false, byKey: true },
    default: { inOrder: false },
  })
  ledger.followers.push({ inbox: 'audit', ids: [], cursor: undefined })
  return { place, targets, slowest, source: createSource(ledger, random) }
}

/** Publishers and consumers of every kind until the signal, spread over the hubs. */
async function runLoad({ targets, source }: UnderLoad, signal: AbortSignal): Promise<void> {
  const { ledger, random } = source
  let turn = 0
  const next = (): Target => targets[(turn += 1) % targets.length] ?? targets[0]
  const consumer = (inbox: string, givesBack: boolean): Promise<void> =>
    consume(next(), { inbox, ledger, random, signal, givesBack })
  await Promise.all([
    ...Array.from({ length: publishers }, () => publishSingles(next(), source, signal)),
    ...targets.map((target) => publishBatches(target, source, signal)),
    consumer('work', true),
    consumer('work', false),
    consumer('audit', false),
    consumer('ordered', true),
    consumer('ordered', false),
    consumer('ordered', false),
    pollDefault(next(), { ledger, random, signal, givesBack: false }),
    ...ledger.followers.map((follower) => follow(targets, follower, signal)),
  ])
}

/**
 * Load for as long as the work takes.
 *
 * @throws if a hub gives an answer that none may give, with what the hubs have logged
 */
export async function workUnderLoad(
  hubs: readonly HubProcess[],
  under: UnderLoad,
  work: () => Promise<void>,
): Promise<void> {
  const over = new AbortController()
  const load = runLoad(under, over.signal).catch((cause: unknown) => {
    throw new Error(`${String(cause)}; the hubs said: ${hubs.map(({ log }) => toCauses(log())).join('; ')}`, { cause })
  })
  // A loop that fails must not wait for the work to come to its end.
  await Promise.race([work(), load])
  over.abort()
  await load
}

/** Load until a random instant, then the kill. Requests in flight break, and their senders note what they know. */
export async function killUnderLoad(hub: HubProcess, under: UnderLoad): Promise<void> {
  const over = new AbortController()
  const load = runLoad(under, over.signal)
  // A loop that fails must not wait for the kill to be heard.
  await Promise.race([sleep(under.source.random.between(50, 900)), load])
  await hub.kill()
  over.abort()
  await load
}

/** Tries to publish whose outcome nobody told. */
export function countUnknown({ ledger }: Source): number {
  return [...ledger.sent.values()].reduce((sum, { unknown }) => sum + unknown, 0)
}

export type Verdict = {
  readonly summary: string
  readonly figures: Readonly<Record<string, number>>
  readonly violations: readonly string[]
}

/** Sends again what is open, empties every inbox, reads everything back, stops the hub and checks its store. */
export async function settleAndCompare(
  hubs: readonly HubProcess[],
  { place, targets, source }: UnderLoad,
): Promise<Verdict> {
  const [target] = targets
  const { ledger } = source
  await publishAgain(target, source)
  const stuck = await drainAll(target, ledger)
  for (const hub of hubs) if (hub.isEnded()) throw new Error(`a hub ended by itself: ${hub.log()}`)
  const log = await readLog(target)
  for (const follower of ledger.followers) await followTo(target, follower, log.at(-1)?.id ?? '', 30_000)
  const view = { log, missing: await readMissing(target, ledger) }
  const comparison = compareLedger(ledger, view)
  const codes = await Promise.all(hubs.map((hub) => hub.stop()))
  const integrity = await place.check()
  const violations = [...comparison.violations, ...stuck]
  for (const code of codes) if (code !== 0) violations.push(`a hub ended with ${code} when it was asked to stop`)
  if (integrity !== 'ok') violations.push(`integrity check of the store: ${integrity}`)
  if (comparison.accepted === 0) violations.push('nothing was accepted: the load did not reach the hub')
  const handedOut = [...ledger.inboxes.values()].reduce((sum, own) => sum + own.handedOut.length, 0)
  return { ...toFigures(comparison, handedOut), violations }
}

function toFigures(
  { accepted, faults, doubledWithoutKey }: Comparison,
  handedOut: number,
): Omit<Verdict, 'violations'> {
  const { lost, handedOutBeforeStored, doubled, outOfOrder, ackedCameBack } = faults
  return {
    summary:
      `accepted ${accepted}, lost ${lost}, handed out before stored ${handedOutBeforeStored}, ` +
      `doubled ${doubled}, out of order ${outOfOrder}, acked came back ${ackedCameBack}`,
    figures: { accepted, handedOut, ...faults, doubledWithoutKey },
  }
}
