import { toCpuText, toRates, type LoadRun } from '../cpu.ts'
import { toFigure, toRatios, toSpread } from '../figure.ts'
import { openHub, type Hub } from '../hub.ts'
import { createInboxes, manyInboxes } from '../lease-load.ts'
import { runPublish } from '../publish-load.ts'
import { alternate } from '../rounds.ts'
import type { Row } from '../row.ts'

export const idleInboxes: Row = {
  name: 'idle-inboxes',
  title: 'Publish rate with 1 and with 1,000 idle inboxes',
  run: async (context) => {
    await using few = await openHub({ data: context.folder('hub-1') })
    await using many = await openHub({ data: context.folder('hub-1000') })
    await createInboxes(few, ['idle'])
    await createInboxes(many, manyInboxes())
    const folder = context.folder('wrk')
    const load = (hub: Hub) => (): Promise<LoadRun> =>
      runPublish({ ...hub, form: 'single', seconds: context.seconds, folder })
    const measured = await alternate(context, { few: load(few), many: load(many) })
    return [
      toFigure({
        path: '1 -> 1,000 idle inboxes: publish rate',
        against: 'the same hub with one inbox',
        unit: '×',
        rounds: toRatios(toRates(measured.many), toRates(measured.few)),
        bar: { must: 0.9, aim: 0.97, better: 'higher' },
        details: [
          `1,000 inboxes ${toSpread(toRates(measured.many))} req/s; ${toCpuText(measured.many, 'request')}`,
          `one inbox ${toSpread(toRates(measured.few))} req/s; ${toCpuText(measured.few, 'request')}`,
        ],
      }),
    ]
  },
}
