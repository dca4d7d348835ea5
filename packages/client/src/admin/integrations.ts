import type { Connection, Integration, PutConnection, RunAction, RunPoll, RunResult } from '@sluice/protocol'
import type { Request, RequestOptions } from '../request.ts'
import type { ConnectionPage, IntegrationPage, PageQuery } from './page.ts'

export function createIntegrationRoutes(request: Request) {
  const of = (integration: string): string => `/v1/integrations/${encodeURIComponent(integration)}`
  const at = (connection: string): string => `/v1/connections/${encodeURIComponent(connection)}`
  return {
    listIntegrations: (query: PageQuery = {}, options?: RequestOptions): Promise<IntegrationPage> =>
      request({ method: 'GET', path: '/v1/integrations', query, repeatable: true }, options),
    getIntegration: (integration: string, options?: RequestOptions): Promise<Integration> =>
      request({ method: 'GET', path: of(integration), repeatable: true }, options),
    /** Never tried again by itself: the action may have been done. */
    runAction: (
      integration: string,
      action: string,
      body: RunAction = {},
      options?: RequestOptions,
    ): Promise<RunResult> =>
      request(
        { method: 'POST', path: `${of(integration)}/actions/${encodeURIComponent(action)}`, body, repeatable: false },
        options,
      ),
    runPoll: (integration: string, trigger: string, body: RunPoll = {}, options?: RequestOptions): Promise<RunResult> =>
      request(
        {
          method: 'POST',
          path: `${of(integration)}/polling-triggers/${encodeURIComponent(trigger)}/poll`,
          body,
          repeatable: false,
        },
        options,
      ),
    listConnections: (query: PageQuery = {}, options?: RequestOptions): Promise<ConnectionPage> =>
      request({ method: 'GET', path: '/v1/connections', query, repeatable: true }, options),
    putConnection: (connection: string, body: PutConnection, options?: RequestOptions): Promise<Connection> =>
      request({ method: 'PUT', path: at(connection), body, repeatable: true }, options),
    getConnection: (connection: string, options?: RequestOptions): Promise<Connection> =>
      request({ method: 'GET', path: at(connection), repeatable: true }, options),
    deleteConnection: (connection: string, options?: RequestOptions): Promise<void> =>
      request({ method: 'DELETE', path: at(connection), repeatable: false, answer: 'none' }, options),
  }
}
