import { toRates } from '../cpu.ts'
import { toFigure, toRatios, toSpread, toText } from '../figure.ts'
import { createInboxes, runLease } from '../lease-load.ts'
import { openNodes, type Nodes } from '../nodes.ts'
import { checkOnce } from '../once-check.ts'
import {
  copyDatabase,
  createTables,
  describeServer,
  measureBoth,
  openServer,
  readHandedOut,
  toBothText,
} from '../postgres.ts'
import type { PostgresRun } from '../postgres.ts'
import { openReference, runBareOn, type BareReference } from '../references/serve.ts'
import { alternate } from '../rounds.ts'
import type { Context, Figure, Row } from '../row.ts'
import { fillLog } from '../store.ts'

const events = 200_000
/** In all, spread evenly over the nodes; the inboxes likewise. */
const connections = 8
const manyInboxes = 4

export const leaseAckPostgres: Row = {
  name: 'lease-ack-postgres',
  title: `Postgres: lease 100 + ack, ${connections} connections`,
  needsPostgres: true,
  run: async (context) => {
    await using server = await openServer()
    const single = await createTables(server)
    const filled = await fillLog({ data: '', database: { url: single }, count: events, say: context.say })
    context.say(`filled at ${toText(filled)} events/s`)
    await server.exec('vacuum analyze event', single)
    const double = await copyDatabase(server, single)
    await using oneCursor: BareReference = await openReference('bare-postgres-lease.ts', [single, '1'])
    await using manyCursors: BareReference = await openReference('bare-postgres-lease.ts', [single, `${manyInboxes}`])
    await using one = await openNodes({ server, database: single, count: 1, folder: context.folder('one') })
    await using two = await openNodes({ server, database: double, count: 2, folder: context.folder('two') })
    const folder = context.folder('wrk')
    const measured = await alternate(context, {
      oneCursor: () => runBareOn(server, oneCursor, context.seconds),
      manyCursors: () => runBareOn(server, manyCursors, context.seconds),
      oneInbox: (round) => leaseFrom(one, { context, folder, run: `one${round}`, atOnce: 1 }),
      oneNode: (round) => leaseFrom(one, { context, folder, run: `many${round}`, atOnce: manyInboxes }),
      twoNodes: (round) => leaseFrom(two, { context, folder, run: `many${round}`, atOnce: manyInboxes }),
    })
    const bar = { must: 0.4, aim: 0.6, better: 'higher' } as const
    const compare = (side: Side, beside: 'oneCursor' | 'manyCursors', details: readonly string[]): Figure =>
      toFigure({
        path: `Postgres: lease 100 + ack, ${sides[side]}`,
        against: `bare cursor read + ack on the same table, ${beside === 'oneCursor' ? 'one cursor' : `${manyInboxes} cursors`}`,
        unit: '×',
        rounds: toRatios(toRates(measured[side]), toRates(measured[beside])),
        bar,
        details: [`${toHubText(measured[side])}; ${toBothText(measured[side], 'event')}`, ...details],
      })
    const toBareText = (runs: readonly PostgresRun[]): string =>
      `bare ${toSpread(toRates(runs))} rows/s; ${toBothText(runs, 'row')}`
    return [
      compare('oneInbox', 'oneCursor', [toBareText(measured.oneCursor), await describeServer(server)]),
      compare('oneNode', 'manyCursors', [toBareText(measured.manyCursors), await checkAll(one)]),
      compare('twoNodes', 'manyCursors', [await checkAll(two)]),
    ]
  },
}

const sides = {
  oneInbox: 'one inbox, one node',
  oneNode: `${manyInboxes} inboxes at once, one node`,
  twoNodes: `${manyInboxes} inboxes at once, two nodes with half of them each`,
} as const
type Side = keyof typeof sides

type LeaseRun = PostgresRun & { readonly p99Ms: number }

type Load = {
  readonly context: Pick<Context, 'seconds'>
  readonly folder: string
  readonly run: string
  /** inboxes that take turns; with one, the next follows once it is empty */
  readonly atOnce: number
}

async function leaseFrom(nodes: Nodes, { context, folder, run, atOnce }: Load): Promise<LeaseRun> {
  const { server, database, hubs, pids } = nodes
  const { seconds } = context
  // With one at a time, more than a round can empty; with several, each has as much as all of them can take.
  const count = atOnce === 1 ? Math.ceil(seconds) + 1 : atOnce
  const inboxes = Array.from({ length: count }, (_, index) => `${run}-${index}`)
  await createInboxes(hubs[0], inboxes)
  const share = { leasesEach: atOnce === 1 ? events : 1, seconds, folder, connections: connections / hubs.length }
  const { answer, ...costs } = await measureBoth(server, pids, () =>
    Promise.all(
      hubs.map((hub, node) => {
        const own = inboxes.filter((_, index) => index % hubs.length === node)
        return runLease({ ...share, hub, inboxes: own, run: `${run}n${node}` })
      }),
    ),
  )
  const { next, leased } = await readHandedOut(server, database, inboxes)
  const acknowledged = next - leased
  const p99Ms = Math.max(...answer.map((result) => result.p99Ms))
  return {
    ...costs,
    rate: acknowledged / Math.max(...answer.map((result) => result.seconds)),
    count: acknowledged,
    p99Ms,
  }
}

function toHubText(runs: readonly LeaseRun[]): string {
  const p99 = runs.map(({ p99Ms }) => p99Ms)
  return `${toSpread(toRates(runs))} events/s acknowledged (counted in the store), p99 of a request ${toSpread(p99, 1)} ms`
}

function checkAll({ server, database, hubs }: Nodes): Promise<string> {
  return checkOnce({ hubs, events, readHandedOut: (inboxes) => readHandedOut(server, database, inboxes) })
}
