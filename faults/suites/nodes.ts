import { setTimeout as sleep } from 'node:timers/promises'
import type { HubProcess } from '../../scripts/hub-process.ts'
import { toCauses } from '../load/hub-log.ts'
import { crashServer, openPlace, type Place } from '../load/place.ts'
import { publishUntilAccepted } from '../load/publish.ts'
import { createRandom, type Random } from '../load/random.ts'
import { createTally, type Tally } from '../load/tally.ts'
import { prepareLoad, settleAndCompare, workUnderLoad, type UnderLoad } from '../load/under-load.ts'
import type { Suite, SuiteOptions, SuiteResult } from './suite.ts'

/**
 * Three hubs on one Postgres, and everything is asked of any of them. Now one of them is killed and started again, now
 * Postgres is, until so many thousand events are accepted. They must be one log, one order, and one set of leases.
 */
export const nodes: Suite = {
  name: 'nodes',
  what: 'three hubs on one Postgres, killed and restarted in turn; a round is 1,000 events',
  stores: ['postgres'],
  rounds: { ci: 15, alone: 100 },
  run,
}

const hubCount = 3
const eventsOfRound = 1000
const resumeMs = 20_000

type State = {
  readonly place: Place
  readonly hubs: HubProcess[]
  readonly under: UnderLoad
  readonly random: Random
  readonly tally: Tally
}

async function run({ store, rounds, seed, tell }: SuiteOptions): Promise<SuiteResult> {
  const place = await openPlace(store)
  const random = createRandom(seed)
  const tally = createTally()
  try {
    const hubs: [HubProcess, ...HubProcess[]] = [await place.startHub()]
    while (hubs.length < hubCount) hubs.push(await place.startHub())
    const under = await prepareLoad(place, hubs, random)
    const state: State = { place, hubs, under, random, tally }
    await workUnderLoad(hubs, under, async () => {
      let told = 0
      while (countAccepted(under) < rounds * eventsOfRound) {
        await sleep(random.between(500, 3000))
        await failOnce(state)
        const done = Math.floor(countAccepted(under) / eventsOfRound)
        if (done >= told + 10) tell(`${done} of ${rounds} thousand events, ${tally.count('hub kills')} hubs killed`)
        if (done >= told + 10) told = done
      }
    })
    const { summary, figures, violations } = await settleAndCompare(hubs, under)
    const counts = { hubKills: tally.count('hub kills'), serverRestarts: tally.count('server restarts') }
    return { summary, figures: { ...counts, ...figures }, violations: [...violations, ...tally.faults] }
  } finally {
    await place.close()
  }
}

function countAccepted({ source }: UnderLoad): number {
  let accepted = 0
  for (const { ids } of source.ledger.sent.values()) if (ids.size > 0) accepted += 1
  return accepted
}

/** Two hubs, one after the other, then the server, now and then with a hub at the same time. */
async function failOnce({ place, hubs, under, random, tally }: State): Promise<void> {
  const turn = random.between(0, hubs.length - 1)
  tally.add('failures')
  const isServer = tally.count('failures') % 3 === 2
  const isHub = !isServer || random.chance(0.3)
  await Promise.all([isHub && restartHub(turn), isServer && restartServer()])
  for (const [index, target] of under.targets.entries()) {
    const failure = await publishUntilAccepted(target, under.source, resumeMs)
    const said = toCauses(hubs[index]?.log() ?? '')
    if (failure !== undefined) tally.fault('not resumed', `${failure}; the hub said: ${said}`)
  }

  async function restartHub(index: number): Promise<void> {
    const hub = hubs[index]
    if (hub === undefined) return
    tally.add('hub kills')
    await hub.kill()
    await sleep(random.between(0, 500))
    hubs[index] = await startAgain(place, Number(new URL(hub.url).port))
  }

  async function restartServer(): Promise<void> {
    const { postgres } = place
    if (postgres === undefined) throw new Error('this suite is about Postgres')
    tally.add('server restarts')
    await (random.chance(0.5) ? crashServer(postgres) : postgres.kill('SIGINT'))
    await sleep(random.between(0, 1000))
    await postgres.start()
  }
}

/** A hub that finds no database says so and ends; whoever runs it starts it again. */
async function startAgain({ startHub }: Place, port: number): Promise<HubProcess> {
  const endMs = Date.now() + resumeMs
  for (;;) {
    try {
      return await startHub({ port })
    } catch (error) {
      const isAway = /database is not available|storage-unavailable|ECONNREFUSED/i.test(String(error))
      if (!isAway || Date.now() > endMs) throw error
    }
    await sleep(100)
  }
}
