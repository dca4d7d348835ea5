import { setTimeout as sleep } from 'node:timers/promises'
import { crashServer, openPlace } from '../load/place.ts'
import { publishUntilAccepted } from '../load/publish.ts'
import { createRandom } from '../load/random.ts'
import { prepareLoad, settleAndCompare, workUnderLoad } from '../load/under-load.ts'
import { createVolume, skipWithoutVolumes } from '../load/volume.ts'
import type { SuiteOptions, SuiteResult } from './suite.ts'

const resumeMs = 20_000

/** The data folder of the server lies on a disk of its own. Its power is cut under load; the hub stays. */
export async function cutPowerOfPostgres({ rounds, seed, tell }: SuiteOptions): Promise<SuiteResult> {
  const skipped = skipWithoutVolumes()
  if (skipped) return { summary: `not run: ${skipped}`, figures: {}, violations: [], skipped }
  const volume = createVolume()
  const random = createRandom(seed)
  try {
    const place = await openPlace('postgres', { postgres: { parentFolder: volume.path } })
    try {
      const hub = await place.startHub()
      const under = await prepareLoad(place, [hub], random)
      const { postgres } = place
      if (postgres === undefined) throw new Error('this place has no Postgres')
      // initdb was told not to sync.
      await postgres.exec('checkpoint')
      volume.sync()
      let notResumed: string | undefined
      await workUnderLoad([hub], under, async () => {
        for (let round = 1; round <= rounds && notResumed === undefined; round += 1) {
          await sleep(random.between(100, 1500))
          if (random.chance(0.3)) await postgres.exec('checkpoint')
          if (random.chance(0.5)) await volume.writeSome(random)
          await volume.cutPower()
          await crashServer(postgres)
          await volume.powerOn()
          await postgres.start()
          notResumed = await publishUntilAccepted(under.targets[0], under.source, resumeMs)
          tell(`${round} of ${rounds} cuts, ${under.source.ledger.sent.size} events sent`)
        }
      })
      const { summary, figures, violations } = await settleAndCompare([hub], under)
      const late = notResumed === undefined ? [] : [notResumed]
      return { summary, figures: { cuts: rounds, ...figures }, violations: [...violations, ...late] }
    } finally {
      // The disk goes as a whole; with its power off the folder on it cannot be removed.
      await place.close().catch(() => undefined)
    }
  } finally {
    volume.remove()
  }
}
