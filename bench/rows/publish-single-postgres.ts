import { toRates } from '../cpu.ts'
import { toFigure, toRatios, toSpread } from '../figure.ts'
import { checkAnswers, compareStored } from '../loss-check.ts'
import { openNodes, publishToNodes, type Nodes } from '../nodes.ts'
import {
  copyDatabase,
  countStored,
  createTables,
  describeServer,
  openServer,
  readHead,
  toBothText,
} from '../postgres.ts'
import type { PostgresRun } from '../postgres.ts'
import type { SendResult } from '../publish-load.ts'
import { openReference, runBareOn, type BareReference } from '../references/serve.ts'
import { alternate } from '../rounds.ts'
import type { Context, Figure, Row } from '../row.ts'

const connections = 64
const bareConnections = 16

export const publishSinglePostgres: Row = {
  name: 'publish-single-postgres',
  title: `Postgres: single publish, ${connections} connections`,
  needsPostgres: true,
  run: async (context) => {
    await using server = await openServer()
    const bare = await createTables(server)
    const [single, double] = [await copyDatabase(server, bare), await copyDatabase(server, bare)]
    await using reference: BareReference = await openReference('bare-postgres-single.ts', [bare, `${bareConnections}`])
    await using one = await openNodes({ server, database: single, count: 1, folder: context.folder('one') })
    await using two = await openNodes({ server, database: double, count: 2, folder: context.folder('two') })
    const sides = { one: await createSide(context, one), two: await createSide(context, two) }
    const measured = await alternate(context, {
      bare: () => runBareOn(server, reference, context.seconds),
      one: sides.one.load,
      two: sides.two.load,
    })
    const figure = async (side: 'one' | 'two', details: readonly string[]): Promise<Figure> =>
      toFigure({
        path: `Postgres: single publish, ${side === 'one' ? 'one node' : 'two nodes'}`,
        against: `single-row inserts over ${bareConnections} connections, no HTTP`,
        unit: '×',
        rounds: toRatios(toRates(measured[side]), toRates(measured.bare)),
        bar: { must: 1.2, aim: 1.8, better: 'higher' },
        details: [
          `${side === 'one' ? 'hub' : 'hubs'} ${toLoadText(measured[side])}; ${toBothText(measured[side], 'request')}`,
          ...details,
          ...(await sides[side].check()),
        ],
      })
    return [
      await figure('one', [
        `bare ${toSpread(toRates(measured.bare))} rows/s; ${toBothText(measured.bare, 'row')}`,
        await describeServer(server),
      ]),
      await figure('two', []),
    ]
  },
}

type Side = {
  readonly load: () => Promise<SendResult & PostgresRun>
  readonly check: () => Promise<string[]>
}

async function createSide(context: Context, nodes: Nodes): Promise<Side> {
  const { server, database, hubs, apiKeys } = nodes
  const folder = context.folder('wrk')
  const exact = await checkAnswers({ hubs, readHead: () => readHead(server, database) })
  const after = await readHead(server, database)
  // The warm-up round counts in the loss check as well: every run is kept.
  const published: SendResult[] = []
  return {
    load: async () => {
      const how = { form: 'single', connections, seconds: context.seconds, folder, apiKeys } as const
      const result = await publishToNodes(nodes, how)
      published.push(result)
      return result
    },
    check: async () => [compareStored(await countStored(server, database, after), published), exact],
  }
}

function toLoadText(runs: readonly (SendResult & PostgresRun)[]): string {
  const p50 = runs.map(({ p50Ms }) => p50Ms)
  const p99 = runs.map(({ p99Ms }) => p99Ms)
  return `${toSpread(toRates(runs))} req/s, p50 ${toSpread(p50, 2)} ms, p99 ${toSpread(p99, 1)} ms`
}
