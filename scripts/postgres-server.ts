import { randomBytes } from 'node:crypto'
import { appendFileSync, chownSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { findFreePort } from './free-port.ts'
import { findPostgres, howToGetPostgres, type PostgresBinaries } from './postgres-binaries.ts'
import { openPostgres, type PostgresDatabases } from './postgres-databases.ts'
import { startTethered, type TetheredProcess, type TetherPlan } from './tethered-process.ts'
import { findUnprivilegedUser } from './unprivileged-user.ts'

/** A Postgres on 127.0.0.1 with data of its own. It ends with this process, even if this one is killed. */
export type PostgresServer = PostgresDatabases & {
  /** of the postmaster; null while it is not running, and for the server of SLUICE_TEST_POSTGRES_URL */
  readonly pid: number | null
  /** null for the server of SLUICE_TEST_POSTGRES_URL */
  readonly dataDir: string | null
  /** what the server has logged so far */
  readonly log: () => string
  /** sends the signal to the postmaster, SIGKILL by default, and waits for its end; the data stays */
  readonly kill: (signal?: NodeJS.Signals) => Promise<void>
  /** after `kill`: on the same data and port; waits for the recovery */
  readonly start: () => Promise<void>
  /** a fast shutdown; removes the data */
  readonly stop: () => Promise<void>
  readonly [Symbol.asyncDispose]: () => Promise<void>
}

export type PostgresOptions = {
  /** for postgresql.conf: { synchronous_commit: 'off' } */
  readonly settings?: Readonly<Record<string, string>>
  /** where the folder of the server is made; default the system's folder for temporary files */
  readonly parentFolder?: string
  /** for the server's process, on top of a nearly empty environment */
  readonly env?: NodeJS.ProcessEnv
  /** default: what findPostgres finds. With this, SLUICE_TEST_POSTGRES_URL is not looked at */
  readonly binaries?: PostgresBinaries
}

const user = 'sluice'
const readyTimeoutMs = 30_000
// How often the server's own files are asked whether it is ready.
const pollMs = 10

/**
 * Starts a Postgres server of its own, and waits until it takes connections: about a second, most of it initdb. With
 * `SLUICE_TEST_POSTGRES_URL` set nothing is started: it is that server, which `kill` and `start` refuse to touch.
 *
 * @throws if there is no Postgres on this machine, or it ends before it is ready; the message holds what it has logged
 * @example await using postgres = await startPostgres({ settings: { synchronous_commit: 'off' } })
 */
export async function startPostgres(options: PostgresOptions = {}): Promise<PostgresServer> {
  const givenUrl = process.env['SLUICE_TEST_POSTGRES_URL']
  if (givenUrl !== undefined && options.binaries === undefined) return openGivenServer(givenUrl)
  const binaries = options.binaries ?? findPostgres()
  if (binaries === undefined) throw new Error(howToGetPostgres)

  const home = createHome(binaries, options)
  try {
    await initialize(home, options.settings ?? {})
    return await openOwnServer(home)
  } catch (error) {
    rmSync(home.folder, { recursive: true, force: true })
    throw error
  }
}

/** One folder with all that a server has, and how its programs are run in there. */
type Home = {
  readonly folder: string
  readonly dataDir: string
  readonly password: string
  readonly version: string
  readonly log: () => string
  readonly run: (program: string, args: readonly string[]) => Promise<TetheredProcess>
}

function createHome(binaries: PostgresBinaries, { parentFolder = tmpdir(), env }: PostgresOptions): Home {
  const owner = findUnprivilegedUser()
  const folder = mkdtempSync(join(parentFolder, 'sluice-postgres-'))
  const logFile = join(folder, 'postgres.log')
  const password = randomBytes(16).toString('hex')
  writeFileSync(join(folder, 'password'), password)
  writeFileSync(logFile, '')
  if (owner !== undefined) {
    for (const path of [folder, logFile, join(folder, 'password')]) chownSync(path, owner.uid, owner.gid)
  }
  const plan: Omit<TetherPlan, 'file' | 'args'> = {
    folder,
    logFile,
    user: owner,
    // Of this process's environment only what is needed: PGDATA and the like would change what the server does.
    env: { PATH: process.env['PATH'], SystemRoot: process.env['SystemRoot'], LC_ALL: 'C', TZ: 'UTC', ...env },
    // An immediate shutdown; of initdb it is the end too.
    abandonSignal: 'SIGQUIT',
  }
  return {
    folder,
    dataDir: join(folder, 'data'),
    password,
    version: binaries.version,
    log: () => (existsSync(logFile) ? readFileSync(logFile, 'utf8') : ''),
    run: (program, args) => startTethered({ ...plan, file: join(binaries.folder, program), args }),
  }
}

async function initialize({ folder, dataDir, log, run }: Home, settings: Readonly<Record<string, string>>) {
  // ICU's English order, as most servers have a language's: SQL that silently relies on the order of bytes is found here.
  const locale = ['--encoding=UTF8', '--locale=C', '--locale-provider=icu', '--icu-locale=en']
  const access = [`--username=${user}`, `--pwfile=${join(folder, 'password')}`, '--auth=scram-sha-256']
  const args = [`--pgdata=${dataDir}`, ...locale, ...access, '--no-sync', '--no-instructions']
  const initdb = await run('initdb', args)
  if ((await initdb.wait()) !== 0) throw new Error(`initdb failed: ${log()}`)

  const all = {
    listen_addresses: '127.0.0.1',
    unix_socket_directories: process.platform === 'win32' ? '' : folder,
    max_connections: '200',
    // Files in the data folder: after a SIGKILL, segments in /dev/shm would be left behind.
    dynamic_shared_memory_type: process.platform === 'win32' ? 'windows' : 'mmap',
    ...settings,
  }
  const lines = Object.entries(all).map(([name, value]) => `${name} = '${value.replaceAll("'", "''")}'\n`)
  appendFileSync(join(dataDir, 'postgresql.conf'), lines.join(''))
}

async function openOwnServer(home: Home): Promise<PostgresServer> {
  let { port, postmaster } = await startOnFreePort(home)
  const databases = openPostgres(`postgres://${user}:${home.password}@127.0.0.1:${port}/postgres`, home.version)

  const stop = async (): Promise<void> => {
    await postmaster.end('SIGINT')
    rmSync(home.folder, { recursive: true, force: true })
  }
  return {
    ...databases,
    get pid() {
      return postmaster.isEnded() ? null : postmaster.pid
    },
    dataDir: home.dataDir,
    log: home.log,
    kill: async (signal = 'SIGKILL') => void (await postmaster.end(signal)),
    start: async () => {
      if (!postmaster.isEnded()) throw new Error('this Postgres is running; kill it before it is started again')
      postmaster = await startPostmaster(home, port)
    },
    stop,
    [Symbol.asyncDispose]: stop,
  }
}

async function startOnFreePort(home: Home, attemptsLeft = 3): Promise<{ port: number; postmaster: TetheredProcess }> {
  const port = await findFreePort()
  try {
    return { port, postmaster: await startPostmaster(home, port) }
  } catch (error) {
    const isTaken = home.log().includes('Address already in use')
    if (isTaken && attemptsLeft > 1) return startOnFreePort(home, attemptsLeft - 1)
    throw error
  }
}

async function startPostmaster(home: Home, port: number): Promise<TetheredProcess> {
  const giveUpAt = Date.now() + readyTimeoutMs
  for (;;) {
    const logged = home.log().length
    const postmaster = await home.run('postgres', ['-D', home.dataDir, '-p', String(port)])
    const isReady = await waitUntilReady(home, postmaster, giveUpAt)
    if (isReady) return postmaster
    await postmaster.end('SIGQUIT')
    const log = home.log().slice(logged)
    // The children of a postmaster that was killed hold its memory until they notice.
    const isPredecessorThere = /pre-existing shared memory block|lock file .* already exists/.test(log)
    if (!isPredecessorThere || Date.now() > giveUpAt) throw new Error(`Postgres did not become ready: ${log}`)
    await delay(pollMs)
  }
}

async function waitUntilReady({ dataDir }: Home, postmaster: TetheredProcess, giveUpAt: number): Promise<boolean> {
  const statusFile = join(dataDir, 'postmaster.pid')
  while (!postmaster.isEnded() && Date.now() < giveUpAt) {
    // What pg_ctl looks at: the first line is the pid, the eighth the status. A file of before has another pid.
    const lines = existsSync(statusFile) ? readFileSync(statusFile, 'utf8').split('\n') : []
    if (Number(lines[0]) === postmaster.pid && lines[7]?.trim() === 'ready') return true
    await delay(pollMs)
  }
  return false
}

async function openGivenServer(url: string): Promise<PostgresServer> {
  const databases = openPostgres(url, '')
  const rows = await databases.exec('show server_version')
  const refuse = async (): Promise<never> => {
    throw new Error('the server of SLUICE_TEST_POSTGRES_URL is not ours to kill or start; unset it to have one that is')
  }
  return {
    ...databases,
    version: String(rows[0]?.['server_version']),
    pid: null,
    dataDir: null,
    log: () => '',
    kill: refuse,
    start: refuse,
    stop: async () => undefined,
    [Symbol.asyncDispose]: async () => undefined,
  }
}
