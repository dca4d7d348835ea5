import { setTimeout as sleep } from 'node:timers/promises'
import { toFigure, toRatios, toSpread, toText } from '../figure.ts'
import { openHub, readStore, whileFrozen } from '../hub.ts'
import { spendLargeLog } from '../large-log.ts'
import { runPublish } from '../publish-load.ts'
import { alternate } from '../rounds.ts'
import type { Row } from '../row.ts'
import { fillLog } from '../store.ts'

const smallEvents = 1000

export const trimming: Row = {
  name: 'trimming',
  title: 'Publish rate while retention trims a large log',
  run: async (context) => {
    const largeLog = await context.largeLog()
    spendLargeLog(largeLog)
    const smallData = context.folder('hub-small')
    const first = await openHub({ data: smallData })
    await first.stop()
    await fillLog({ data: smallData, count: smallEvents })
    await using calm = await openHub({ data: smallData, apiKey: first.apiKey })
    // To this hub everything in its log is a hundred days old. It trims from its start on, so it is frozen while the other has its turn.
    await using busy = await openHub({ ...largeLog, preload: 'later.ts' })
    await waitForTrimming(busy.file)
    const folder = context.folder('wrk')
    const load = async ({ url, apiKey }: { url: string; apiKey: string }): Promise<number> =>
      (await runPublish({ url, apiKey, form: 'single', seconds: context.seconds, folder })).perSecond
    const trimmed: number[] = []
    const measured = await alternate(context, {
      calm: () => whileFrozen(busy.pid, () => load(calm)),
      busy: async () => {
        const before = readTrimmed(busy.file)
        const rate = await load(busy)
        trimmed.push((readTrimmed(busy.file) - before) / context.seconds)
        return rate
      },
    })
    if (trimmed.some((rate) => rate <= 0))
      throw new Error('retention stood still in a round: the log was too small, or nothing had expired')
    return [
      toFigure({
        path: `trimming ${toText(largeLog.events)} events: publish rate`,
        against: 'the same hub with nothing to trim',
        unit: '×',
        rounds: toRatios(measured.busy, measured.calm),
        bar: { must: 0.9, aim: 0.97, better: 'higher' },
        details: [
          `while trimming ${toSpread(measured.busy)} req/s, with nothing to trim ${toSpread(measured.calm)} req/s`,
          `trimmed meanwhile ${toSpread(trimmed)} events/s; both counted in the store`,
        ],
      }),
    ]
  },
}

function readTrimmed(file: string): number {
  return readStore(file, (db) =>
    Number(db.prepare(`select trimmed_to from workspace where key = 'default'`).get()?.['trimmed_to']),
  )
}

async function waitForTrimming(file: string): Promise<void> {
  for (let waited = 0; waited < 1200; waited += 1) {
    if (readTrimmed(file) > 0) return
    await sleep(100)
  }
  throw new Error('retention did not begin within two minutes')
}
