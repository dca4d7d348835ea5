import { toCpuText, toRates, type LoadRun } from '../cpu.ts'
import { toFigure, toRatios, toSpread } from '../figure.ts'
import { openHub, type Hub } from '../hub.ts'
import { runPublish } from '../publish-load.ts'
import { alternate } from '../rounds.ts'
import type { Row } from '../row.ts'

const triggers = 1000
const integrations = new URL('../../packages/hub/src/test-integrations', import.meta.url).pathname

/** Each asks its service once a minute, which is the shortest interval of most services; here the service costs nothing. */
async function activate({ call }: Hub): Promise<void> {
  await call('PUT', '/v1/connections/main', { integration: 'echo', credentials: { api_key: 'k' } })
  for (let at = 0; at < triggers; at += 1) {
    const trigger = { integration: 'echo', polling_trigger: 'new_word', connection: 'main', interval_seconds: 60 }
    await call('PUT', `/v1/triggers/t${at}`, trigger)
  }
}

export const activeTriggers: Row = {
  name: 'active-triggers',
  title: 'Publish rate with 1,000 active polling triggers',
  run: async (context) => {
    await using none = await openHub({ data: context.folder('hub-0'), integrations })
    await using many = await openHub({ data: context.folder('hub-1000'), integrations })
    await activate(many)
    const folder = context.folder('wrk')
    const load = (hub: Hub) => (): Promise<LoadRun> =>
      runPublish({ ...hub, form: 'single', seconds: context.seconds, folder })
    const measured = await alternate(context, { none: load(none), many: load(many) })
    const page = await many.call<{ triggers: { last_poll_at: string | null }[] }>('GET', '/v1/triggers?limit=200')
    const polled = page.triggers.filter(({ last_poll_at: at }) => at !== null).length
    return [
      toFigure({
        path: '1,000 active polling triggers: publish rate',
        against: 'the same hub without any',
        unit: '×',
        rounds: toRatios(toRates(measured.many), toRates(measured.none)),
        bar: { must: 0.9, aim: 0.97, better: 'higher' },
        details: [
          `1,000 triggers, each once a minute ${toSpread(toRates(measured.many))} req/s; ${toCpuText(measured.many, 'request')}`,
          `none ${toSpread(toRates(measured.none))} req/s; ${toCpuText(measured.none, 'request')}`,
          `of the first ${page.triggers.length} triggers ${polled} had been polled at the end`,
        ],
      }),
    ]
  },
}
