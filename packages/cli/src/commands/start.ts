import type { Hub, HubOptions } from '@sluice/hub'
import { Option, type Command } from 'commander'
import { readEnvironment, type Environment } from '../environment.ts'
import { toCause } from '../checks/check.ts'
import { CommandError, exitCodes, usage } from '../exit.ts'
import { several, wholeNumber, withJson, type JsonOption } from '../options.ts'
import { stopOnSignal } from '../stop-on-signal.ts'
import { version } from '../version.ts'

type Options = JsonOption & {
  readonly port?: number
  readonly host?: string
  readonly data?: string
  readonly databaseUrl?: string
  readonly roles?: string
  readonly publicUrl?: string
  readonly trustProxy?: string[]
  readonly corsOrigin?: string[]
  readonly logLevel?: string
  readonly integrations?: string
  readonly allowCidr?: string[]
}

type HubPackage = Pick<typeof import('@sluice/hub'), 'readConfig' | 'ConfigError'>

/** A shutdown takes at most this long, whatever hangs. */
const closeMs = 10_000

export function addStart(program: Command): void {
  withJson(program.command('start'))
    .summary('run the hub')
    .description(
      'Runs the hub until SIGTERM or Ctrl-C. The first start makes the data folder and an admin key, which it shows once.',
    )
    .option('--port <n>', 'where it listens; 0 takes a free one (SLUICE_PORT; default 8000)', wholeNumber(0, 65_535))
    .option('--host <host>', 'on which address (SLUICE_HOST; default 127.0.0.1)')
    .option('--data <dir>', 'the data folder (SLUICE_DATA; default ./.sluice)')
    .option(
      '--database-url <url>',
      'Postgres 15 or newer instead of the data folder; needs SLUICE_SECRET_KEY (DATABASE_URL)',
    )
    .option('--roles <list>', 'what this process does: http,deliver,schedule (default: all)')
    .option(
      '--integrations <dir>',
      'the folder that holds integrations, each in a folder of its own (SLUICE_INTEGRATIONS)',
    )
    .option(
      '--allow-cidr <cidr>',
      'a private network that outbound requests may reach; may be repeated (SLUICE_ALLOW_CIDR)',
      several,
    )
    .option('--public-url <url>', 'how others reach it')
    .option('--trust-proxy <cidr>', 'believe X-Forwarded-For from there; may be repeated', several)
    .option('--cors-origin <url>', 'web pages that may call it; may be repeated', several)
    .addOption(
      new Option('--log-level <level>', 'what is logged to stderr (SLUICE_LOG_LEVEL; default info)').choices([
        'trace',
        'debug',
        'info',
        'warn',
        'error',
        'fatal',
        'silent',
      ]),
    )
    .action(start)
}

async function start(options: Options): Promise<void> {
  const environment = readEnvironment()
  const stop = stopOnSignal()
  // Not at the top: other commands need not wait for it.
  const hubPackage = await import('@sluice/hub')
  const config = configure(hubPackage, environment, options)
  const hub = await hubPackage.startHub(config).catch((error: unknown) => {
    throw toStartError(error, config)
  })
  process.stdout.write(options.json ? toJsonLine(hub) : toWelcome(hub, config))
  if (!stop.signal.aborted)
    await new Promise((resolve) => stop.signal.addEventListener('abort', resolve, { once: true }))
  setTimeout(() => process.exit(exitCodes.failed), closeMs).unref()
  await hub.close()
}

function configure({ readConfig, ConfigError }: HubPackage, environment: Environment, flags: Options): HubOptions {
  try {
    return readConfig(environment.all, flags)
  } catch (error) {
    if (error instanceof ConfigError) throw usage(error.message)
    throw toStartError(error, { host: '', port: 0, data: flags.data ?? environment.data ?? './.sluice' })
  }
}

function toJsonLine(hub: Hub): string {
  return `${JSON.stringify({ ready: true, pid: process.pid, url: hub.url, version, api_key: hub.apiKey })}\n`
}

/** The link lets in whoever has it: it is for the eyes of a person, and not for a log. */
function toSignIn(hub: Hub): string {
  if (!hub.url || !process.stdout.isTTY) return ''
  return `\n\nConsole, signed in by this link once within 10 minutes: ${hub.createSignInLink()}`
}

function toWelcome(hub: Hub, { data, database }: HubOptions): string {
  const { url, apiKey } = hub
  const ready = `Sluice ${version} is ready at ${url || 'no address (without the role http)'}${toSignIn(hub)}`
  if (apiKey === null)
    return `${ready}\n\nMake a key with: sluice keys create --user-id YOU ${database ? '--database-url URL' : `--data ${data}`}\n`
  return `${ready}

Admin key, shown this once: ${apiKey}

Publish an event, then pull it:
curl -X POST ${url}/v1/events -H 'Authorization: Bearer ${apiKey}' -H 'Content-Type: application/json' -d '{"event_type":"hello","payload":{"to":"world"}}'
curl ${url}/v1/events/inbox -H 'Authorization: Bearer ${apiKey}'
`
}

function toCode(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : ''
}

/** What Postgres says to whom it does not let in, by SQLSTATE. */
const postgresTodos: Readonly<Record<string, string>> = {
  '28P01': 'are the user and the password in DATABASE_URL right?',
  '28000': 'is the user in DATABASE_URL right, and does pg_hba.conf let it in from here?',
  '3D000': 'make it with createdb, or name another in DATABASE_URL',
  '42501': 'the user in DATABASE_URL must be able to create tables there; make it the owner of the database',
}

function toStartError(error: unknown, { host, port, data }: { host: string; port: number; data: string }): unknown {
  const code = toCode(error)
  const says = (message: string): CommandError => new CommandError(exitCodes.failed, message, { cause: error })
  if (code === 'EADDRINUSE')
    return says(
      `port ${port} on ${host} is taken; end what uses it, or pass --port ${port + 1} (--port 0 takes a free one)`,
    )
  const todo = postgresTodos[toCode(error)] ?? postgresTodos[toCode(error instanceof Error ? error.cause : undefined)]
  if (todo !== undefined) return says(`${toCause(error)}; ${todo}`)
  if (toCause(error).includes('unsupported startup parameter'))
    return says(
      `DATABASE_URL seems to be a PgBouncer's: set DATABASE_DIRECT_URL to the address of the server itself, too (${toCause(error)})`,
    )
  if (code === 'storage-unavailable')
    return says(`the database is not available: ${toCause(error)}; is DATABASE_URL right, and the server running?`)
  if (code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND')
    return says(`${host} is no address of this machine; pass another --host`)
  if (code === 'EACCES' && port > 0 && port < 1024) return says(`port ${port} is for administrators; pass --port 8000`)
  if (code === 'EACCES' || code === 'EPERM' || code === 'EROFS')
    return says(`cannot write to the data folder ${data}; pass another with --data`)
  return error
}
