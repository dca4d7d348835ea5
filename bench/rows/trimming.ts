import { setTimeout as sleep } from 'node:timers/promises'
import { toCpuText, toRates, type LoadRun } from '../cpu.ts'
import { toFigure, toRatios, toSpread, toText } from '../figure.ts'
import { openHub, readStore, whileFrozen, type FolderHub } from '../hub.ts'
import { spendLargeLog, type LargeLog } from '../large-log.ts'
import { createInboxes, manyInboxes, seekInboxes } from '../lease-load.ts'
import { runPublish } from '../publish-load.ts'
import { alternate } from '../rounds.ts'
import type { Bar, Context, Figure, Row } from '../row.ts'

const bar: Bar = { must: 0.9, aim: 0.97, better: 'higher' }

export const trimming: Row = {
  name: 'trimming',
  title: 'Publish rate while retention trims a large log, 1,000 inboxes',
  run: async (context) => {
    const largeLog = await context.largeLog()
    spendLargeLog(largeLog)
    await passAll(largeLog)
    await using calm = await openHub({ data: context.folder('hub-calm') })
    await createInboxes(calm, manyInboxes())
    // To this hub everything in its log is a hundred days old. It trims from its start on, so it is frozen while the other has its turn.
    await using busy = await openHub({ ...largeLog, preload: 'later.ts' })
    context.say('waiting for retention to begin')
    await waitForTrimming(busy.file)
    const path = `trimming ${toText(largeLog.events)} events: publish rate`
    const passed = await compare(context, { calm, busy }, { path, bar })
    await seekInboxes(busy, manyInboxes(), () => 'earliest')
    const behind = await compare(
      context,
      { calm, busy },
      { path: `${path}, every inbox behind and losing what is trimmed` },
    )
    return [passed, behind]
  },
}

/** Every inbox has passed the whole log, as in a hub whose consumers keep up. */
async function passAll(largeLog: LargeLog): Promise<void> {
  await using hub = await openHub(largeLog)
  await createInboxes(hub, manyInboxes())
  const keys = readStore(hub.file, (db) => db.prepare(`select key from inbox where key <> 'default'`).all())
  await seekInboxes(
    hub,
    keys.map(({ key }) => String(key)),
    () => 'latest',
  )
}

type Sides = { readonly calm: FolderHub; readonly busy: FolderHub }

async function compare(
  context: Context,
  { calm, busy }: Sides,
  named: Pick<Figure, 'path'> & { readonly bar?: Bar },
): Promise<Figure> {
  context.say(named.path)
  const folder = context.folder('wrk')
  const load = (hub: FolderHub): Promise<LoadRun> =>
    runPublish({ ...hub, form: 'single', seconds: context.seconds, folder })
  const trimmed: number[] = []
  const measured = await alternate(context, {
    calm: () => whileFrozen(busy.pid, () => load(calm)),
    busy: async () => {
      const before = readTrimmed(busy.file)
      const run = await load(busy)
      trimmed.push((readTrimmed(busy.file) - before) / context.seconds)
      return run
    },
  })
  if (trimmed.some((rate) => rate <= 0)) throw new Error('retention stood still in a round: the log is too small')
  return toFigure({
    ...named,
    against: 'the same hub with nothing to trim',
    unit: '×',
    rounds: toRatios(toRates(measured.busy), toRates(measured.calm)),
    details: [
      `while trimming ${toSpread(toRates(measured.busy))} req/s; ${toCpuText(measured.busy, 'request')}`,
      `with nothing to trim ${toSpread(toRates(measured.calm))} req/s; ${toCpuText(measured.calm, 'request')}`,
      `trimmed meanwhile ${toSpread(trimmed)} events/s`,
    ],
  })
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
