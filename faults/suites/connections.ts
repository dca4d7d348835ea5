import type { HubProcess } from '../../scripts/hub-process.ts'
import { toCauses } from '../load/hub-log.ts'
import { openPlace } from '../load/place.ts'
import { cutPoints, startPostgresProxy, type Cut, type PostgresProxy } from '../load/postgres-proxy.ts'
import { publishUntilAccepted } from '../load/publish.ts'
import { createRandom } from '../load/random.ts'
import { createTally, type Tally } from '../load/tally.ts'
import { countUnknown, prepareLoad, settleAndCompare, workUnderLoad, type UnderLoad } from '../load/under-load.ts'
import type { Suite, SuiteOptions, SuiteResult } from './suite.ts'

/**
 * The connections between one of two hubs and Postgres are cut at every step of a commit. Whoever is answered with success
 * has changed something, once; whoever is answered 503 has changed nothing; and nobody waits for ever.
 */
export const connections: Suite = {
  name: 'connections',
  what: 'connections to Postgres are reset or fall silent at every step of a commit',
  stores: ['postgres'],
  rounds: { ci: 16, alone: 112 },
  run,
}

// Each step of each kind of transaction; silence costs its time limits, so that it comes after the resets.
const cuts: readonly Cut[] = (['reset', 'silence'] as const).flatMap((manner) =>
  cutPoints.flatMap((point) => (['append', 'inbox'] as const).map((work): Cut => ({ point, manner, work }))),
)
const reachMs = 10_000
// A hub waits 12 s for an answer, and then looks on another connection what became of the commit.
const resumeMs = { reset: 10_000, silence: 40_000 }

async function run({ store, rounds, seed, tell }: SuiteOptions): Promise<SuiteResult> {
  const place = await openPlace(store)
  const proxy = await startPostgresProxy(place.databaseUrl ?? '')
  const random = createRandom(seed)
  const tally = createTally()
  try {
    const hubs: [HubProcess, ...HubProcess[]] = [
      await place.startHub({ env: { DATABASE_URL: proxy.url } }),
      await place.startHub(),
    ]
    const under = await prepareLoad(place, hubs, random)
    const said = (): string => hubs.map(({ log }) => toCauses(log())).join('; ')
    await workUnderLoad(hubs, under, async () => {
      for (let round = 0; round < rounds; round += 1) {
        const cut = toCut(round, rounds, random.between(0, cuts.length / 2 - 1))
        await cutOnce({ proxy, under, tally, said, tell }, cut)
        if ((round + 1) % 7 === 0) tell(`${round + 1} of ${rounds} cuts, ${under.source.ledger.sent.size} events sent`)
      }
    })
    const { summary, figures, violations } = await settleAndCompare(hubs, under)
    const unanswered = countUnknown(under.source)
    if (unanswered > 0) tally.fault('unanswered', `${unanswered} publishes, by hubs that were there all the time`)
    const counts = {
      resets: tally.count('reset'),
      silences: tally.count('silence'),
      unanswered,
      slowestMs: under.slowest.ms,
    }
    return { summary, figures: { ...counts, ...figures }, violations: [...violations, ...tally.faults] }
  } finally {
    proxy.close()
    await place.close()
  }
}

/** All of them in turn; what is left of a round that is not whole goes to silences. */
function toCut(round: number, rounds: number, chosen: number): Cut {
  const silences = cuts.length / 2
  const isWhole = round < rounds - (rounds % cuts.length)
  const index = isWhole || round % cuts.length < silences ? round % cuts.length : silences + chosen
  const cut = cuts[index]
  if (cut === undefined) throw new Error(`there is no cut ${index}`)
  return cut
}

type Cutting = {
  readonly proxy: PostgresProxy
  readonly under: UnderLoad
  readonly tally: Tally
  readonly said: () => string
  readonly tell: (line: string) => void
}

async function cutOnce({ proxy, under: { targets, source }, tally, said, tell }: Cutting, cut: Cut): Promise<void> {
  const name = `${cut.manner} at ${cut.point} of ${cut.work}`
  if (cut.manner === 'silence') tell(name)
  if (!(await proxy.cutNext(cut, reachMs))) return tally.fault('not reached', name)
  tally.add(cut.manner)
  for (const target of targets) {
    const failure = await publishUntilAccepted(target, source, resumeMs[cut.manner])
    if (failure !== undefined) tally.fault('not resumed', `${name}: ${failure}; the hubs said: ${said()}`)
  }
}
