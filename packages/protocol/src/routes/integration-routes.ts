import { Connection, Integration, PutConnection, RunAction, RunPoll, RunResult } from '../integration.ts'
import { list, ok, page, type Route } from '../route.ts'

/** Outside services: what they can do, whose credentials there are, and doing it. */
export const integrationRoutes = {
  listIntegrations: {
    method: 'GET',
    path: '/v1/integrations',
    summary: 'Integrations of this hub',
    access: 'act',
    query: page,
    answers: ok('a page', list('integrations', Integration)),
  },
  getIntegration: {
    method: 'GET',
    path: '/v1/integrations/{integration}',
    summary: 'One integration',
    access: 'act',
    answers: ok('the integration', Integration),
  },
  runAction: {
    method: 'POST',
    path: '/v1/integrations/{integration}/actions/{action}',
    summary: 'Run an action',
    access: 'act',
    body: RunAction,
    bodyOptional: true,
    answers: ok('what came of it, also where that is an error', RunResult),
  },
  runPoll: {
    method: 'POST',
    path: '/v1/integrations/{integration}/polling-triggers/{trigger}/poll',
    summary: 'Ask a polling trigger once; nothing is published',
    access: 'act',
    body: RunPoll,
    bodyOptional: true,
    answers: ok('what came of it, also where that is an error', RunResult),
  },
  listConnections: {
    method: 'GET',
    path: '/v1/connections',
    summary: 'Connections that the key may use',
    access: 'act',
    query: page,
    answers: ok('a page', list('connections', Connection)),
  },
  putConnection: {
    method: 'PUT',
    path: '/v1/connections/{connection}',
    summary: 'Make a connection, or replace its credentials',
    access: 'act',
    body: PutConnection,
    answers: { 200: { description: 'changed', schema: Connection }, 201: { description: 'made', schema: Connection } },
  },
  getConnection: {
    method: 'GET',
    path: '/v1/connections/{connection}',
    summary: 'One connection',
    access: 'act',
    answers: ok('the connection', Connection),
  },
  deleteConnection: {
    method: 'DELETE',
    path: '/v1/connections/{connection}',
    summary: 'Remove a connection and its credentials',
    access: 'act',
    answers: { 204: { description: 'removed' } },
  },
} as const satisfies Record<string, Route>
