import { spawnSync } from 'node:child_process'
import { chownSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { findFreePort } from './free-port.ts'
import { openPostgres } from './postgres-databases.ts'
import { startTethered } from './tethered-process.ts'
import { findUnprivilegedUser } from './unprivileged-user.ts'

/** A PgBouncer in transaction mode: each transaction may run on another connection to the server. */
export type PgBouncer = {
  /** of the database that was given, through the pooler; every other database of that server is there too */
  readonly url: string
  readonly stop: () => Promise<void>
  readonly [Symbol.asyncDispose]: () => Promise<void>
}

const howToGetPgBouncer = 'no pgbouncer: install it (Debian: apt-get install pgbouncer)'
const readyTimeoutMs = 10_000
const pollMs = 10
// Debian keeps it among the programs of root, which are not on the path of others.
const env = { PATH: [process.env['PATH'], '/usr/sbin'].join(delimiter) }

/** For the `skip` of a test that needs PgBouncer: false, or how to get it. */
export function skipWithoutPgBouncer(): string | false {
  return spawnSync('pgbouncer', ['--version'], { env }).status === 0 ? false : howToGetPgBouncer
}

/**
 * Starts a PgBouncer on 127.0.0.1 in front of the server of `url`, and waits until a query goes through it. It ends with
 * this process.
 *
 * @throws if there is no pgbouncer on this machine, or it is not ready in time; the message holds what it has logged
 * @example await using pooler = await startPgBouncer({ url: postgres.url })
 */
export async function startPgBouncer({ url }: { readonly url: string }): Promise<PgBouncer> {
  const missing = skipWithoutPgBouncer()
  if (missing) throw new Error(missing)
  const pooled = new URL(url)
  pooled.port = String(await findFreePort())
  pooled.hostname = '127.0.0.1'

  const user = findUnprivilegedUser()
  const folder = mkdtempSync(join(tmpdir(), 'sluice-pgbouncer-'))
  const logFile = join(folder, 'pgbouncer.log')
  const files = {
    'pgbouncer.ini': toIni(new URL(url), pooled, folder),
    'users.txt': toUsers(pooled),
    'pgbouncer.log': '',
  }
  for (const [name, content] of Object.entries(files)) {
    writeFileSync(join(folder, name), content)
    if (user !== undefined) chownSync(join(folder, name), user.uid, user.gid)
  }
  if (user !== undefined) chownSync(folder, user.uid, user.gid)

  const args = [join(folder, 'pgbouncer.ini')]
  const pooler = await startTethered({ file: 'pgbouncer', args, env, folder, logFile, user, abandonSignal: 'SIGTERM' })
  const stop = async (): Promise<void> => {
    await pooler.end('SIGTERM')
    rmSync(folder, { recursive: true, force: true })
  }
  if (!(await isReady(pooled.href, pooler.isEnded))) {
    const log = readFileSync(logFile, 'utf8')
    await stop()
    throw new Error(`pgbouncer did not become ready: ${log}`)
  }
  return { url: pooled.href, stop, [Symbol.asyncDispose]: stop }
}

function toIni(server: URL, pooled: URL, folder: string): string {
  return `[databases]
* = host=${server.hostname} port=${server.port || '5432'}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = ${pooled.port}
unix_socket_dir =
auth_type = scram-sha-256
auth_file = ${join(folder, 'users.txt')}
pool_mode = transaction
max_client_conn = 500
default_pool_size = 20
`
}

function toUsers({ username, password }: URL): string {
  const quote = (part: string): string => `"${decodeURIComponent(part).replaceAll('"', '""')}"`
  return `${quote(username)} ${quote(password)}\n`
}

async function isReady(url: string, isEnded: () => boolean): Promise<boolean> {
  const giveUpAt = Date.now() + readyTimeoutMs
  while (!isEnded() && Date.now() < giveUpAt) {
    const rows = await openPostgres(url, '')
      .exec('select 1')
      .catch(() => undefined)
    if (rows !== undefined) return true
    await delay(pollMs)
  }
  return false
}
