import { HubError, type Integration } from '@sluice/protocol'
import type { AuthMethod } from '@sluice/sdk/integration'
import type { Installed } from '../runner/installed.ts'
import type { Context } from './context.ts'
import { openKey } from './cursors.ts'
import { toPage, type Page, type PageRequest } from './page.ts'

/** @throws HubError `not-found` */
export function requireIntegration({ installed }: Pick<Context, 'installed'>, name: string): Installed {
  const found = installed.get(name)
  if (!found)
    throw new HubError(
      'not-found',
      `integration "${name.slice(0, 100)}" is not installed; start the hub with --integrations DIR, the folder that holds it`,
    )
  return found
}

export const showIntegration = (context: Pick<Context, 'installed'>, name: string): Integration =>
  toWire(requireIntegration(context, name))

/** By name. */
export function listIntegrations({ installed, cursors }: Context, { limit, cursor }: PageRequest): Page {
  const scope = 'integrations'
  const after = openKey(cursors, scope, cursor)
  const names = [...installed.keys()].toSorted().filter((name) => name > after)
  const rows = names.slice(0, limit + 1).flatMap((name) => installed.get(name) ?? [])
  return toPage({
    cursors,
    scope,
    limit,
    rows,
    placeOf: ({ name }) => name,
    print: (row) => JSON.stringify(toWire(row)),
  })
}

function toWire({ name, config }: Installed): Integration {
  const { auth } = config
  return {
    name,
    display_name: config.display_name ?? config.name,
    version: config.version,
    description: config.description,
    auth: auth
      ? {
          type: auth.type,
          fields: auth.fields ?? null,
          provider: auth.provider ?? null,
          scopes: [...(auth.scopes ?? [])],
          methods: auth.methods.map(toWireMethod),
        }
      : null,
    supports_connected_account: config.supports_connected_account,
    actions: Object.entries(config.actions).map(([action, of]) => ({ name: action, ...toWireAction(of) })),
    polling_triggers: Object.entries(config.polling_triggers).map(([trigger, of]) => ({
      name: trigger,
      ...toWireAction(of),
      polling_interval: of.polling_interval,
    })),
  }
}

const toWireMethod = ({ id, type, title, help_text: help, fields, oauth2 }: AuthMethod) => ({
  id,
  type,
  title: title ?? null,
  help_text: help ?? null,
  fields: fields ?? null,
  flow: oauth2?.flow ?? null,
  scopes: [...(oauth2?.provider?.scopes ?? [])],
})

function toWireAction({
  display_name: displayName,
  description,
  input_schema,
  output_schema,
}: Installed['config']['actions'][string]) {
  return { display_name: displayName ?? null, description, input_schema, output_schema }
}
