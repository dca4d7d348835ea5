import { readdirSync, readFileSync } from 'node:fs'
import { HubError } from '@sluice/protocol/error'
import { beginText, type Connections } from './connections.ts'
import type { Locks } from './locks.ts'

const migrations = new URL('migrations/', import.meta.url)

/** What this code knows: each file is one version. */
function listMigrations(): string[] {
  return readdirSync(migrations)
    .filter((name) => name.endsWith('.sql'))
    .toSorted()
}

/** Older servers lack what the SQL here uses, and get no security fixes. */
const oldestServer = 150_000

/** A step of a migration may take this long. */
const patienceMs = 3_600_000

/**
 * Runs the numbered files from the one on that this database has come to, each in a transaction, one node at a time. Nodes of the version
 * before go on working: a migration only adds what they do not look at.
 *
 * @throws HubError `conflict` where the database is newer than this code, or the server too old
 */
export async function migrate(connections: Connections, locks: Locks, pooled: boolean): Promise<void> {
  const files = listMigrations()
  await connections.use(async ({ command, query }) => {
    const [server] = await query<{ number: number; name: string }>(
      `select current_setting('server_version_num')::int as number, current_setting('server_version') as name`,
    )
    if ((server?.number ?? 0) < oldestServer)
      throw new HubError('conflict', `the server is Postgres ${server?.name}; Sluice needs 15 or newer`)
    for (;;) {
      await command(beginText(pooled))
      try {
        const [first, second] = locks.key('migrate')
        // The node before may take its time.
        await command(`set local statement_timeout = 0; select pg_advisory_xact_lock(${first}, ${second})`, patienceMs)
        const version = await readVersion(query)
        if (version > files.length) {
          const message = `the database is at version ${version}, this Sluice knows ${files.length}; start the newer Sluice`
          throw new HubError('conflict', message)
        }
        const file = files[version]
        if (file !== undefined) {
          const text = readFileSync(new URL(file, migrations), 'utf8')
          await command(text, patienceMs)
          await query(`insert into sluice_version (version, at) values ($1, now())`, [version + 1])
        }
        await command('commit')
        if (file === undefined) return
      } catch (error) {
        await command('rollback').catch(() => {})
        throw error
      }
    }
  })
}

async function readVersion(query: Connections['query']): Promise<number> {
  const [known] = await query<{ exists: boolean }>(`select to_regclass('sluice_version') is not null as exists`)
  if (!known?.exists) {
    await query(`create table sluice_version (version integer primary key, at timestamptz not null)`)
    return 0
  }
  const [found] = await query<{ version: number }>(`select coalesce(max(version), 0) as version from sluice_version`)
  return found?.version ?? 0
}
