import { setTimeout as sleep } from 'node:timers/promises'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { Pool } from 'undici'
import { startHub } from '../scripts/hub-process.ts'
import { pinMainThread, serverCore } from './pin.ts'

/** A hub in its own process, its main thread pinned, with a key and a connection pool for what is not measured. */
export type Hub = {
  readonly url: string
  readonly pid: number
  readonly apiKey: string
  /** a request whose speed does not matter; throws on answers other than 2xx */
  readonly call: <Answer>(method: 'GET' | 'POST' | 'PUT' | 'DELETE', path: string, body?: object) => Promise<Answer>
  readonly stop: () => Promise<void>
  readonly [Symbol.asyncDispose]: () => Promise<void>
}

/** A hub on a data folder. */
export type FolderHub = Hub & {
  readonly data: string
  /** the store's file */
  readonly file: string
}

type Options = {
  readonly data: string
  /** of a folder that a hub has run on before */
  readonly apiKey?: string
  /** a file of `preloads/` that is loaded before the hub */
  readonly preload?: 'commit-alone.ts' | 'later.ts'
  /** a folder of integrations */
  readonly integrations?: string
  /** further options for Node, as `--cpu-prof` */
  readonly nodeOptions?: string
}

export async function openHub({
  data,
  preload,
  integrations,
  nodeOptions = '',
  ...options
}: Options): Promise<FolderHub> {
  const preloaded = preload ? `--import=${new URL(`preloads/${preload}`, import.meta.url).href}` : ''
  const env = {
    NODE_OPTIONS: `${preloaded} ${nodeOptions}`.trim(),
    ...(integrations && { SLUICE_INTEGRATIONS: integrations }),
  }
  const hub = await openProcess({ ...options, data, env, core: serverCore })
  return { ...hub, data, file: join(data, 'sluice.db') }
}

type NodeOptions = {
  /** the address of a Postgres database, which other nodes may work on too */
  readonly database: string
  /** a folder of its own: nothing is stored there */
  readonly data: string
  readonly secretKey: string
  /** of a database that a node has worked on before */
  readonly apiKey?: string | undefined
  readonly core: number
  readonly nodeOptions?: string
}

/** A hub on Postgres. */
export function openNode({ database, secretKey, nodeOptions = '', ...options }: NodeOptions): Promise<Hub> {
  const env = { DATABASE_URL: database, SLUICE_SECRET_KEY: secretKey, NODE_OPTIONS: nodeOptions }
  return openProcess({ ...options, env })
}

type ProcessOptions = {
  readonly data: string
  readonly env: NodeJS.ProcessEnv
  readonly apiKey?: string | undefined
  readonly core: number
}

async function openProcess({ data, env, apiKey, core }: ProcessOptions): Promise<Hub> {
  const hub = await startHub({ data, env, readyTimeoutMs: 60_000 })
  pinMainThread(hub.pid, core)
  const key = hub.apiKey ?? apiKey
  if (key === undefined || key === null) throw new Error(`the hub on ${data} printed no key, and none is known`)
  const pool = new Pool(hub.url, { connections: 8, bodyTimeout: 0, headersTimeout: 0 })
  const end = async (): Promise<void> => {
    await pool.destroy()
    if (!hub.isEnded()) await hub.stop()
  }
  let ended: Promise<void> | undefined
  const stop = (): Promise<void> => (ended ??= end())
  return {
    url: hub.url,
    pid: hub.pid,
    apiKey: key,
    call: (method, path, body) => callPool(pool, key, { method, path, body }),
    stop,
    [Symbol.asyncDispose]: stop,
  }
}

type Call = { readonly method: string; readonly path: string; readonly body: object | undefined }

async function callPool<Answer>(pool: Pool, apiKey: string, { method, path, body }: Call): Promise<Answer> {
  const answer = await pool.request({
    method,
    path,
    headers: { authorization: `Bearer ${apiKey}`, ...(body && { 'content-type': 'application/json' }) },
    ...(body && { body: JSON.stringify(body) }),
  })
  const text = await answer.body.text()
  if (answer.statusCode >= 300) throw new Error(`${method} ${path} answered ${answer.statusCode}: ${text}`)
  return (text === '' ? undefined : JSON.parse(text)) as Answer // as the protocol says for that route
}

/** Resident memory of a process in MB, now and at its highest. */
export function readMemory(pid: number): { nowMb: number; peakMb: number } {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8')
  const read = (name: string): number => Number(new RegExp(`${name}:\\s+(\\d+) kB`).exec(status)?.[1]) / 1024
  return { nowMb: read('VmRSS'), peakMb: read('VmHWM') }
}

/** Looks into the store's file while the hub is idle or stopped. */
export function readStore<Answer>(file: string, read: (db: DatabaseSync) => Answer): Answer {
  const db = new DatabaseSync(file, { readOnly: true, timeout: 10_000 })
  try {
    return read(db)
  } finally {
    db.close()
  }
}

/** The last position of the default workspace; positions have no gaps on this store as long as nothing is trimmed. */
export function readHead(file: string): number {
  return readStore(file, (db) =>
    Number(db.prepare(`select head from workspace where key = 'default'`).get()?.['head'] ?? 0),
  )
}

/** The table that holds the events of the default workspace. */
export function eventTableOf(db: DatabaseSync): string {
  return `event_${Number(db.prepare(`select id from workspace where key = 'default'`).get()?.['id'])}`
}

/** A process that is stopped takes no share of the machine while another one is measured. */
export async function whileFrozen<Answer>(pid: number, run: () => Promise<Answer>): Promise<Answer> {
  process.kill(pid, 'SIGSTOP')
  await sleep(100)
  try {
    return await run()
  } finally {
    process.kill(pid, 'SIGCONT')
    await sleep(100)
  }
}
