import { randomBytes } from 'node:crypto'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startHub, type HubProcess, type HubProcessOptions } from '../../scripts/hub-process.ts'
import { findPostgres, howToGetPostgres } from '../../scripts/postgres-binaries.ts'
import { startPostgres, type PostgresOptions, type PostgresServer } from '../../scripts/postgres-server.ts'
import { checkDatabase } from './check-database.ts'
import { checkIntegrity } from './read-log.ts'

/** What may keep the events of a hub. */
export const stores = ['sqlite', 'postgres'] as const
export type StoreName = (typeof stores)[number]

/** A new store and the hubs that run on it: all that differs between stores when a hub is started, crashed and looked into. */
export type Place = {
  readonly store: StoreName
  /** the data folder of the hubs */
  readonly data: string
  /** the server, if the store is one */
  readonly postgres: PostgresServer | undefined
  /** of the database, if there is one */
  readonly databaseUrl: string | undefined
  readonly startHub: (options?: StartOptions) => Promise<HubProcess>
  /** What the store itself says about its data when no hub has it open: `ok`, or what it found. */
  readonly check: () => Promise<string>
  readonly close: () => Promise<void>
}

type StartOptions = Omit<HubProcessOptions, 'data'>

export type PlaceOptions = {
  /** the data folder of a hub with SQLite; default a temporary one */
  readonly data?: string
  /** of the server; not looked at with SQLite */
  readonly postgres?: PostgresOptions
}

export async function openPlace(store: StoreName, options: PlaceOptions = {}): Promise<Place> {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-faults-'))
  const data = options.data ?? join(folder, 'data')
  const remove = (): void => rmSync(folder, { recursive: true, force: true })
  if (store === 'sqlite') {
    return {
      store,
      data,
      postgres: undefined,
      databaseUrl: undefined,
      startHub: (start) => startHub({ data, ...start }),
      check: async () => checkIntegrity(data),
      close: async () => remove(),
    }
  }
  const postgres = await startServer(options.postgres)
  const databaseUrl = await postgres.createDatabase()
  const env = { DATABASE_URL: databaseUrl, SLUICE_SECRET_KEY: randomBytes(32).toString('hex') }
  return {
    store,
    data,
    postgres,
    databaseUrl,
    startHub: (start) => startHub({ data, ...start, env: { ...env, ...start?.env } }),
    check: () => checkDatabase(postgres, databaseUrl),
    close: async () => {
      await postgres.stop().finally(remove)
    },
  }
}

/** A server of ours, even if tests are given another one: it will be killed. */
async function startServer(options: PostgresOptions = {}): Promise<PostgresServer> {
  const binaries = options.binaries ?? findPostgres()
  if (binaries === undefined) throw new Error(howToGetPostgres)
  return startPostgres({ ...options, binaries })
}

/** Ends the postmaster and all its children at one instant; none of them can do anything about it. */
export async function crashServer(postgres: PostgresServer): Promise<void> {
  const { pid } = postgres
  if (pid !== null) {
    // Stopped first: it would start its children again, or clean up after them.
    signalIfThere(pid, 'SIGSTOP')
    for (const child of readChildren(pid)) signalIfThere(child, 'SIGKILL')
  }
  await postgres.kill('SIGKILL')
}

function readChildren(pid: number): number[] {
  const file = `/proc/${pid}/task/${pid}/children`
  return existsSync(file) ? readFileSync(file, 'utf8').split(' ').map(Number).filter(Boolean) : []
}

function signalIfThere(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal)
  } catch (error) {
    // It has ended by itself meanwhile.
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error
  }
}
