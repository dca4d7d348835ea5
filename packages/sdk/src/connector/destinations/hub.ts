import { createHash } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import { createFetch, type Fetch } from '../../http/fetch.ts'
import { createIdempotency } from '../../http/idempotency.ts'
import { HTTPError } from '../../integration/error.ts'
import type { Batch, Capabilities, Destination, DestinationOptions, Sweep, Swept } from '../destination.ts'
import { ConnectorError, toMessage } from '../error.ts'
import { addBatch, addTable, judgeSweep, printSweep, setColumns, toChangeRecords } from './change-records.ts'
import { openManifestFolder, toFileFailure, type KeptTable, type ManifestFolder } from './manifest.ts'

export type HubOptions = DestinationOptions & {
  /** of the hub, as `http://127.0.0.1:8000` */
  readonly url: string
  /** may publish */
  readonly apiKey: string
  /** for the state, which a hub has no place for; made where there is none */
  readonly folder: string
}

type Open = {
  readonly name: string
  readonly options: HubOptions
  readonly folder: ManifestFolder
  readonly fetch: Fetch
  readonly signal: AbortController
  /** with what is not committed */
  tables: Record<string, KeptTable>
  /** what waits to be sent, as JSON */
  waiting: string[]
  waitingBytes: number
  /** how often the same record came since the last commit */
  readonly seen: Map<string, number>
}

const capabilities: Capabilities = {
  merge: false,
  transaction: false,
  update: true,
  delete: true,
  history: true,
  evolution: 'none',
}

// The hub takes 1,000 and 5 MiB.
const maxEvents = 1000
const maxBytes = 4_500_000

/**
 * Each change as an event `<connector>.<table>.upserted`, `updated`, `deleted` or `truncated`. An event has the same idempotency key
 * whenever it is sent between two commits, so what is repeated after a kill is stored once. The state is in a file, and goes there
 * after the hub has accepted all before it.
 *
 * @throws ConnectorError if the folder cannot be written or the address is none
 * @example await using hub = await openHub({ url: 'http://127.0.0.1:8000', apiKey, folder: 'files/hub', connector: 'people_ai', system })
 */
export async function openHub(options: HubOptions): Promise<Destination> {
  const { url, folder: place, connector } = options
  if (!/^https?:$/.test(URL.parse(url)?.protocol ?? ''))
    throw new ConnectorError('configuration', `the url of the hub must be as http://127.0.0.1:8000; it is ${url}`)
  const name = `hub ${new URL(url).origin}`
  const folder = await openManifestFolder(place, connector).catch((error: unknown) => {
    throw toFileFailure(name, error)
  })
  const signal = new AbortController()
  const open: Open = {
    name,
    options,
    folder,
    fetch: toFetch(signal.signal),
    signal,
    tables: { ...folder.read().tables },
    waiting: [],
    waitingBytes: 0,
    seen: new Map(),
  }
  const close = async (): Promise<void> => {
    signal.abort()
    folder.close()
  }
  return {
    name,
    capabilities,
    unfinished: folder.read().unfinished,
    readState: async () => folder.read().state,
    readColumns: async (table) => open.tables[table]?.columns,
    createTable: async (table) => addTable(name, open.tables, table),
    addColumns: async (table, columns) => void setColumns(open.tables, table, columns),
    changeType: async (table, column) => setColumns(open.tables, table, [column]),
    write: (batch) => write(open, batch),
    sweep: (sweep) => writeSweep(open, sweep),
    countRows: async (table) => open.tables[table]?.rows ?? 0,
    commit: (state) => commit(open, state),
    rollback: async () => rollback(open),
    close,
    [Symbol.asyncDispose]: close,
  }
}

function toFetch(signal: AbortSignal): Fetch {
  return createFetch({
    maxRetries: 6,
    timeoutMs: 60_000,
    credentialFor: () => undefined,
    // Not `Idempotency-Key`, which is for single events; with any, a request may be sent again.
    idempotency: createIdempotency({ header: 'Sluice-Batch-Key', runKey: undefined, hosts: undefined }),
    logger: { debug: () => {} },
    signal,
    random: Math.random,
    nowMs: Date.now,
    sleep: (ms, until) => delay(ms, undefined, { signal: until }),
  })
}

const verbs = { upsert: 'upserted', update: 'updated', delete: 'deleted' } as const

async function write(open: Open, batch: Batch): Promise<void> {
  const { table, syncedAt } = batch
  for (const { change, members, key } of toChangeRecords(batch)) {
    const row = change === 'delete' ? '' : `,"row":{${members}}`
    await send(open, { table: table.name, verb: verbs[change], said: `"key":{${key}}${row}`, syncedAt })
  }
  open.tables[table.name] = addBatch(open.tables[table.name], batch)
}

async function writeSweep(open: Open, sweep: Sweep): Promise<Swept> {
  const { table, syncedAt } = sweep
  const swept = judgeSweep(open.name, sweep, open.tables[table.name])
  if (!swept.isStopped) await send(open, { table: table.name, verb: 'truncated', said: printSweep(sweep), syncedAt })
  return swept
}

type Said = { readonly table: string; readonly verb: string; readonly said: string; readonly syncedAt: string }

async function send(open: Open, { table, verb, said, syncedAt }: Said): Promise<void> {
  const { connector } = open.options
  begin(open, syncedAt)
  const key = toIdempotencyKey(open, `${table}\0${verb}\0${said}`)
  const payload = `{${said}${said === '' ? '' : ','}"synced_at":"${syncedAt}"}`
  const type = JSON.stringify(`${connector}.${table}.${verb}`)
  const source = JSON.stringify(`connectors/${connector}`)
  const event = `{"event_type":${type},"source":${source},"payload":${payload},"idempotency_key":"${key}"}`
  const bytes = Buffer.byteLength(event)
  if (open.waiting.length >= maxEvents || open.waitingBytes + bytes > maxBytes) await flush(open)
  open.waiting.push(event)
  open.waitingBytes += bytes
}

/** Events that are sent again must be the same, also in their time: a sync that goes on after a kill is the one that was killed. */
function begin({ folder, name }: Open, syncedAt: string): void {
  if (folder.read().unfinished === syncedAt) return
  try {
    folder.write({ ...folder.read(), unfinished: syncedAt })
  } catch (error) {
    throw toFileFailure(name, error)
  }
}

/** Of what changed, and after which commit. */
function toIdempotencyKey({ folder, seen }: Open, what: string): string {
  const { id, commits } = folder.read()
  const hash = createHash('sha256').update(`${id}\0${commits}\0${what}`).digest('base64url')
  // A row that comes to be what it was before is a change, too.
  const short = hash.slice(0, 12)
  const times = seen.get(short) ?? 0
  seen.set(short, times + 1)
  return times === 0 ? hash : `${hash}.${times}`
}

type Result = { readonly index: number; readonly error?: { readonly message?: string } | string }

async function flush(open: Open): Promise<void> {
  const { waiting, name, options, fetch } = open
  if (waiting.length === 0) return
  const body = `{"events":[${waiting.join(',')}]}`
  let results: readonly Result[]
  try {
    const answer = await fetch<{ readonly results: readonly Result[] }>(
      `${options.url.replace(/\/+$/, '')}/v1/events/batch`,
      {
        method: 'POST',
        data: body,
        contentType: 'application/json',
        secretHeaders: { authorization: `Bearer ${options.apiKey}` },
        // Each event has its own.
        idempotencyKey: createHash('sha256').update(body).digest('base64url'),
        retryRateLimited: true,
      },
    )
    results = answer.data.results
  } catch (cause) {
    throw toFailure(name, cause)
  }
  const refused = results.find(({ error }) => error !== undefined)
  if (refused) throw toRefusal(name, waiting[refused.index] ?? '', refused)
  open.waiting = []
  open.waitingBytes = 0
}

function toFailure(name: string, cause: unknown): ConnectorError {
  const isKey = cause instanceof HTTPError && (cause.status === 401 || cause.status === 403)
  const hint = isKey ? '; api_key must be a key of this hub that may publish these event types' : ''
  return new ConnectorError('destination', `${name}: ${toMessage(cause)}${hint}`, { cause })
}

function toRefusal(name: string, event: string, { error }: Result): ConnectorError {
  const said = typeof error === 'string' ? error : (error?.message ?? JSON.stringify(error))
  return new ConnectorError('destination', `${name} refused ${event.slice(0, 200)}…: ${said}`)
}

async function commit(open: Open, state: string): Promise<void> {
  await flush(open)
  const { unfinished: _, ...last } = open.folder.read()
  try {
    open.folder.write({ ...last, commits: last.commits + 1, state, tables: { ...open.tables } })
  } catch (error) {
    throw toFileFailure(open.name, error)
  }
  open.seen.clear()
}

/** What the hub has accepted stays; it is sent again with the same keys. */
function rollback(open: Open): void {
  open.waiting = []
  open.waitingBytes = 0
  open.seen.clear()
  open.tables = { ...open.folder.read().tables }
}
