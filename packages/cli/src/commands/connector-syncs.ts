import { Console } from 'node:console'
import { existsSync, readFileSync } from 'node:fs'
import { mkdir, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { ConnectorError } from '@sluice/sdk/connector'
import {
  createTally,
  destinationKinds,
  loadConnector,
  runConnector,
  toDestination,
  withChaos,
  type Connector,
  type DestinationKind,
  type RunOptions,
  type SyncFailure,
  type SyncResult,
} from '@sluice/sdk/sync'
import { InvalidArgumentError, Option, type Command } from 'commander'
import { toSyncCode } from '../connector-exit.ts'
import { CommandError, usage } from '../exit.ts'
import { readSecret, withJson, wholeNumber, type JsonOption } from '../options.ts'
import { createOutput, printable, toTable, type Output } from '../output.ts'
import { stopOnSignal } from '../stop-on-signal.ts'
import { createSyncProgress } from '../sync-progress.ts'

type SyncOptions = JsonOption & {
  readonly configuration?: string
  readonly state?: string
  readonly destination: DestinationKind
  readonly setting?: Readonly<Record<string, string>>
  readonly output: string
  readonly naming: 'fivetran' | 'source'
  readonly systemColumns: 'fivetran' | 'sluice'
  readonly verbose?: boolean
}

type DebugOptions = SyncOptions & {
  readonly record?: string
  readonly replay?: string
  readonly chaos?: readonly Chaos[]
  readonly killAt?: number
}

type Chaos = Parameters<typeof withChaos>[1][number]

/** @param connectors the command that these belong to */
export function addConnectorSyncs(connectors: Command): void {
  withSync(connectors.command('debug'))
    .description(
      'Runs a connector once, here, into a DuckDB file: OUTPUT/warehouse.duckdb, schema tester. The next run goes on where it was.',
    )
    .option('--record <file>', 'keep requests and answers in a cassette, without secrets')
    .option('--replay <file>', 'answer from a cassette, and send nothing')
    .option('--chaos <kind=n>', `make each nth fail: ${chaosKinds.join(', ')}`, toChaos)
    .option('--kill-at <n>', 'kill -9 at the nth operation, before it is carried out', wholeNumber(1, 1e9))
    .addHelpText('after', `${codes}\n  sluice connectors debug integrations/people-ai --configuration people-ai.json`)
    .action((folder: string, options: DebugOptions) => sync(folder, options, 'tester'))
  withSync(connectors.command('run'))
    .description('Runs a connector once, here, into tables that are kept: in a schema that is called as the connector.')
    .addHelpText(
      'after',
      `${codes}\n  sluice connectors run people-ai --destination postgres --setting url=postgres://…`,
    )
    .action((folder: string, options: SyncOptions) => sync(folder, options, undefined))
}

function withSync(command: Command): Command {
  return withJson(command)
    .argument('<folder>', 'of the connector')
    .option('--configuration <file>', 'default configuration.json of the folder')
    .option('--state <file>', 'instead of the state at the destination; a JSON object, {} to begin anew')
    .addOption(new Option('--destination <kind>', 'where tables go').choices(destinationKinds).default('duckdb'))
    .option(
      '--setting <name=value>',
      'of the destination, as file=sales.duckdb or url=@FILE; more than one can be given',
      toSetting,
    )
    .option('--output <folder>', 'where files are left that no setting names', 'files')
    .addOption(
      new Option('--naming <rule>', 'of tables and columns').choices(['fivetran', 'source']).default('fivetran'),
    )
    .addOption(
      new Option('--system-columns <family>', 'what they begin with')
        .choices(['fivetran', 'sluice'])
        .default('fivetran'),
    )
    .option('--verbose', 'what the connector says at level debug, too')
}

const codes = `
Exit codes: 0 succeeded, 10 configuration, 11 credentials, 12 rate limit, 13 the service, 14 the connector, 1 everything else.

Example:`

const chaosKinds = ['rate-limit', 'error', 'cut', 'unauthorized', 'repeat', 'late', 'drift'] as const

function toChaos(text: string, before: readonly Chaos[] = []): readonly Chaos[] {
  const [, kind = '', every = ''] = /^([a-z-]+)=(\d{1,9})$/.exec(text) ?? []
  const found = chaosKinds.find((known) => known === kind)
  if (!found || Number(every) < 1)
    throw new InvalidArgumentError(`It must be KIND=N, as error=10; kinds are ${chaosKinds.join(', ')}.`)
  return [...before, { kind: found, every: Number(every) }]
}

function toSetting(text: string, before: Readonly<Record<string, string>> = {}): Readonly<Record<string, string>> {
  const at = text.indexOf('=')
  if (at < 1) throw new InvalidArgumentError('It must be NAME=VALUE.')
  const name = text.slice(0, at)
  return { ...before, [name]: readSecret(`--setting ${name}`, text.slice(at + 1)) }
}

/** @param schema of the tables where no setting names one; default the name of the connector */
async function sync(folder: string, options: DebugOptions, schema: string | undefined): Promise<void> {
  if (!existsSync(folder)) throw usage(`there is no folder ${folder}`)
  if (options.record !== undefined && options.replay !== undefined)
    throw usage('--record and --replay exclude each other')
  // What a connector prints is for people: stdout has the result alone.
  globalThis.console = new Console({ stdout: process.stderr, stderr: process.stderr })
  const output = createOutput(options)
  const result = await loadConnector(folder)
    .then((connector) => run(connector, { folder, schema: schema ?? connector.name, ...options }))
    .catch((cause: unknown) => toFailed(cause))
  report(output, result)
  process.exitCode = toSyncCode(result.error)
}

/** Before anything ran. A folder without a connector is wrong usage; a module that cannot be loaded is a bug of the connector. */
function toFailed(cause: unknown): SyncResult {
  if (cause instanceof CommandError) throw cause
  const message = cause instanceof Error ? cause.message : String(cause)
  if (cause instanceof Error && cause.name === 'ConfigurationError') throw usage(message)
  const kind = cause instanceof ConnectorError ? cause.kind : 'bug'
  const { operations } = createTally()
  return { status: 'failed', operations, tables: {}, state: undefined, error: { kind, message, cause } }
}

type Place = { readonly folder: string; readonly schema: string }

async function run(connector: Connector, options: DebugOptions & Place): Promise<SyncResult> {
  const { output, killAt, chaos = [], folder, destination: kind, schema, setting } = options
  const tally = createTally()
  const progress = createSyncProgress(tally)
  const cassette = toCassette(options)
  const hasSchemas = kind === 'duckdb' || kind === 'postgres'
  const settings = { ...(hasSchemas && { schema }), ...setting }
  const order: RunOptions = {
    connector,
    configuration: readFile(options.configuration ?? join(folder, 'configuration.json'), options.configuration),
    destination: toDestination(kind, settings, output),
    ...(options.state !== undefined && { state: readState(options.state) }),
    naming: options.naming,
    systemColumns: options.systemColumns,
    signal: stopOnSignal().signal,
    tally,
    ...(cassette && { cassette }),
    onLog: (level, message) => {
      if (level !== 'debug' || options.verbose) progress.note(`${level.padEnd(8)} ${printable(message)}`)
    },
    onOperation: (number) => {
      if (number === killAt) process.kill(process.pid, 'SIGKILL')
      progress.show()
    },
    onCheckpoint: (state) => keepState(output, state),
    onDrift: ({ table, change, detail }) =>
      progress.note(`drift    ${table}: ${change.replace('_', ' ')}, ${printable(detail)}`),
  }
  const result = await runConnector(withChaos(order, chaos))
  progress.end()
  return result
}

function toCassette({ record, replay }: DebugOptions): RunOptions['cassette'] {
  if (record !== undefined) return { file: record, mode: 'record' }
  return replay === undefined ? undefined : { file: replay, mode: 'replay' }
}

/** @returns an empty configuration where nobody named a file and there is none; what is wrong with the text is for the sync to say */
function readFile(file: string, named: string | undefined): unknown {
  if (named === undefined && !existsSync(file)) return {}
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as unknown
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause)
    throw new ConnectorError('configuration', `${file} cannot be read as JSON: ${reason}`, { cause })
  }
}

function readState(file: string): Record<string, unknown> {
  const state = readFile(file, file)
  if (typeof state !== 'object' || state === null || Array.isArray(state))
    throw usage(`${file} must hold a JSON object`)
  return state as Record<string, unknown> // just checked
}

/** For people and for --state; the warehouse has its own, with the rows that belong to it. */
async function keepState(folder: string, state: Readonly<Record<string, unknown>>): Promise<void> {
  await mkdir(folder, { recursive: true })
  const file = join(folder, 'state.json')
  await writeFile(`${file}.new`, `${JSON.stringify(state, undefined, 2)}\n`)
  await rename(`${file}.new`, file)
}

function report(output: Output, { status, operations, tables, error }: SyncResult): void {
  const { message } = error ?? ({} as Partial<SyncFailure>)
  const words = [
    toOperations(operations),
    toTable(
      ['TABLE', 'ROWS'],
      Object.entries(tables).map(([table, { rows }]) => [table, rows]),
    ),
    status === 'succeeded' ? 'SYNC SUCCEEDED' : 'SYNC FAILED',
  ]
  if (error) output.note(`${error.kind.replace('_', ' ')}: ${printable(message ?? '')}`)
  const short = { status, operations, tables, ...(error && { error: { kind: error.kind, message } }) }
  output.result(short, words.join('\n\n'))
}

function toOperations(operations: SyncResult['operations']): string {
  const names: Readonly<Record<keyof SyncResult['operations'], string>> = {
    upserts: 'Upserts',
    updates: 'Updates',
    deletes: 'Deletes',
    truncates: 'Truncates',
    schema_changes: 'SchemaChanges',
    checkpoints: 'Checkpoints',
  }
  const rows = Object.entries(names).map(
    ([key, name]) => `${name.padEnd(14)} | ${operations[key as keyof typeof names]}`,
  )
  return ['SYNC PROGRESS:', 'Operation      | Calls', '---------------+------', ...rows].join('\n')
}
