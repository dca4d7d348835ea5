import type { Connection } from '@sluice/client/admin'
import type { Command } from 'commander'
import { confirm } from '../confirm.ts'
import { usage } from '../exit.ts'
import { openAdmin } from '../hub.ts'
import { readJson, withHub, withPages, type HubOptions, type PageOptions } from '../options.ts'
import { createOutput, toLines, toTable } from '../output.ts'

type PutOptions = HubOptions & {
  readonly integration: string
  readonly credentials?: string
  readonly private?: boolean
}

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
        one.grant,
        one.user_id,
        one.updated_at,
      ])
      createOutput(options).page(
        page,
        toTable(['CONNECTION', 'INTEGRATION', 'ACCOUNT', 'FOR', 'MADE BY', 'UPDATED'], rows),
      )
    })
  withHub(connections.command('put'))
    .description('Makes a connection, or replaces its credentials.')
    .argument('<key>', 'a-z 0-9 . _ -')
    .requiredOption('--integration <name>', 'of which integration')
    .option('--credentials <json>', 'an object, or @FILE, which keeps it out of the history of the shell')
    .option('--private', "only for keys of this key's user")
    .action(async (key: string, options: PutOptions) => {
      const credentials = options.credentials === undefined ? undefined : readJson('--credentials', options.credentials)
      if (credentials !== undefined && (typeof credentials !== 'object' || credentials === null))
        throw usage('--credentials must be a JSON object, or @FILE')
      const connection = await openAdmin(options).putConnection(key, {
        integration: options.integration,
        ...(credentials && { credentials: credentials as Record<string, unknown> }), // checked above
        ...(options.private && { grant: 'user' }),
      })
      createOutput(options).result(connection, toLines(connection))
    })
  withHub(connections.command('show'))
    .description('One connection, without its credentials.')
    .argument('<key>')
    .action(async (key: string, options: HubOptions) => {
      const connection = await openAdmin(options).getConnection(key)
      createOutput(options).result(connection, toLines(connection))
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

const nameOf = ({ account, account_error: error }: Connection): string | null =>
  account?.email ?? account?.username ?? account?.first_name ?? (error === null ? null : `unknown: ${error}`)
