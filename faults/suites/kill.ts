import { openPlace, stores, type Place } from '../load/place.ts'
import { createRandom, type Random } from '../load/random.ts'
import { killUnderLoad, prepareLoad, settleAndCompare } from '../load/under-load.ts'
import type { Suite, SuiteOptions, SuiteResult } from './suite.ts'

/**
 * Real hub, real load, `kill -9` at random instants, some of them while it starts. In the end the store must hold every
 * event that was ever accepted, once, as it was sent; and consumers must have seen nothing else.
 */
export const kill: Suite = {
  name: 'kill',
  what: 'kill -9 of the hub at random instants under load',
  stores,
  rounds: { ci: 20, alone: 20 },
  run,
}

async function run({ store, rounds, seed, tell }: SuiteOptions): Promise<SuiteResult> {
  const place = await openPlace(store)
  try {
    const random = createRandom(seed)
    let hub = await place.startHub()
    const port = Number(new URL(hub.url).port)
    const load = await prepareLoad(place, [hub], random)
    let startsKilled = 0
    for (let round = 1; round <= rounds; round += 1) {
      await killUnderLoad(hub, load)
      for (; random.chance(0.15); startsKilled += 1) await killStart(place, port, random)
      hub = await place.startHub({ port })
      if (round % 10 === 0) tell(`${round} of ${rounds} kills, ${load.source.ledger.sent.size} events sent`)
    }
    const { summary, figures, violations } = await settleAndCompare([hub], load)
    return { summary, figures: { kills: rounds, startsKilled, ...figures }, violations }
  } finally {
    await place.close()
  }
}

/** Kills a hub that is still opening its store: recovery must stand being interrupted. */
async function killStart({ startHub }: Place, port: number, random: Random): Promise<void> {
  const signal = AbortSignal.timeout(random.between(20, 400))
  await startHub({ port, signal }).then(
    (hub) => hub.kill(),
    (error: unknown) => {
      if (!signal.aborted) throw error
    },
  )
}
