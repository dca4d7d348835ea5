import { putOAuthClient, removeOAuthClient, showOAuthClient } from '../domain/connecting/oauth-clients.ts'
import { createConnectLink } from '../domain/connecting/sessions.ts'
import {
  listConnections,
  patchConnection,
  putConnection,
  refreshNow,
  removeConnection,
  showConnection,
  testConnection,
} from '../domain/connections.ts'
import type { Context } from '../domain/context.ts'
import { listIntegrations, showIntegration } from '../domain/integrations.ts'
import { runAction, runPoll } from '../domain/run-action.ts'
import { requireSlug } from '../domain/require-slug.ts'
import type { Handlers } from './call.ts'
import { json, noContent } from './exchange.ts'
import { pageResponse } from './page.ts'

type IntegrationRoute =
  | 'listIntegrations'
  | 'getIntegration'
  | 'runAction'
  | 'runPoll'
  | 'putOauthClient'
  | 'getOauthClient'
  | 'deleteOauthClient'

export function integrationHandlers(context: Context): Pick<Handlers, IntegrationRoute> {
  return {
    listIntegrations: ({ query }) => pageResponse('integrations', listIntegrations(context, query)),
    getIntegration: ({ params }) => json(200, showIntegration(context, params.integration)),
    runAction: async ({ request, principal, params, body }) => {
      const target = { integration: params.integration, name: params.action, signal: request.signal }
      return json(200, await runAction(context, principal, target, body))
    },
    runPoll: async ({ request, principal, params, body }) => {
      const target = { integration: params.integration, name: params.trigger, signal: request.signal }
      return json(200, await runPoll(context, principal, target, body))
    },
    putOauthClient: async ({ principal, params, body }) => {
      const order = { integration: params.integration, wanted: body }
      const { client, created } = await putOAuthClient(context, principal, order)
      return json(created ? 201 : 200, client)
    },
    getOauthClient: async ({ principal, params }) =>
      json(200, await showOAuthClient(context, principal, params.integration)),
    deleteOauthClient: async ({ principal, params }) => {
      await removeOAuthClient(context, principal, params.integration)
      return noContent()
    },
  }
}

type ConnectionRoute =
  | 'listConnections'
  | 'putConnection'
  | 'getConnection'
  | 'patchConnection'
  | 'createConnectLink'
  | 'refreshConnection'
  | 'testConnection'
  | 'deleteConnection'

/** @param origins where browsers may be sent after connecting, beside the hub itself */
export function connectionHandlers(context: Context, origins: readonly string[]): Pick<Handlers, ConnectionRoute> {
  return {
    listConnections: async ({ principal, query }) =>
      pageResponse('connections', await listConnections(context, principal, query)),
    putConnection: async ({ principal, params, body }) => {
      const { connection, created } = await putConnection(context, principal, { key: params.connection, wanted: body })
      return json(created ? 201 : 200, connection)
    },
    getConnection: async ({ principal, params }) =>
      json(200, await showConnection(context, principal, params.connection)),
    patchConnection: async ({ principal, params, body }) =>
      json(200, await patchConnection(context, principal, { key: params.connection, change: body })),
    createConnectLink: async ({ principal, params, body }) => {
      requireSlug(params.connection, 'connection')
      return json(201, await createConnectLink(context, principal, { key: params.connection, wanted: body, origins }))
    },
    refreshConnection: async ({ principal, params }) =>
      json(200, await refreshNow(context, principal, params.connection)),
    testConnection: async ({ principal, params }) =>
      json(200, await testConnection(context, principal, params.connection)),
    deleteConnection: async ({ principal, params }) => {
      await removeConnection(context, principal, params.connection)
      return noContent()
    },
  }
}
