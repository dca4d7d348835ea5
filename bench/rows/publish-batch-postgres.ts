import { toRates } from '../cpu.ts'
import { toFigure, toRatios, toSpread } from '../figure.ts'
import { compareStored } from '../loss-check.ts'
import { openNodes, publishToNodes, type Nodes } from '../nodes.ts'
import { copyDatabase, countStored, createTables, describeServer, openServer, toBothText } from '../postgres.ts'
import type { PostgresRun } from '../postgres.ts'
import type { SendResult } from '../publish-load.ts'
import { openReference, runBareOn, type BareReference } from '../references/serve.ts'
import { alternate } from '../rounds.ts'
import type { Figure, Row } from '../row.ts'

const workspaces = ['north', 'east', 'south', 'west']
/** Enough to fill groups while others commit, few enough that a round ends with little unanswered. */
const connections = 32

export const publishBatchPostgres: Row = {
  name: 'publish-batch-postgres',
  title: `Postgres: batch publish, 100 events a request, four workspaces at once, ${connections} connections`,
  needsPostgres: true,
  run: async (context) => {
    await using server = await openServer()
    const bare = await createTables(server)
    const [single, double] = [await copyDatabase(server, bare), await copyDatabase(server, bare)]
    await using reference: BareReference = await openReference('bare-postgres-batch.ts', [bare, `${workspaces.length}`])
    const place = { server, workspaces }
    await using one = await openNodes({ ...place, database: single, count: 1, folder: context.folder('one') })
    await using two = await openNodes({ ...place, database: double, count: 2, folder: context.folder('two') })
    const folder = context.folder('wrk')
    // The warm-up round counts in the loss check as well: every run is kept.
    const published = { one: [] as SendResult[], two: [] as SendResult[] }
    const load = (side: keyof typeof published, nodes: Nodes) => async (): Promise<SendResult & PostgresRun> => {
      const [, ...apiKeys] = nodes.apiKeys
      const how = { form: 'ndjson', connections, seconds: context.seconds, folder, apiKeys } as const
      const result = await publishToNodes(nodes, how)
      published[side].push(result)
      return result
    }
    const measured = await alternate(context, {
      bare: () => runBareOn(server, reference, context.seconds),
      one: load('one', one),
      two: load('two', two),
    })
    const figure = async (side: 'one' | 'two', database: string, details: readonly string[]): Promise<Figure> =>
      toFigure({
        path: `Postgres: batch publish, NDJSON, ${side === 'one' ? 'one node' : 'two nodes'}`,
        against: 'bare inserts of 500 rows under the same locks, a connection for each workspace',
        unit: '×',
        rounds: toRatios(toRates(measured[side]), toRates(measured.bare)),
        bar: { must: 0.45, aim: 0.65, better: 'higher' },
        details: [
          `${side === 'one' ? 'hub' : 'hubs'} ${toSpread(toRates(measured[side]))} events/s, p99 ${toSpread(
            measured[side].map(({ p99Ms }) => p99Ms),
            1,
          )} ms; ${toBothText(measured[side], 'event')}`,
          ...details,
          compareStored(await countStored(server, database), published[side]),
        ],
      })
    return [
      await figure('one', single, [
        `bare ${toSpread(toRates(measured.bare))} rows/s; ${toBothText(measured.bare, 'row')}`,
        await describeServer(server),
      ]),
      await figure('two', double, []),
    ]
  },
}
