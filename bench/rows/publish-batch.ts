import { toFigure, toRatios, toSpread } from '../figure.ts'
import { openHub, readHead } from '../hub.ts'
import { checkStored } from '../loss-check.ts'
import { runPublish, type Form, type PublishResult } from '../publish-load.ts'
import { openReference } from '../references/serve.ts'
import { alternate } from '../rounds.ts'
import type { Bar, Figure, Row } from '../row.ts'
import { createStoreFile } from '../store.ts'

type Inserted = { readonly rows: number; readonly seconds: number }

const bars = {
  ndjson: { must: 0.4, aim: 0.6, better: 'higher' },
  json: { must: 0.33, aim: 0.5, better: 'higher' },
} as const satisfies Record<string, Bar>

export const publishBatch: Row = {
  name: 'publish-batch',
  title: 'Batch publish, 100 events a request, 8 connections',
  run: async (context) => {
    const file = await createStoreFile(context.folder('bare'))
    await using reference = await openReference<{ seconds: number }, Inserted>('bare-insert.ts', [file])
    await using hub = await openHub({ data: context.folder('hub') })
    const after = readHead(hub.file)
    const folder = context.folder('wrk')
    const published: PublishResult[] = []
    const load = (form: Form) => async (): Promise<number> => {
      const result = await runPublish({ url: hub.url, apiKey: hub.apiKey, form, seconds: context.seconds, folder })
      published.push(result)
      return result.eventsPerSecond
    }
    const measured = await alternate(context, {
      bare: async () => {
        const { rows, seconds } = await reference.ask({ seconds: context.seconds })
        return rows / seconds
      },
      ndjson: load('ndjson'),
      json: load('json'),
    })
    const check = checkStored(hub.file, { after, published })
    const p99 = toSpread(
      published.map((result) => result.p99Ms),
      1,
    )
    const figure = (form: 'ndjson' | 'json', details: readonly string[]): Figure =>
      toFigure({
        path: `batch publish, ${form === 'json' ? 'JSON' : 'NDJSON'}`,
        against: 'bare node:sqlite, same table, 1,000 rows a transaction',
        unit: '×',
        rounds: toRatios(measured[form], measured.bare),
        bar: bars[form],
        details: [`hub ${toSpread(measured[form])} events/s`, ...details],
      })
    return [
      figure('ndjson', [`bare ${toSpread(measured.bare)} rows/s`, `p99 of both forms ${p99} ms`, check]),
      figure('json', []),
    ]
  },
}
