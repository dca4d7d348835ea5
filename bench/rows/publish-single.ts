import { toCpuText, toRates } from '../cpu.ts'
import { toFigure, toRatios, toSpread } from '../figure.ts'
import { openHub, readHead } from '../hub.ts'
import { checkAnswers, checkStored } from '../loss-check.ts'
import { runPublish, type PublishResult } from '../publish-load.ts'
import { openReference } from '../references/serve.ts'
import { alternate } from '../rounds.ts'
import type { Figure, Row } from '../row.ts'

export const publishSingle: Row = {
  name: 'publish-single',
  title: 'Single publish, 64 connections',
  run: async (context) => {
    await using reference = await openReference<object, { url: string }>('fastify-route.ts')
    await using hub = await openHub({ data: context.folder('hub') })
    await using alone = await openHub({ data: context.folder('hub-alone'), preload: 'commit-alone.ts' })
    const exact = await checkAnswers({ hubs: [hub], readHead: () => readHead(hub.file) })
    const before = { hub: readHead(hub.file), alone: readHead(alone.file) }
    const folder = context.folder('wrk')
    const load =
      ({ url, pid, apiKey = hub.apiKey }: Target) =>
      (): Promise<PublishResult> =>
        runPublish({ url, pid, apiKey, form: 'single', seconds: context.seconds, folder })
    // The warm-up round counts in the loss check as well: every run is kept.
    const published: Record<'hub' | 'alone', PublishResult[]> = { hub: [], alone: [] }
    const keep = (side: 'hub' | 'alone', run: () => Promise<PublishResult>) => async (): Promise<PublishResult> => {
      const result = await run()
      published[side].push(result)
      return result
    }
    const measured = await alternate(context, {
      reference: load({ url: reference.ready.url, pid: reference.pid }),
      alone: keep('alone', load(alone)),
      hub: keep('hub', load(hub)),
    })
    const check = checkStored(hub.file, { after: before.hub, published: published.hub })
    checkStored(alone.file, { after: before.alone, published: published.alone })
    return toFigures(measured, [check, exact])
  },
}

type Target = { readonly url: string; readonly pid: number; readonly apiKey?: string }

type Measured = Record<'reference' | 'alone' | 'hub', readonly PublishResult[]>

function toFigures({ reference, alone, hub }: Measured, checks: readonly string[]): Figure[] {
  const p99 = hub.map((result) => result.p99Ms)
  const path = 'single publish'
  const beside = (side: readonly PublishResult[]): string =>
    `${toSpread(toRates(side))} req/s, p50 ${toSpread(
      side.map((result) => result.p50Ms),
      2,
    )} ms, p99 ${toSpread(
      side.map((result) => result.p99Ms),
      1,
    )} ms; ${toCpuText(side, 'request')}`
  return [
    toFigure({
      path,
      against: 'empty Fastify + Ajv route',
      unit: '×',
      rounds: toRatios(toRates(hub), toRates(reference)),
      bar: { must: 0.6, aim: 0.9, better: 'higher' },
      details: [`hub ${beside(hub)}`, `Fastify ${beside(reference)}`, ...checks],
    }),
    toFigure({
      path,
      against: 'the same hub committing each request alone',
      unit: '×',
      rounds: toRatios(toRates(hub), toRates(alone)),
      bar: { must: 2.3, aim: 4, better: 'higher' },
      details: [`committing alone ${beside(alone)}`],
    }),
    toFigure({
      path: `${path}, p99`,
      against: 'bar',
      unit: 'ms',
      rounds: p99,
      bar: { must: 15, aim: 15, better: 'lower' },
      details: [],
    }),
  ]
}
