import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createSluice } from '@sluice/client'
import { relay } from '@sluice/client/node'
import { compareOutbox } from '../load/compare-outbox.ts'
import { openApplicationDatabase, readOutboxEvents, type ApplicationDatabase } from '../load/outbox-database.ts'
import type { OutboxOrder, StepName } from '../load/outbox-order.ts'
import { openPlace, stores, type Place } from '../load/place.ts'
import { createRandom, type Random } from '../load/random.ts'
import type { Target } from '../load/request.ts'
import { runDoomed } from '../load/run-outbox.ts'
import type { HubProcess } from '../../scripts/hub-process.ts'
import type { Suite, SuiteOptions, SuiteResult } from './suite.ts'

/**
 * An application that writes rows and their events in one transaction, relays that send the events, and a hub. Application
 * and relays are killed before, within or after a statement or a request of theirs, or at a random instant; now and then so
 * is the hub. In the end each committed row must have one event in the hub, and each event a row.
 */
export const outbox: Suite = {
  name: 'outbox',
  what: 'kill -9 of an application with an outbox and of its relays, between any two steps',
  stores,
  rounds: { ci: 15, alone: 50 },
  run,
}

/** The processes of a round may leave little of the machine to a hub that starts beside them. */
const readyTimeoutMs = 60_000

type Stage = {
  readonly place: Place
  readonly cacheFolder: string
  readonly database: ApplicationDatabase
  readonly random: Random
  readonly target: Target
  hub: HubProcess
  /** how many of each role were told to die at a step; that is how far the next one goes */
  readonly orders: Record<OutboxOrder['role'], number>
  kills: number
  hubKills: number
  runs: number
  readonly steps: Set<StepName>
}

async function run(options: SuiteOptions): Promise<SuiteResult> {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-outbox-'))
  const place = await openPlace(options.store)
  try {
    const database = await openApplicationDatabase(place, folder)
    const hub = await place.startHub({ readyTimeoutMs })
    const target = { url: hub.url, apiKey: hub.apiKey ?? '' }
    const random = createRandom(options.seed)
    const orders = { application: 0, relay: 0 }
    const counts = { kills: 0, hubKills: 0, runs: 0, orders, steps: new Set<StepName>() }
    const cacheFolder = join(folder, 'compiled')
    const stage: Stage = { place, cacheFolder, database, random, target, hub, ...counts }
    for (let round = 1; round <= options.rounds; round += 1) {
      await killAll(stage)
      if (round % 25 === 0) options.tell(`${round} of ${options.rounds} rounds, ${stage.kills} kills`)
    }
    const result = await settleAndCompare(stage)
    await database.close()
    return result
  } finally {
    await place.close()
    rmSync(folder, { recursive: true, force: true })
  }
}

/** One application and one or two relays at once, each to its end. */
async function killAll(stage: Stage): Promise<void> {
  const { random, database, place } = stage
  const roles: OutboxOrder['role'][] = ['application', 'relay']
  if (random.chance(0.3)) roles.push('relay')
  const isHubKilled = random.chance(0.08)
  await Promise.all([...roles.map((role) => killOne(stage, role)), isHubKilled && stage.hub.kill()])
  if (isHubKilled) {
    stage.hub = await place.startHub({ readyTimeoutMs, port: Number(new URL(stage.target.url).port) })
    stage.hubKills += 1
  }
  // Else the claims of the dead go on for a while, as they would.
  if (random.chance(0.7)) await database.expireClaims()
}

/** About as many as two transactions of an application have, and two rounds of a relay. */
const stepsOf = { application: 30, relay: 50 }

async function killOne(stage: Stage, role: OutboxOrder['role']): Promise<void> {
  const { place, database, target, random } = stage
  stage.runs += 1
  const isAnyInstant = random.chance(0.3)
  const dieAt = isAnyInstant ? null : (stage.orders[role]++ % stepsOf[role]) + 1
  const order = { role, store: place.store, database: database.address, target, run: stage.runs, dieAt }
  const step = await runDoomed(order, {
    cacheFolder: stage.cacheFolder,
    killAfterMs: isAnyInstant ? random.between(0, 500) : undefined,
  })
  stage.kills += 1
  if (step !== undefined) stage.steps.add(`${role}: ${step}`)
}

async function settleAndCompare({ place, database, target, hub, ...stage }: Stage): Promise<SuiteResult> {
  await database.expireClaims()
  const sluice = createSluice({ baseUrl: target.url, apiKey: target.apiKey })
  const last = await relay(database.outbox, sluice, { once: true, pollMs: 20 })
  const rows = await database.readRows()
  const events = await readOutboxEvents(target)
  const { count, faults } = compareOutbox(rows, events)
  const violations = [...faults]
  const { waiting, refused, refused_events: kept } = await database.outbox.status()
  if (waiting + refused > 0)
    violations.push(`left in the outbox: ${waiting} waiting, ${refused} refused: ${kept[0]?.reason}`)
  if (rows.length === 0) violations.push('nothing was committed: the processes died too early')
  const code = await hub.stop()
  if (code !== 0) violations.push(`the hub ended with ${code} when it was asked to stop`)
  const integrity = await place.check()
  if (integrity !== 'ok') violations.push(`integrity check of the store: ${integrity}`)
  const [lost, doubled, withoutRow] = [count('lost'), count('doubled'), count('without a row')]
  const outOfOrder = count('out of order')
  const { kills, hubKills, steps } = stage
  return {
    summary:
      `killed ${kills} at ${steps.size} different steps, rows ${rows.length}, events ${events.length}, lost ${lost}, ` +
      `doubled ${doubled}, without a row ${withoutRow}, out of order ${outOfOrder}`,
    figures: {
      kills,
      hubKills,
      steps: steps.size,
      rows: rows.length,
      events: events.length,
      lost,
      doubled,
      withoutRow,
      outOfOrder,
      sentInTheEnd: last.sent,
      hadAlready: last.duplicates,
    },
    violations,
  }
}
