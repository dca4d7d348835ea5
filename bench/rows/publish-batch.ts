import { toCpuText, toRates } from '../cpu.ts'
import { toFigure, toRatios, toSpread } from '../figure.ts'
import { openHub, readHead } from '../hub.ts'
import { checkStored } from '../loss-check.ts'
import { runPublish, type Form, type PublishResult } from '../publish-load.ts'
import { openReference, runBare, type BareReference } from '../references/serve.ts'
import { alternate } from '../rounds.ts'
import type { Bar, Figure, Row } from '../row.ts'
import { createStoreFile } from '../store.ts'

const bars = {
  ndjson: { must: 0.4, aim: 0.6, better: 'higher' },
  json: { must: 0.33, aim: 0.5, better: 'higher' },
} as const satisfies Record<string, Bar>

export const publishBatch: Row = {
  name: 'publish-batch',
  title: 'Batch publish, 100 events a request, 8 connections',
  run: async (context) => {
    const file = await createStoreFile(context.folder('bare'))
    await using reference: BareReference = await openReference('bare-insert.ts', [file])
    await using hub = await openHub({ data: context.folder('hub') })
    const after = readHead(hub.file)
    const folder = context.folder('wrk')
    const published: PublishResult[] = []
    const load = (form: Form) => async (): Promise<PublishResult> => {
      const result = await runPublish({ ...hub, form, seconds: context.seconds, folder })
      published.push(result)
      return result
    }
    const measured = await alternate(context, {
      bare: () => runBare(reference, context.seconds),
      ndjson: load('ndjson'),
      json: load('json'),
    })
    const check = checkStored(hub.file, { after, published })
    const p99 = toSpread(
      published.slice(2).map((result) => result.p99Ms), // without the warm-up of each form
      1,
    )
    const figure = (form: 'ndjson' | 'json', details: readonly string[]): Figure =>
      toFigure({
        path: `batch publish, ${form === 'json' ? 'JSON' : 'NDJSON'}`,
        against: 'bare node:sqlite, same table, 1,000 rows a transaction',
        unit: '×',
        rounds: toRatios(toRates(measured[form]), toRates(measured.bare)),
        bar: bars[form],
        details: [
          `hub ${toSpread(toRates(measured[form]))} events/s; ${toCpuText(measured[form], 'event')}`,
          ...details,
        ],
      })
    return [
      figure('ndjson', [
        `bare ${toSpread(toRates(measured.bare))} rows/s; ${toCpuText(measured.bare, 'row')}`,
        `p99 of both forms ${p99} ms`,
        check,
      ]),
      figure('json', []),
    ]
  },
}
