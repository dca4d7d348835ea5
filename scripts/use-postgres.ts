import { once } from 'node:events'
import { connect, createServer, type AddressInfo } from 'node:net'
import { after } from 'node:test'
import { text } from 'node:stream/consumers'
import { findPostgres, howToGetPostgres } from './postgres-binaries.ts'
import { openPostgres, type PostgresDatabases } from './postgres-databases.ts'
import { startPostgres, type PostgresServer } from './postgres-server.ts'

/** A database for one test file. */
export type TestDatabase = {
  /** throws if there is no Postgres */
  readonly url: string
  /** for the `skip` of each test that needs the database: false, or how to get a Postgres */
  readonly skip: string | false
}

/**
 * An empty database for the test file that calls this at its top, dropped after its last test. `npm test` starts one server
 * for all files that ask; a file that runs alone starts its own.
 *
 * @example
 * const postgres = await usePostgres()
 * test('rows stay', { skip: postgres.skip }, async () => connect(postgres.url))
 */
export async function usePostgres(): Promise<TestDatabase> {
  const server = await openServer()
  if (server === undefined) {
    return {
      skip: howToGetPostgres,
      get url(): string {
        throw new Error(howToGetPostgres)
      },
    }
  }
  const url = await server.createDatabase()
  after(async () => {
    await server.dropDatabase(url)
    await server.stop?.()
  })
  return { url, skip: false }
}

type Shared = { readonly url: string; readonly version: string } | { readonly missing: true }

/**
 * One server for all processes that this one starts from now on, through their environment. It starts when the first of
 * them asks for it.
 *
 * @returns what stops it
 */
export async function sharePostgres(): Promise<() => Promise<void>> {
  let started: Promise<PostgresServer | undefined> | undefined
  const doorman = createServer((socket) => {
    started ??= startIfThere()
    // A test file that was killed while it waited is no failure of the others.
    socket.on('error', () => undefined)
    started.then(
      (server) => socket.end(JSON.stringify(toShared(server))),
      (error: unknown) => {
        console.error(error)
        socket.destroy()
      },
    )
  })
  doorman.listen(0, '127.0.0.1').unref()
  await once(doorman, 'listening')
  process.env['SLUICE_TEST_POSTGRES_SHARE'] = String((doorman.address() as AddressInfo).port)
  return async () => {
    doorman.close()
    await (await started?.catch(() => undefined))?.stop()
  }
}

function toShared(server: PostgresServer | undefined): Shared {
  return server === undefined ? { missing: true } : { url: server.url, version: server.version }
}

async function openServer(): Promise<(PostgresDatabases & { readonly stop?: () => Promise<void> }) | undefined> {
  const port = process.env['SLUICE_TEST_POSTGRES_SHARE']
  if (port === undefined) return startIfThere()
  const answer = await text(connect(Number(port), '127.0.0.1'))
  if (answer === '') throw new Error('the shared Postgres did not start; npm test shows why')
  const shared = JSON.parse(answer) as Shared
  return 'missing' in shared ? undefined : openPostgres(shared.url, shared.version)
}

async function startIfThere(): Promise<PostgresServer | undefined> {
  const isThere = process.env['SLUICE_TEST_POSTGRES_URL'] !== undefined || findPostgres() !== undefined
  return isThere ? startPostgres() : undefined
}
