import { randomBytes } from 'node:crypto'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { openNode, type Hub } from './hub.ts'
import { createInboxes, runLease } from './lease-load.ts'
import { measureBoth, readHandedOut, type PostgresRun } from './postgres.ts'
import { loadCore, serverCore } from './pin.ts'
import { sendEvents, type Form, type SendResult } from './publish-load.ts'
import type { PostgresServer } from '../scripts/postgres-server.ts'

/** Hubs on one database of a server, and keys of workspaces there: the default one, then those that were asked for. */
export type Nodes = {
  readonly server: PostgresServer
  readonly database: string
  readonly hubs: readonly [Hub, ...Hub[]]
  readonly pids: readonly number[]
  readonly apiKeys: readonly string[]
  readonly stop: () => Promise<void>
  readonly [Symbol.asyncDispose]: () => Promise<void>
}

type Options = {
  readonly server: PostgresServer
  readonly database: string
  readonly count: 1 | 2
  readonly folder: string
  /** of a database that nodes have worked on before */
  readonly apiKey?: string
  /** made with a key each, beside the default one */
  readonly workspaces?: readonly string[]
  readonly nodeOptions?: string
}

/** The first node has the core of servers; a second one shares the other core with the load, as there are no more. */
export async function openNodes({
  server,
  database,
  count,
  folder,
  workspaces = [],
  ...options
}: Options): Promise<Nodes> {
  const secretKey = randomBytes(32).toString('hex')
  const open = (index: number, apiKey: string | undefined): Promise<Hub> => {
    const data = join(folder, `node-${index}`)
    mkdirSync(data)
    const core = index === 0 ? serverCore : loadCore
    return openNode({ database, data, secretKey, apiKey, core, nodeOptions: options.nodeOptions ?? '' })
  }
  const first = await open(0, options.apiKey)
  const others = count === 2 ? [await open(1, first.apiKey)] : []
  const hubs = [first, ...others] as const
  const stop = async (): Promise<void> => {
    await Promise.all(hubs.map((hub) => hub.stop()))
  }
  const apiKeys = [first.apiKey]
  for (const workspace of workspaces) apiKeys.push(await createWorkspace(first, workspace))
  const pids = hubs.map(({ pid }) => pid)
  return { server, database, hubs, pids, apiKeys, stop, [Symbol.asyncDispose]: stop }
}

async function createWorkspace({ call }: Hub, workspace: string): Promise<string> {
  await call('PUT', `/v1/workspaces/${workspace}`)
  const body = { user_id: 'bench', role: 'publisher', workspace }
  return (await call<{ api_key: string }>('POST', '/v1/keys', body)).api_key
}

type PublishLoad = {
  readonly form: Form
  /** in all, spread evenly over workspaces and nodes */
  readonly connections: number
  readonly seconds: number
  readonly folder: string
  /** the keys of the workspaces that are published to */
  readonly apiKeys: readonly string[]
}

/** One load for each workspace on each node, all at once. The percentiles are those of the slowest of them. */
export async function publishToNodes(
  { server, hubs, pids }: Nodes,
  { form, connections, seconds, folder, apiKeys }: PublishLoad,
): Promise<SendResult & PostgresRun> {
  const loads = hubs.flatMap(({ url }) => apiKeys.map((apiKey) => ({ url, apiKey })))
  const each = connections / loads.length
  const { answer, ...costs } = await measureBoth(server, pids, () =>
    Promise.all(loads.map((load) => sendEvents({ ...load, form, seconds, folder, connections: each }))),
  )
  return { ...toSum(answer), ...costs }
}

function toSum(results: readonly SendResult[]): SendResult {
  const sum = (name: keyof SendResult): number => results.reduce((total, result) => total + result[name], 0)
  const max = (name: keyof SendResult): number => Math.max(...results.map((result) => result[name]))
  return {
    requests: sum('requests'),
    perSecond: sum('perSecond'),
    failures: sum('failures'),
    rate: sum('rate'),
    count: sum('count'),
    accepted: sum('accepted'),
    maxUnanswered: sum('maxUnanswered'),
    seconds: max('seconds'),
    p50Ms: max('p50Ms'),
    p99Ms: max('p99Ms'),
  }
}

export type LeaseRun = PostgresRun & { readonly p99Ms: number }

type LeaseLoad = {
  readonly seconds: number
  readonly folder: string
  /** in all, spread evenly over the nodes; the inboxes likewise */
  readonly connections: number
  /** part of the names of inboxes and leases; another one for each run */
  readonly run: string
  /** inboxes that take turns; with one, the next follows once it is empty */
  readonly atOnce: number
}

/** Leases 100 events at a time from new inboxes and acknowledges them; what has been acknowledged is counted in the store. */
export async function leaseFromNodes(
  { server, database, hubs, pids }: Nodes,
  { seconds, folder, connections, run, atOnce }: LeaseLoad,
): Promise<LeaseRun> {
  // With one at a time more than a round can empty; several have more than a round can take from all of them.
  const count = atOnce === 1 ? Math.ceil(seconds) + 1 : atOnce
  const inboxes = Array.from({ length: count }, (_, index) => `${run}-${index}`)
  await createInboxes(hubs[0], inboxes)
  const leasesEach = atOnce === 1 ? Number.MAX_SAFE_INTEGER : 1
  const share = { leasesEach, seconds, folder, connections: connections / hubs.length }
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
  const longest = Math.max(...answer.map((result) => result.seconds))
  const p99Ms = Math.max(...answer.map((result) => result.p99Ms))
  return { ...costs, rate: acknowledged / longest, count: acknowledged, p99Ms }
}
