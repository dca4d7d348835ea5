import type { Admin, Connection, ConnectionGrant } from '@sluice/client/admin'
import type { Command } from 'commander'
import { confirm } from '../confirm.ts'
import { exitCodes, usage } from '../exit.ts'
import { openAdmin } from '../hub.ts'
import { readJson, wholeNumber, withHub, withPages, type HubOptions, type PageOptions } from '../options.ts'
import { createOutput, toLines, toTable } from '../output.ts'

type GrantOptions = { readonly private?: boolean; readonly forKey?: readonly string[] }

type PutOptions = HubOptions &
  GrantOptions & { readonly integration: string; readonly credentials?: string; readonly method?: string }

export function addConnections(program: Command): void {
  const connections = program.command('connections').summary('credentials at outside services')
  withPages(withHub(connections.command('list')))
    .description('Those that the key may use.')
    .action(async (options: HubOptions & PageOptions) => {
      const page = await openAdmin(options).listConnections({ limit: options.limit, cursor: options.cursor })
      const rows = page.connections.map((one) => [
        one.key,
        one.integration,
        nameOf(one),
        typeof one.grant === 'string' ? one.grant : `keys ${one.grant.keys.join(', ')}`,
        one.status,
        one.user_id,
        one.updated_at,
      ])
      const head = ['CONNECTION', 'INTEGRATION', 'ACCOUNT', 'FOR', 'STATUS', 'MADE BY', 'UPDATED']
      createOutput(options).page(page, toTable(head, rows))
    })
  addPut(connections)
  addConnect(connections)
  addOnOne(connections)
}

function withGrant(command: Command): Command {
  return command
    .option('--private', "only for keys of this key's user")
    .option('--for-key <id...>', "for keys of this key's user, and those with these ids")
}

function toGrant({ private: isPrivate, forKey }: GrantOptions): ConnectionGrant | undefined {
  if (isPrivate && forKey) throw usage('--private and --for-key exclude each other')
  if (forKey) return { keys: [...forKey] }
  return isPrivate ? 'user' : undefined
}

function addPut(connections: Command): void {
  withGrant(withHub(connections.command('put')))
    .description('Makes a connection, or replaces its credentials.')
    .argument('<key>', 'a-z 0-9 . _ -')
    .requiredOption('--integration <name>', 'of which integration')
    .option('--credentials <json>', 'an object, or @FILE, which keeps it out of the history of the shell')
    .option('--method <id>', 'which of the methods of the integration, where it has several')
    .addHelpText('after', '\nExample: sluice connections put repo --integration github --credentials @token.json')
    .action(async (key: string, options: PutOptions) => {
      const credentials = options.credentials === undefined ? undefined : readJson('--credentials', options.credentials)
      if (credentials !== undefined && (typeof credentials !== 'object' || credentials === null))
        throw usage('--credentials must be a JSON object, or @FILE')
      const grant = toGrant(options)
      const connection = await openAdmin(options).putConnection(key, {
        integration: options.integration,
        ...(credentials && { credentials: credentials as Record<string, unknown> }), // checked above
        ...(options.method !== undefined && { method: options.method }),
        ...(grant && { grant }),
      })
      createOutput(options).result(connection, toLines(connection))
    })
  withGrant(withHub(connections.command('grant')))
    .description('Changes who may use a connection: every key of the workspace, unless an option says otherwise.')
    .argument('<key>')
    .addHelpText('after', '\nExample: sluice connections grant repo --for-key 0123456789abcdef')
    .action(async (key: string, options: HubOptions & GrantOptions) => {
      const connection = await openAdmin(options).patchConnection(key, { grant: toGrant(options) ?? 'workspace' })
      createOutput(options).result(connection, toLines(connection))
    })
}

type LinkOptions = HubOptions &
  GrantOptions & { readonly integration?: string; readonly returnUrl?: string; readonly expiresIn?: number }

/** The same for the first time and for any other: a connection that is there keeps what it has. */
function addConnect(connections: Command): void {
  const link = async (key: string, options: LinkOptions): Promise<void> => {
    const grant = toGrant(options)
    const made = await openAdmin(options).createConnectLink(key, {
      ...(options.integration !== undefined && { integration: options.integration }),
      ...(grant && { grant }),
      ...(options.returnUrl !== undefined && { return_url: options.returnUrl }),
      ...(options.expiresIn !== undefined && { expires_in_seconds: options.expiresIn }),
    })
    const output = createOutput(options)
    output.result(made, made.url)
    if (!output.isJson) output.note(`Open it in a browser before ${made.expires_at}; whoever has it can connect, once.`)
  }
  const withLink = (command: Command): Command =>
    withHub(command)
      .argument('<key>', 'a-z 0-9 . _ -')
      .option('--return-url <url>', 'where the browser goes at the end')
      .option('--expires-in <seconds>', 'how long the address is good; default 900', wholeNumber(60, 1800))
  withGrant(withLink(connections.command('connect')))
    .description('Prints an address at which a person connects an account, by a form or at the provider.')
    .requiredOption('--integration <name>', 'of which integration')
    .addHelpText('after', '\nExample: sluice connections connect repo --integration github')
    .action(link)
  withLink(connections.command('reconnect'))
    .description('The same for a connection that is there: what uses it goes on.')
    .addHelpText('after', '\nExample: sluice connections reconnect repo')
    .action(link)
}

function addOnOne(connections: Command): void {
  addAct(connections, {
    name: 'show',
    description: 'One connection, without its credentials.',
    act: (admin, key) => admin.getConnection(key),
  })
  addAct(connections, {
    name: 'test',
    description: 'Asks the service whose account it is. Exit code 1 if it does not know.',
    act: async (admin, key) => {
      const connection = await admin.testConnection(key)
      if (connection.account_error !== null) process.exitCode = exitCodes.failed
      return connection
    },
  })
  addAct(connections, {
    name: 'refresh',
    description: 'Asks the provider for new tokens now. Exit code 1 if it refuses.',
    act: async (admin, key) => {
      const connection = await admin.refreshConnection(key)
      if (connection.status !== 'active') process.exitCode = exitCodes.failed
      return connection
    },
  })
  withHub(connections.command('remove'))
    .description('Removes a connection and its credentials.')
    .argument('<key>')
    .option('--yes', 'do not ask')
    .action(async (key: string, options: HubOptions & { readonly yes?: boolean }) => {
      await confirm(`Remove connection ${key} and its credentials?`, options.yes)
      await openAdmin(options).deleteConnection(key)
      createOutput(options).result({ key, removed: true }, `Connection ${key} is removed.`)
    })
}

type Act = {
  readonly name: string
  readonly description: string
  readonly act: (admin: Admin, key: string) => Promise<Connection>
}

function addAct(connections: Command, { name, description, act }: Act): void {
  withHub(connections.command(name))
    .description(description)
    .argument('<key>')
    .addHelpText('after', `\nExample: sluice connections ${name} repo`)
    .action(async (key: string, options: HubOptions) => {
      const connection = await act(openAdmin(options), key)
      createOutput(options).result(connection, toLines(connection))
    })
}

const nameOf = ({ account, account_error: error }: Connection): string | null =>
  account?.email ?? account?.username ?? account?.first_name ?? (error === null ? null : `unknown: ${error}`)
