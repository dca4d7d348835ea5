import { toRates } from '../cpu.ts'
import { toFigure, toRatios, toSpread, toText } from '../figure.ts'
import { leaseFromNodes, openNodes, type LeaseRun, type Nodes } from '../nodes.ts'
import { checkOnce } from '../once-check.ts'
import { copyDatabase, createTables, describeServer, openServer, readHandedOut, toBothText } from '../postgres.ts'
import type { PostgresRun } from '../postgres.ts'
import { openReference, runBareOn, type BareReference } from '../references/serve.ts'
import { alternate } from '../rounds.ts'
import type { Figure, Row } from '../row.ts'
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
    const load = { seconds: context.seconds, folder: context.folder('wrk'), connections }
    const measured = await alternate(context, {
      oneCursor: () => runBareOn(server, oneCursor, context.seconds),
      manyCursors: () => runBareOn(server, manyCursors, context.seconds),
      oneInbox: (round) => leaseFromNodes(one, { ...load, run: `one${round}`, atOnce: 1 }),
      oneNode: (round) => leaseFromNodes(one, { ...load, run: `many${round}`, atOnce: manyInboxes }),
      twoNodes: (round) => leaseFromNodes(two, { ...load, run: `many${round}`, atOnce: manyInboxes }),
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

function toHubText(runs: readonly LeaseRun[]): string {
  const p99 = runs.map(({ p99Ms }) => p99Ms)
  return `${toSpread(toRates(runs))} events/s acknowledged (counted in the store), p99 of a request ${toSpread(p99, 1)} ms`
}

function checkAll({ server, database, hubs }: Nodes): Promise<string> {
  return checkOnce({ hubs, events, readHandedOut: (inboxes) => readHandedOut(server, database, inboxes) })
}
