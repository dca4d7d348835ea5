import type { PutOAuthClient } from '@sluice/client/admin'
import type { Command } from 'commander'
import { confirm } from '../confirm.ts'
import { usage } from '../exit.ts'
import { openAdmin } from '../hub.ts'
import { readJson, withHub, type HubOptions } from '../options.ts'
import { createOutput, toLines } from '../output.ts'

type PutOptions = HubOptions & { readonly client: string }

/** Who a workspace is at the OAuth2 provider of an integration. */
export function addOAuthClient(integrations: Command): void {
  const client = integrations.command('client').summary('who the workspace is at an OAuth2 provider')
  withHub(client.command('put'))
    .description('Keeps the client id and secret that the provider gave, for all connections of the workspace.')
    .argument('<integration>')
    .requiredOption('--client <json>', '{"client_id","client_secret"}, or @FILE, which keeps it out of the history')
    .addHelpText('after', '\nExample: sluice integrations client put github --client @client.json')
    .action(async (integration: string, options: PutOptions) => {
      const wanted = readJson('--client', options.client)
      if (typeof wanted !== 'object' || wanted === null) throw usage('--client must be a JSON object, or @FILE')
      const put = await openAdmin(options).putOauthClient(integration, wanted as PutOAuthClient) // the hub looks at it
      createOutput(options).result(put, toLines(put))
    })
  withHub(client.command('show'))
    .description('The client without its secret, and the address to register with the provider.')
    .argument('<integration>')
    .action(async (integration: string, options: HubOptions) => {
      const found = await openAdmin(options).getOauthClient(integration)
      createOutput(options).result(found, toLines(found))
    })
  withHub(client.command('remove'))
    .description('Removes the client and its secret. Its connections cannot be refreshed any more.')
    .argument('<integration>')
    .option('--yes', 'do not ask')
    .action(async (integration: string, options: HubOptions & { readonly yes?: boolean }) => {
      await confirm(`Remove the OAuth client of ${integration}?`, options.yes)
      await openAdmin(options).deleteOauthClient(integration)
      createOutput(options).result({ integration, removed: true }, `The OAuth client of ${integration} is removed.`)
    })
}
