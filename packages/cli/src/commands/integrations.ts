import type { RunResult } from '@sluice/client/admin'
import { Console } from 'node:console'
import { createContext, type ActionEnvelope, type IntegrationConfig, type PollEnvelope } from '@sluice/sdk/integration'
import { createDryRun, type DryRun } from '@sluice/sdk/outbound'
import { findConfigs, loadFolder, validateConfig, type Validated } from '@sluice/sdk/folder'
import type { Command } from 'commander'
import { exitCodes, usage } from '../exit.ts'
import { openAdmin } from '../hub.ts'
import {
  readJson,
  withHub,
  withJson,
  withPages,
  type HubOptions,
  type JsonOption,
  type PageOptions,
} from '../options.ts'
import { createOutput, toTable, type Output } from '../output.ts'
import { stopOnSignal } from '../stop-on-signal.ts'
import { addIntegrationTools } from './integration-tools.ts'
import { addIntegrationsDev } from './integrations-dev.ts'
import { addOAuthClient } from './oauth-client.ts'

type RunOptions = JsonOption & {
  readonly inputs: string
  readonly auth?: string
  readonly timeout?: number
}

type PollRunOptions = RunOptions & { readonly lastPollTs?: string; readonly state?: string }

export function addIntegrations(program: Command): void {
  const integrations = program.command('integrations').summary('actions and polling triggers of outside services')
  addHubCommands(integrations)
  addOAuthClient(integrations)
  addIntegrationTools(integrations)
  addIntegrationsDev(integrations)
  withJson(integrations.command('validate'))
    .description('Checks configurations, and handlers where there are any. Exit code 1 if one cannot be used.')
    .argument('<path...>', "a config.json, a folder of them, an integration's folder, or a folder of those")
    .option('--strict', 'refuse what would be mended')
    .action(validate)
  withRun(withJson(integrations.command('run')))
    .description('Runs an action once, here, and prints its result. Exit code 1 for a result that is an error.')
    .argument('<folder>', 'of the integration')
    .argument('<action>')
    .option('--dry-run', 'sends no write request: prints what would have been sent')
    .action(async (folder: string, name: string, options: RunOptions & { readonly dryRun?: boolean }) => {
      const integration = await loadHere(folder)
      const dry = options.dryRun ? createDryRun(folder) : undefined
      const context = toContext(options, integration.config, dry?.intercept)
      const running = integration.executeAction(name, readJson('--inputs', options.inputs), context)
      if (dry) finishDry(options, dry, await Promise.race([running, dry.stopped]))
      else finish(options, await running)
    })
  withRun(withJson(integrations.command('poll')))
    .description('Asks a polling trigger once, here, and prints what it found.')
    .argument('<folder>', 'of the integration')
    .argument('<trigger>')
    .option('--last-poll-ts <time>', 'when it was asked last; the first time when left out')
    .option('--state <json>', 'what it answered as state then; JSON, or @FILE')
    .action(async (folder: string, name: string, options: PollRunOptions) => {
      const integration = await loadHere(folder)
      const context = toContext(options, integration.config)
      const place = {
        last_poll_ts: options.lastPollTs ?? null,
        state: options.state === undefined ? null : readJson('--state', options.state),
      }
      const inputs = readJson('--inputs', options.inputs)
      finish(options, await integration.executePollingTrigger(name, inputs, context, place))
    })
}

function addHubCommands(integrations: Command): void {
  withPages(withHub(integrations.command('list')))
    .description('What the hub can run.')
    .action(async (options: HubOptions & PageOptions) => {
      const page = await openAdmin(options).listIntegrations({ limit: options.limit, cursor: options.cursor })
      const rows = page.integrations.map((one) => [
        one.name,
        one.version,
        one.auth?.type === 'choice' ? one.auth.methods.map(({ id }) => id).join(' or ') : (one.auth?.type ?? 'none'),
        one.actions.map(({ name }) => name).join(', '),
        one.polling_triggers.map(({ name }) => name).join(', '),
      ])
      createOutput(options).page(page, toTable(['NAME', 'VERSION', 'AUTH', 'ACTIONS', 'POLLING TRIGGERS'], rows))
    })
  withHub(integrations.command('call'))
    .description('Runs an action in the hub, and prints its result. Exit code 1 for a result that is an error.')
    .argument('<integration>')
    .argument('<action>')
    .option('--inputs <json>', 'an object, or @FILE', '{}')
    .option('--connection <key>', 'whose credentials; see sluice connections')
    .option('--dry-run', 'sends no write request: prints what would have been sent')
    .action(async (integration: string, action: string, options: HubOptions & CallOptions) => {
      const inputs = readJson('--inputs', options.inputs)
      if (!isObject(inputs)) throw usage('--inputs must be a JSON object, or @FILE')
      const { connection, dryRun } = options
      const order = { inputs, ...(connection !== undefined && { connection }), ...(dryRun && { dry_run: true }) }
      const result = await openAdmin(options).runAction(integration, action, order)
      createOutput(options).result(result, JSON.stringify(result, undefined, 2))
      process.exitCode = isGood(result) ? exitCodes.done : exitCodes.failed
    })
}

type CallOptions = { readonly inputs: string; readonly connection?: string; readonly dryRun?: boolean }

/** A dry run that ended at a write did what it should. */
function isGood({ type, result }: RunResult): boolean {
  if (type !== 'dry_run') return type === 'action'
  const { outcome } = result as { outcome: { type: string } | null } // as the hub answers
  return outcome === null || outcome.type === 'action'
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** What handlers print is for people: stdout has the result alone. */
async function loadHere(folder: string): Promise<Awaited<ReturnType<typeof loadFolder>>> {
  globalThis.console = new Console({ stdout: process.stderr, stderr: process.stderr })
  return loadFolder(folder)
}

function withRun(command: Command): Command {
  return command
    .option('--inputs <json>', 'an object, or @FILE', '{}')
    .option('--auth <json>', 'credentials: an object, or @FILE; flat, or {"auth_type","credentials"}')
}

function toContext({ auth }: RunOptions, config: IntegrationConfig, intercept?: DryRun['intercept']) {
  const credentials = auth === undefined ? undefined : readJson('--auth', auth)
  if (credentials !== undefined && !isObject(credentials)) throw usage('--auth must be a JSON object, or @FILE')
  // Whoever runs it here could reach every address anyway: the way out is not guarded.
  return createContext({
    auth: credentials,
    config,
    signal: stopOnSignal().signal,
    intercept,
    onProgress: ({ done, total, message }) => {
      const part = total === null ? `${done}` : `${Math.round((done / (total || 1)) * 100)} %`
      process.stderr.write(`${part}${message === null ? '' : `  ${message}`}\n`)
    },
  })
}

/** What would have been sent, and what the handler answered if it came that far. */
function finishDry(options: RunOptions, dry: DryRun, envelope: ActionEnvelope | void): void {
  const outcome = envelope ? { type: envelope.type, result: envelope.result } : null
  const result = { requests: dry.requests(), outcome }
  createOutput(options).result(result, JSON.stringify(result, undefined, 2))
  process.exitCode = outcome === null || outcome.type === 'action' ? exitCodes.done : exitCodes.failed
}

/** The envelope on stdout, with --json in one line. */
function finish(options: RunOptions, envelope: ActionEnvelope | PollEnvelope): void {
  createOutput(options).result(envelope, JSON.stringify(envelope, undefined, 2))
  const good = envelope.type === 'action' || envelope.type === 'polling_trigger'
  process.exitCode = good ? exitCodes.done : exitCodes.failed
}

async function validate(paths: readonly string[], options: JsonOption & { readonly strict?: boolean }): Promise<void> {
  const files = paths.flatMap((path) => orUsage(path, () => findConfigs(path)))
  if (files.length === 0) throw usage(`there is no configuration in ${paths.join(', ')}`)
  const configs: Validated[] = []
  for (const file of files) configs.push(await validateConfig(file, { strict: options.strict === true }))
  const ok = configs.filter((config) => config.ok).length
  const output = createOutput(options)
  output.result({ configs, ok, failed: configs.length - ok }, toWords(configs))
  if (!output.isJson) tellDetails(output, configs)
  process.exitCode = ok === configs.length ? exitCodes.done : exitCodes.failed
}

function orUsage<Value>(path: string, run: () => Value): Value {
  try {
    return run()
  } catch (error) {
    throw usage(`${path} cannot be read: ${error instanceof Error ? error.message : String(error)}`)
  }
}

function toWords(configs: readonly Validated[]): string {
  const rows = configs.map((config) => [
    config.ok ? 'ok' : 'FAILED',
    config.name ?? '-',
    config.actions,
    config.polling_triggers,
    config.schemas,
    config.repairs.length,
    config.errors.length,
    config.warnings.length,
    config.file,
  ])
  return toTable(['', 'NAME', 'ACTIONS', 'TRIGGERS', 'SCHEMAS', 'REPAIRS', 'ERRORS', 'WARNINGS', 'FILE'], rows)
}

function tellDetails(output: Output, configs: readonly Validated[]): void {
  for (const { file, repairs, errors, warnings } of configs) {
    const kinds = { error: errors, repaired: repairs, warning: warnings }
    for (const [kind, notes] of Object.entries(kinds))
      for (const { pointer, detail } of notes)
        output.note(`${file}${pointer === '' ? '' : `#${pointer}`}: ${kind}: ${detail}`)
  }
}
