import { HubError, type OAuthClient, type PutOAuthClient } from '@sluice/protocol'
import type { OAuth2Client } from '@sluice/sdk/auth'
import type { Installed } from '../../runner/installed.ts'
import type { OAuthClientRow } from '../../store/connections.ts'
import { noteDeed } from '../audit.ts'
import type { Principal } from '../authenticate.ts'
import type { Context } from '../context.ts'
import { requireIntegration } from '../integrations.ts'
import { toIso } from '../to-wire.ts'
import { isBrowserMethod, methodsOf } from './methods.ts'

const clientPlace = (id: string): string => `oauth-client/${id}`

/** Where a provider sends the browser back to; undefined while nobody knows where this hub is reached. */
export function toRedirectUri({ publicUrl }: Pick<Context, 'publicUrl'>): string | undefined {
  const url = publicUrl()
  return url === undefined ? undefined : `${url}/connect/callback`
}

/** @throws HubError `not-found`; `conflict` for an integration without OAuth2 */
export async function putOAuthClient(
  context: Context,
  principal: Principal,
  { integration, wanted }: { readonly integration: string; readonly wanted: PutOAuthClient },
): Promise<{ client: OAuthClient; created: boolean }> {
  const { store, sealing, newId } = context
  const { workspace } = principal
  requireOAuth2(requireIntegration(context, integration))
  const { client_id: clientId, client_secret: clientSecret, private_key: privateKey } = wanted
  const id = newId()
  const client = { clientId, clientSecret, privateKey } satisfies OAuth2Client
  const sealed = sealing.seal(clientPlace(id), JSON.stringify(client))
  const created = await store.oauthClients.put(workspace.id, { integration, id, clientId, sealed })
  const details = { client_id: clientId }
  await noteDeed(context, principal, { verb: 'oauth-client.put', target: integration, details })
  return { client: await showOAuthClient(context, principal, integration), created }
}

function requireOAuth2(installed: Installed): void {
  if (methodsOf(installed).some(isBrowserMethod)) return
  throw new HubError(
    'conflict',
    `integration "${installed.name}" asks nobody to agree at a provider; it needs no client`,
  )
}

export async function showOAuthClient(
  context: Context,
  { workspace }: Principal,
  integration: string,
): Promise<OAuthClient> {
  const row = await context.store.oauthClients.find(workspace.id, integration)
  if (!row) throw noClient(integration)
  return toWire(context, row)
}

const noClient = (integration: string): HubError =>
  new HubError(
    'not-found',
    `integration "${integration.slice(0, 100)}" has no OAuth client in this workspace; an administrator puts it with PUT /v1/integrations/{integration}/oauth-client, or sluice integrations client put`,
  )

export async function removeOAuthClient(context: Context, principal: Principal, integration: string): Promise<void> {
  if (!(await context.store.oauthClients.remove(principal.workspace.id, integration))) throw noClient(integration)
  await noteDeed(context, principal, { verb: 'oauth-client.remove', target: integration })
}

/**
 * The client with its secret.
 *
 * @throws HubError `not-found`; Error if it was sealed with a secret key that this hub does not have
 */
export async function openOAuthClient(
  { store, sealing }: Pick<Context, 'store' | 'sealing'>,
  workspaceId: number,
  integration: string,
): Promise<OAuth2Client> {
  const row = await store.oauthClients.find(workspaceId, integration)
  if (!row) throw noClient(integration)
  const text = sealing.open(clientPlace(row.id), row.sealed)
  if (text !== undefined) return JSON.parse(text) as OAuth2Client // as putOAuthClient has written it
  throw new Error(
    `the OAuth client of "${integration}" was sealed with another secret key; add that one to SLUICE_SECRET_KEY, or put the client again`,
  )
}

function toWire(context: Context, { integration, clientId, createdMs, updatedMs }: OAuthClientRow): OAuthClient {
  return {
    integration,
    client_id: clientId,
    redirect_uri: toRedirectUri(context) ?? null,
    created_at: toIso(createdMs),
    updated_at: toIso(updatedMs),
  }
}
