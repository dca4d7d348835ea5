import { findPostgres } from '../scripts/postgres-binaries.ts'
import { startPostgres, type PostgresServer } from '../scripts/postgres-server.ts'
import { measureCpu, readChildrenCpu, toCpuText, type CpuTime, type LoadRun } from './cpu.ts'
import { median, toText } from './figure.ts'
import { countHeld, type HandedOut } from './lease-load.ts'
import type { Stored } from './loss-check.ts'
import { openStore } from '@sluice/hub'

export const hasPostgres = (): boolean =>
  process.env['SLUICE_TEST_POSTGRES_URL'] !== undefined || findPostgres() !== undefined

/** With the server's own default one checkpoint would fall into some round of some side. */
const settings = { max_wal_size: '4GB', checkpoint_timeout: '30min' }

/** A server as it comes, but for its checkpoints. It ends with this process. */
export function openServer(extra: Readonly<Record<string, string>> = {}): Promise<PostgresServer> {
  return startPostgres({ settings: { ...settings, ...extra } })
}

const shownSettings = ['fsync', 'synchronous_commit', 'full_page_writes', 'shared_buffers', 'max_wal_size'] as const

/** @throws if it does not sync its commits: nothing that is measured on it would count */
export async function describeServer({ exec, version }: PostgresServer): Promise<string> {
  const columns = shownSettings.map((name) => `current_setting('${name}') as ${name}`)
  const [found = {}] = await exec(`select ${columns.join(', ')}`)
  if (found['fsync'] !== 'on' || found['synchronous_commit'] !== 'on')
    throw new Error(`this Postgres does not sync its commits: ${JSON.stringify(found)}`)
  const values = shownSettings.map((name) => `${name} ${String(found[name])}`)
  return `PostgreSQL ${version} on the same machine, its processes on any core, over TCP: ${values.join(', ')}, checkpoint_timeout 30min, else as it comes`
}

/** A database with the tables of a store; no hub runs on it. */
export async function createTables(server: PostgresServer): Promise<string> {
  const url = await server.createDatabase()
  const store = await openStore({ data: '', database: { url } })
  await store.close()
  return url
}

/** A database with the same rows as one that nobody is connected to. */
export async function copyDatabase(server: PostgresServer, url: string): Promise<string> {
  const copy = await server.createDatabase()
  const nameOf = (address: string): string => new URL(address).pathname.slice(1)
  await server.exec(`drop database ${nameOf(copy)}`)
  await server.exec(`create database ${nameOf(copy)} template ${nameOf(url)}`)
  return copy
}

/** A load on hubs and the server behind them. `serverMicros`: CPU of the server, NaN where it is not ours to look at. */
export type PostgresRun = LoadRun & { readonly serverMicros: number }

export async function measureBoth<Answer>(
  server: Pick<PostgresServer, 'pid'>,
  pids: readonly number[],
  run: () => Promise<Answer>,
): Promise<{ answer: Answer; cpu: CpuTime; serverMicros: number }> {
  const read = (): number => (server.pid === null ? Number.NaN : readChildrenCpu(server.pid))
  const before = read()
  const measured = await measureCpu(pids, run)
  return { ...measured, serverMicros: read() - before }
}

export function toBothText(runs: readonly PostgresRun[], each: string): string {
  const micros = median(runs.map(({ serverMicros, count }) => serverMicros / count))
  const server = Number.isNaN(micros) ? '' : `, of Postgres ${toText(micros, 1)} µs`
  return `${toCpuText(runs, each)}${server}`
}

export async function readHead({ exec }: PostgresServer, database: string): Promise<number> {
  const rows = await exec(
    `select head from log join workspace on workspace.id = workspace_id where key = 'default'`,
    database,
  )
  return Number(rows[0]?.['head'])
}

/** Events of the benchmark in all workspaces together, from that one on. */
export async function countStored({ exec }: PostgresServer, database: string, after = 0): Promise<Stored> {
  const [row] = await exec(
    `select count(*) as stored, count(distinct substring(body from '"n":"(\\d+)"')) as "distinct" from event where position > ${after}`,
    database,
  )
  return { stored: Number(row?.['stored']), distinct: Number(row?.['distinct']) }
}

/** How many events these inboxes of the default workspace have passed, and how many of them are still leased. */
export async function readHandedOut(
  { exec }: PostgresServer,
  database: string,
  inboxes: readonly string[],
): Promise<HandedOut> {
  const names = inboxes.map((key) => `'${key}'`).join(', ')
  const [row] = await exec(
    `select sum(next - 1) as next, array(select held from lease where inbox_id in (select id from inbox where key in (${names}))) as held
     from inbox where key in (${names})`,
    database,
  )
  const held = row?.['held'] as readonly string[] // an array of texts
  return { next: Number(row?.['next']), leased: held.reduce((sum, text) => sum + countHeld(text), 0) }
}
