import { setTimeout as sleep } from 'node:timers/promises'
import type { HubProcess } from '../../scripts/hub-process.ts'
import { compareLedger, type Comparison } from './compare.ts'
import { consume, drainAll, pollDefault } from './consume.ts'
import { createLedger } from './ledger.ts'
import { createSource, publishAgain, publishBatches, publishSingles, type Source } from './publish.ts'
import type { Random } from './random.ts'
import { checkIntegrity, readLog, readMissing } from './read-log.ts'
import { requireAnswer, type Target } from './request.ts'

/** A hub that will end suddenly, again and again, and all that its publishers and consumers know. */
export type UnderLoad = { readonly data: string; readonly target: Target; readonly source: Source }

const publishers = 6

/** Makes the inboxes that the load uses, on a hub whose store is new. */
export async function prepareLoad(data: string, hub: HubProcess, random: Random): Promise<UnderLoad> {
  const target: Target = { url: hub.url, apiKey: hub.apiKey ?? '' }
  for (const inbox of ['work', 'audit']) {
    // Attempts must not run out: an event that is in flight at each end of the hub would become a dead letter.
    const body = { start: 'earliest', max_attempts: 1000 }
    await requireAnswer(target, { method: 'PUT', path: `/v1/inboxes/${inbox}`, body })
  }
  await requireAnswer(target, { method: 'PATCH', path: '/v1/inboxes/default', body: { max_attempts: 1000 } })
  const ledger = createLedger({ work: { inOrder: false }, audit: { inOrder: true }, default: { inOrder: false } })
  return { data, target, source: createSource(ledger, random) }
}

/** Load until a random instant, then the kill. Requests in flight break, and their senders note what they know. */
export async function killUnderLoad(hub: HubProcess, { target, source }: UnderLoad): Promise<void> {
  const { ledger, random } = source
  const over = new AbortController()
  const { signal } = over
  const load = Promise.all([
    ...Array.from({ length: publishers }, () => publishSingles(target, source, signal)),
    publishBatches(target, source, signal),
    consume(target, { inbox: 'work', ledger, random, signal, givesBack: true }),
    consume(target, { inbox: 'work', ledger, random, signal, givesBack: false }),
    consume(target, { inbox: 'audit', ledger, random, signal, givesBack: false }),
    pollDefault(target, { ledger, random, signal, givesBack: false }),
  ])
  // A loop that fails must not wait for the kill to be heard.
  await Promise.race([sleep(random.between(50, 900)), load])
  await hub.kill()
  over.abort()
  await load
}

export type Verdict = {
  readonly summary: string
  readonly figures: Readonly<Record<string, number>>
  readonly violations: readonly string[]
}

/** Sends again what is open, empties every inbox, reads everything back, stops the hub and checks its store. */
export async function settleAndCompare(hub: HubProcess, { data, target, source }: UnderLoad): Promise<Verdict> {
  const { ledger } = source
  await publishAgain(target, source)
  const stuck = await drainAll(target, ledger)
  if (hub.isEnded()) throw new Error(`the hub ended by itself: ${hub.log()}`)
  const view = { log: await readLog(target), missing: await readMissing(target, ledger) }
  const comparison = compareLedger(ledger, view)
  const code = await hub.stop()
  const integrity = checkIntegrity(data)
  const violations = [...comparison.violations, ...stuck]
  if (code !== 0) violations.push(`the hub ended with ${code} when it was asked to stop`)
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
