import { setTimeout as delay } from 'node:timers/promises'
import type { Dispatcher } from 'undici'
import { createPlayer, createRecorder } from '../testing/cassette.ts'
import { readConfiguration } from './configuration.ts'
import type { Connector, UpdateContext } from './define.ts'
import { toSystemColumns, type Destination, type SystemColumns } from './destination.ts'
import { toFailureKind, toMessage, type FailureKind } from './error.ts'
import { toCreateHttp } from './http.ts'
import { createCleaner, createLog, type Sink } from './log.ts'
import type { Naming } from './names.ts'
import type { SourceRow } from './nested.ts'
import { createOperations, type OperationKind, type TableRows } from './operations.ts'
import { parseSchema, type NameOptions } from './schema.ts'
import { parseState, type SyncState } from './state.ts'
import type { Drift } from './table-columns.ts'
import { createTally, type Tally } from './tally.ts'

export type RunOptions = {
  readonly connector: Connector
  /** as it stands in `configuration.json`: texts by name */
  readonly configuration: unknown
  /** opens where the tables go. It is closed in the end, whatever happens */
  readonly destination: (options: {
    readonly connector: string
    readonly system: SystemColumns
  }) => Promise<Destination>
  /** instead of the state at the destination; `{}` begins anew */
  readonly state?: SourceRow | undefined
  /** default `fivetran`: names in lower case with underscores */
  readonly naming?: Naming | undefined
  /** default `fivetran`: `_fivetran_synced` and so on; or `_sluice_…` */
  readonly systemColumns?: 'fivetran' | 'sluice' | undefined
  readonly signal?: AbortSignal | undefined
  /** the way out, as `createOutbound` makes it; where left out, any address is reached */
  readonly dispatcher?: Dispatcher | undefined
  /** keeps requests and answers in a file, without secrets; or answers from it */
  readonly cassette?: { readonly file: string; readonly mode: 'record' | 'replay' } | undefined
  /** what the connector and its requests say; default nothing */
  readonly onLog?: Sink | undefined
  /** before an operation is carried out: its number, from 1 */
  readonly onOperation?: ((number: number, kind: OperationKind) => void) | undefined
  /** after a checkpoint is safe, with its state */
  readonly onCheckpoint?: ((state: SourceRow) => void | Promise<void>) | undefined
  /** a table, once each, as it goes by */
  readonly onDrift?: ((drift: Drift) => void) | undefined
  /** is filled while the sync runs */
  readonly tally?: Tally | undefined
  /** rows that wait in memory at most, in bytes; default 8 MB */
  readonly maxWaitingBytes?: number | undefined
  readonly nowMs?: (() => number) | undefined
  readonly sleep?: ((ms: number, signal: AbortSignal | undefined) => Promise<void>) | undefined
  readonly random?: (() => number) | undefined
}

export type SyncFailure = { readonly kind: FailureKind; readonly message: string; readonly cause: unknown }

/** How a sync ended. What a failed one committed before stays, and the next one goes on there. */
export type SyncResult = {
  readonly status: 'succeeded' | 'failed'
  readonly operations: Tally['operations']
  /** rows that are not marked as deleted, by table; empty where the destination could not be opened */
  readonly tables: Readonly<Record<string, { readonly rows: number }>>
  /** of the last checkpoint that is safe */
  readonly state: SourceRow | undefined
  readonly error?: SyncFailure
}

const defaultWaitingBytes = 8 * 1024 * 1024

/**
 * Runs a connector once. Failures are in the result, never thrown, and never a success: neither of an operation that nobody
 * awaited, nor of one whose error the connector has caught.
 *
 * @example
 * const result = await runConnector({ connector, configuration, destination: (options) => openDuckDb({ file, ...options }) })
 */
export async function runConnector(options: RunOptions): Promise<SyncResult> {
  const tally = options.tally ?? createTally()
  const system = toSystemColumns(options.systemColumns ?? 'fivetran')
  let clean = (text: string): string => text
  let destination: Destination | undefined
  let sync: Sync | undefined
  let error: SyncFailure | undefined
  try {
    const { values, secrets } = readConfiguration(options.connector.configuration, options.configuration)
    clean = createCleaner(secrets)
    destination = await options.destination({ connector: options.connector.name, system })
    sync = await prepare({ ...options, tally }, { values, secrets, destination, system })
    await sync.run()
  } catch (cause) {
    const kind = options.signal?.aborted ? 'cancelled' : toFailureKind(cause)
    error = { kind, message: clean(toMessage(cause)), cause }
  }
  try {
    if (error) await destination?.rollback()
    const tables = destination && sync ? await countTables(destination, sync.tables()) : {}
    const status = error ? 'failed' : 'succeeded'
    return { status, operations: tally.operations, tables, state: sync?.state(), ...(error && { error }) }
  } catch (cause) {
    // Whatever ended the sync is what matters; a destination that is gone cannot be counted either.
    error ??= {
      kind: toFailureKind(cause),
      message: clean(toMessage(cause)),
      cause,
    }
    return { status: 'failed', operations: tally.operations, tables: {}, state: sync?.state(), error }
  } finally {
    await destination?.close()
  }
}

async function countTables(destination: Destination, names: readonly string[]): Promise<SyncResult['tables']> {
  const counted: Record<string, { rows: number }> = {}
  for (const name of names) counted[name] = { rows: await destination.countRows(name) }
  return counted
}

type Sync = {
  readonly run: () => Promise<void>
  readonly tables: () => readonly string[]
  /** of the last checkpoint that is safe */
  readonly state: () => SourceRow
}

type Given = {
  readonly values: Readonly<Record<string, unknown>>
  readonly secrets: readonly string[]
  readonly destination: Destination
  readonly system: SystemColumns
}

async function prepare(options: RunOptions & { readonly tally: Tally }, given: Given): Promise<Sync> {
  const { connector, tally, nowMs = Date.now, signal = new AbortController().signal } = options
  const { destination, system, secrets, values } = given
  const names: NameOptions = {
    naming: options.naming ?? 'fivetran',
    maxNameBytes: destination.maxNameBytes,
    reserved: Object.values(system),
  }
  // The types of a connector are its own; here each is like any other.
  const { schema, update } = connector as unknown as Plain
  const kept = parseState(await destination.readState())
  const before: SyncState = options.state ? { ...kept, state: options.state, generations: {} } : kept
  const running = createOperations({
    destination,
    schemas: parseSchema(schema(values), names),
    names,
    idColumn: system.id,
    syncedAt: destination.unfinished ?? toSyncedAt(nowMs(), kept.syncedAt),
    before,
    tally,
    onDrift: options.onDrift ?? (() => {}),
    maxWaitingBytes: options.maxWaitingBytes ?? defaultWaitingBytes,
    signal,
    secrets,
    onOperation: options.onOperation,
    onCheckpoint: options.onCheckpoint,
  })
  const log = createLog(options.onLog ?? (() => {}), secrets)
  const { random = Math.random, sleep = sleepFor } = options
  const dispatcher = toDispatcher(options, secrets)
  const http = toCreateHttp({ dispatcher, signal, nowMs, sleep, random, log, tally: tally.http })
  const state = { ...connector.state, ...before.state }
  return {
    run: async () => {
      await update({ configuration: values, state, op: running.op, log, http, signal })
      signal.throwIfAborted()
      await running.finish()
    },
    tables: running.tables,
    state: running.state,
  }
}

type Plain = {
  readonly schema: (configuration: unknown) => unknown
  readonly update: (context: UpdateContext<unknown, SourceRow, TableRows>) => Promise<void>
}

function toDispatcher({ cassette, dispatcher }: RunOptions, secrets: readonly string[]): Dispatcher | undefined {
  if (!cassette) return dispatcher
  const { file, mode } = cassette
  return mode === 'record'
    ? createRecorder({ file, credentials: secrets })
    : createPlayer({ file, credentials: secrets })
}

const sleepFor = (ms: number, signal: AbortSignal | undefined): Promise<void> => delay(ms, undefined, { signal })

/** Later than that of the sync before, whatever the clock says: what a sync has not touched is older than it. */
function toSyncedAt(nowMs: number, before: string | undefined): string {
  return new Date(before === undefined ? nowMs : Math.max(nowMs, Date.parse(before) + 1)).toISOString()
}
