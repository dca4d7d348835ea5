import { toText } from './figure.ts'
import { leaseFromNodes, openNodes, publishToNodes, type Nodes } from './nodes.ts'
import { createTables, describeServer, openServer } from './postgres.ts'
import type { Form } from './publish-load.ts'
import { fillLog } from './store.ts'
import type { PostgresServer } from '../scripts/postgres-server.ts'

type Plan = {
  readonly load: Form | 'lease'
  readonly seconds: number
  readonly warmUpSeconds: number
  /** which make the hub write its profile */
  readonly nodeOptions: string
  readonly folder: string
  readonly wrk: string
}

const filledEvents = 200_000
const workspaces = ['north', 'east', 'south', 'west']
const connections = { single: 64, ndjson: 32, json: 32, lease: 8 } as const
/** Leases are taken from so many inboxes in turn. */
const inboxes = 4

const watched = { shared_preload_libraries: 'pg_stat_statements', 'pg_stat_statements.track_planning': 'on' }

/** The load of the rows on Postgres with one node: batches go to four workspaces. Answers how many events went through. */
export async function profileOnPostgres({ load, folder, nodeOptions, ...plan }: Plan): Promise<number> {
  await using server = await openServer(watched)
  const database = await createTables(server)
  await server.exec('create extension pg_stat_statements', database)
  if (load === 'lease') await fillLog({ data: '', database: { url: database }, count: filledEvents })
  await using nodes = await openNodes({ server, database, count: 1, folder, workspaces, nodeOptions })
  await runLoad(nodes, { ...plan, load, seconds: plan.warmUpSeconds, run: 'warm-up' })
  await server.exec('select pg_stat_statements_reset()', database)
  const { rate, count, cpu, serverMicros } = await runLoad(nodes, { ...plan, load, run: 'profile' })
  const perEvent = (micros: number): string => toText(micros / count, 1)
  console.log(`${load} on ${await describeServer(server)}`)
  console.log(
    `${toText(rate)} events/s under the profiler; CPU µs an event: main thread ${perEvent(cpu.mainMicros)}, hub ${perEvent(cpu.allMicros)}, Postgres ${perEvent(serverMicros)}`,
  )
  await printStatements(server, database, count)
  return count
}

type Run = Omit<Plan, 'folder' | 'nodeOptions' | 'warmUpSeconds'> & { readonly run: string }

function runLoad(nodes: Nodes, { load, seconds, wrk: folder, run }: Run): ReturnType<typeof leaseFromNodes> {
  const how = { seconds, folder, connections: connections[load] }
  if (load === 'lease') return leaseFromNodes(nodes, { ...how, run, atOnce: inboxes })
  const [own = '', ...others] = nodes.apiKeys
  return publishToNodes(nodes, { ...how, form: load, apiKeys: load === 'single' ? [own] : others })
}

/** What the server did for the load, by its own account. Parsing and what commits wait for are not in it. */
async function printStatements({ exec }: PostgresServer, database: string, events: number): Promise<void> {
  const rows = await exec(
    `select sum(calls)::float8 as calls, sum(total_exec_time)::float8 as executing, sum(total_plan_time)::float8 as planning,
       regexp_replace(left(regexp_replace(query, '\\s+', ' ', 'g'), 110), '\\$\\d+', '?', 'g') as query
     from pg_stat_statements join pg_database on pg_database.oid = dbid and datname = current_database()
     where calls > 0 and query not like '%pg_stat_statements%'
     group by 4 order by sum(total_exec_time + total_plan_time) desc limit 20`,
    database,
  )
  console.log('\nstatements: calls, events a call, µs a call planning and executing, µs an event')
  for (const row of rows) {
    const [calls, executing, planning] = ['calls', 'executing', 'planning'].map((name) => Number(row[name]))
    if (calls === undefined || executing === undefined || planning === undefined) continue
    const columns = [
      toText(calls),
      toText(events / calls, 1),
      toText((planning * 1000) / calls),
      toText((executing * 1000) / calls),
      toText(((planning + executing) * 1000) / events, 2),
    ]
    console.log(`${columns.map((text) => text.padStart(9)).join('')}  ${String(row['query'])}`)
  }
}
