import { setTimeout as sleep } from 'node:timers/promises'
import type { HubProcess } from '../../scripts/hub-process.ts'
import { crashServer, openPlace, type Place } from '../load/place.ts'
import { publishUntilAccepted } from '../load/publish.ts'
import { toCauses } from '../load/hub-log.ts'
import { createRandom, type Random } from '../load/random.ts'
import { createTally, type Tally } from '../load/tally.ts'
import { countUnknown, prepareLoad, settleAndCompare, workUnderLoad, type UnderLoad } from '../load/under-load.ts'
import type { Suite, SuiteOptions, SuiteResult } from './suite.ts'

/**
 * Postgres ends under two hubs, at once or in order, is away for a moment, and comes back. The hubs answer all the time:
 * with success, or with 503 and nothing changed; and go on by themselves.
 */
export const postgresRestart: Suite = {
  name: 'postgres-restart',
  what: 'Postgres is killed, or stopped in order, and started again under load',
  stores: ['postgres'],
  rounds: { ci: 8, alone: 40 },
  run,
}

const resumeMs = 15_000

async function run({ store, rounds, seed, tell }: SuiteOptions): Promise<SuiteResult> {
  const place = await openPlace(store)
  const random = createRandom(seed)
  const tally = createTally()
  try {
    const hubs: [HubProcess, ...HubProcess[]] = [await place.startHub(), await place.startHub()]
    const under = await prepareLoad(place, hubs, random)
    await workUnderLoad(hubs, under, async () => {
      for (let round = 1; round <= rounds; round += 1) {
        await sleep(random.between(100, 900))
        await restart(place, random, tally)
        await expectResume(hubs, under, tally)
        if (round % 5 === 0) tell(`${round} of ${rounds} restarts, ${under.source.ledger.sent.size} events sent`)
      }
    })
    const { summary, figures, violations } = await settleAndCompare(hubs, under)
    const unanswered = countUnknown(under.source)
    if (unanswered > 0) tally.fault('unanswered', `${unanswered} publishes, by hubs that were there all the time`)
    const counts = {
      crashes: tally.count('crashes'),
      shutdowns: tally.count('shutdowns'),
      unanswered,
      slowestMs: under.slowest.ms,
    }
    return { summary, figures: { ...counts, ...figures }, violations: [...violations, ...tally.faults] }
  } finally {
    await place.close()
  }
}

async function restart({ postgres }: Place, random: Random, tally: Tally): Promise<void> {
  if (postgres === undefined) throw new Error('this suite is about Postgres')
  if (random.chance(0.5)) {
    tally.add('crashes')
    await crashServer(postgres)
  } else {
    tally.add('shutdowns')
    await postgres.kill('SIGINT')
  }
  await sleep(random.between(0, 1500))
  await postgres.start()
}

async function expectResume(hubs: readonly HubProcess[], { targets, source }: UnderLoad, tally: Tally): Promise<void> {
  for (const [index, target] of targets.entries()) {
    const failure = await publishUntilAccepted(target, source, resumeMs)
    if (failure !== undefined)
      tally.fault('not resumed', `${failure}; the hub said: ${toCauses(hubs[index]?.log() ?? '')}`)
  }
}
