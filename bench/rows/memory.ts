import { setTimeout as sleep } from 'node:timers/promises'
import { toFigure, toSpread, toText } from '../figure.ts'
import { openHub, readMemory, type Hub } from '../hub.ts'
import { createInboxes, manyInboxes, runLease } from '../lease-load.ts'
import { runPublish } from '../publish-load.ts'
import type { Context, Row } from '../row.ts'

export const memory: Row = {
  name: 'memory',
  title: 'Memory of the hub with a large log and 1,000 inboxes',
  run: async (context) => {
    const largeLog = await context.largeLog()
    await using hub = await openHub(largeLog)
    const inboxes = manyInboxes()
    await createInboxes(hub, inboxes)
    const idle = readMemory(hub.pid).nowMb
    const peaks: number[] = []
    const settled: number[] = []
    for (let round = 1; round <= context.rounds; round += 1) {
      context.say(`round ${round} of ${context.rounds}`)
      peaks.push(await loadAll(context, hub, inboxes))
      await sleep(1000)
      settled.push(readMemory(hub.pid).nowMb)
    }
    return [
      toFigure({
        path: `memory of the hub under load, ${toText(largeLog.events)} events, 1,000 inboxes`,
        against: 'bar',
        unit: 'MB',
        rounds: peaks,
        bar: { must: 300, aim: 150, better: 'lower' },
        details: [
          'resident set, the highest seen in a round that publishes single events and batches, then leases and acknowledges from all inboxes',
          `idle after the start ${toText(idle)} MB, a second after a round ${toSpread(settled)} MB, highest of all ${toText(readMemory(hub.pid).peakMb)} MB`,
        ],
      }),
    ]
  },
}

/** Answers the highest resident set seen meanwhile. */
async function loadAll({ seconds, folder }: Context, hub: Hub, inboxes: readonly string[]): Promise<number> {
  let peakMb = 0
  const sample = setInterval(() => (peakMb = Math.max(peakMb, readMemory(hub.pid).nowMb)), 50)
  const files = folder('wrk-memory')
  try {
    await runPublish({ ...hub, form: 'single', seconds, folder: files })
    await runPublish({ ...hub, form: 'ndjson', seconds, folder: files })
    await runPublish({ ...hub, form: 'json', seconds, folder: files })
    await runLease({ hub, inboxes, leasesEach: 5, run: `m${Date.now()}`, seconds, folder: files })
  } finally {
    clearInterval(sample)
  }
  return peakMb
}
