import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { startHub, type HubProcess } from '../../scripts/hub-process.ts'
import { compareLedger, type Comparison } from '../load/compare.ts'
import { consume, drainAll, pollDefault } from '../load/consume.ts'
import { createLedger, type Ledger } from '../load/ledger.ts'
import { createSource, publishAgain, publishBatches, publishSingles, type Source } from '../load/publish.ts'
import { createRandom, type Random } from '../load/random.ts'
import { checkIntegrity, readLog, readMissing } from '../load/read-log.ts'
import { requireAnswer, type Target } from '../load/request.ts'
import type { Suite, SuiteOptions, SuiteResult } from './suite.ts'

/**
 * Real hub, real load, `kill -9` at random instants, some of them while it starts. In the end the store must hold every
 * event that was ever accepted, once, as it was sent; and consumers must have seen nothing else.
 */
export const kill: Suite = {
  name: 'kill',
  what: 'kill -9 of the hub at random instants under load',
  rounds: { ci: 20, alone: 20 },
  run,
}

const inboxes = { work: { inOrder: false }, audit: { inOrder: true }, default: { inOrder: false } }
const publishers = 6

async function run({ rounds, seed, tell }: SuiteOptions): Promise<SuiteResult> {
  const data = mkdtempSync(join(tmpdir(), 'sluice-faults-kill-'))
  try {
    const random = createRandom(seed)
    const ledger = createLedger(inboxes)
    const source = createSource(ledger, random)
    const port = await findFreePort()
    let hub = await startHub({ data, port })
    const target: Target = { url: hub.url, apiKey: hub.apiKey ?? '' }
    await createInboxes(target)
    let startsKilled = 0
    for (let round = 1; round <= rounds; round += 1) {
      await runRound(hub, target, source)
      for (; random.chance(0.15); startsKilled += 1) await killStart(data, port, random)
      hub = await startHub({ data, port })
      if (round % 10 === 0) tell(`${round} of ${rounds} kills, ${ledger.sent.size} events sent`)
    }
    const comparison = await settleAndCompare(hub, target, source)
    const exitCode = await hub.stop()
    return toResult({ comparison, ledger, rounds, startsKilled, exitCode, integrity: checkIntegrity(data) })
  } finally {
    rmSync(data, { recursive: true, force: true })
  }
}

async function createInboxes(target: Target): Promise<void> {
  for (const inbox of ['work', 'audit']) {
    // Attempts must not run out: this suite is about loss, and an event in flight at each kill would become a dead letter.
    const body = { start: 'earliest', max_attempts: 1000 }
    await requireAnswer(target, { method: 'PUT', path: `/v1/inboxes/${inbox}`, body })
  }
  await requireAnswer(target, { method: 'PATCH', path: '/v1/inboxes/default', body: { max_attempts: 1000 } })
}

/** Load until a random instant, then the kill. Requests in flight break, and their senders note what they know. */
async function runRound(hub: HubProcess, target: Target, source: Source): Promise<void> {
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

/** Kills a hub that is still opening its store: recovery must stand being interrupted. */
async function killStart(data: string, port: number, random: Random): Promise<void> {
  const signal = AbortSignal.timeout(random.between(20, 400))
  await startHub({ data, port, signal }).then(
    (hub) => hub.kill(),
    (error: unknown) => {
      if (!signal.aborted) throw error
    },
  )
}

/** Sends again what is open under a key, empties every inbox, reads everything back. */
async function settleAndCompare(hub: HubProcess, target: Target, source: Source): Promise<Comparison> {
  const { ledger } = source
  await publishAgain(target, source)
  const stuck = await drainAll(target, ledger)
  if (hub.isEnded()) throw new Error(`the hub ended by itself: ${hub.log()}`)
  const view = { log: await readLog(target), missing: await readMissing(target, ledger) }
  const comparison = compareLedger(ledger, view)
  return { ...comparison, violations: [...comparison.violations, ...stuck] }
}

type Findings = {
  readonly comparison: Comparison
  readonly ledger: Ledger
  readonly rounds: number
  readonly startsKilled: number
  readonly exitCode: number | null
  readonly integrity: string
}

function toResult({ comparison, ledger, rounds, startsKilled, exitCode, integrity }: Findings): SuiteResult {
  const { accepted, doubledWithoutKey, faults } = comparison
  const violations = [...comparison.violations]
  if (integrity !== 'ok') violations.push(`integrity check of the store: ${integrity}`)
  if (exitCode !== 0) violations.push(`the hub ended with ${exitCode} when it was asked to stop`)
  if (accepted === 0) violations.push('nothing was accepted: the load did not reach the hub')
  const handedOut = [...ledger.inboxes.values()].reduce((sum, own) => sum + own.handedOut.length, 0)
  const summary =
    `accepted ${accepted}, lost ${faults.lost}, handed out before stored ${faults.handedOutBeforeStored}, ` +
    `doubled ${faults.doubled}, out of order ${faults.outOfOrder}, acked came back ${faults.ackedCameBack}`
  return {
    summary,
    figures: { kills: rounds, startsKilled, accepted, handedOut, ...faults, doubledWithoutKey },
    violations,
  }
}

async function findFreePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}
