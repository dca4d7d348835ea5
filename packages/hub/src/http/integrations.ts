import { listConnections, putConnection, removeConnection, showConnection } from '../domain/connections.ts'
import type { Context } from '../domain/context.ts'
import { listIntegrations, showIntegration } from '../domain/integrations.ts'
import { runAction, runPoll } from '../domain/run-action.ts'
import type { Handlers } from './call.ts'
import { json, noContent } from './exchange.ts'
import { pageResponse } from './page.ts'

type IntegrationRoute = 'listIntegrations' | 'getIntegration' | 'runAction' | 'runPoll'

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
  }
}

type ConnectionRoute = 'listConnections' | 'putConnection' | 'getConnection' | 'deleteConnection'

export function connectionHandlers(context: Context): Pick<Handlers, ConnectionRoute> {
  return {
    listConnections: async ({ principal, query }) =>
      pageResponse('connections', await listConnections(context, principal, query)),
    putConnection: async ({ principal, params, body }) => {
      const { connection, created } = await putConnection(context, principal, { key: params.connection, wanted: body })
      return json(created ? 201 : 200, connection)
    },
    getConnection: async ({ principal, params }) =>
      json(200, await showConnection(context, principal, params.connection)),
    deleteConnection: async ({ principal, params }) => {
      await removeConnection(context, principal, params.connection)
      return noContent()
    },
  }
}
