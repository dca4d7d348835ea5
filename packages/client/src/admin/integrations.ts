import type {
  ConnectLink,
  Connection,
  CreateConnectLink,
  Integration,
  OAuthClient,
  PatchConnection,
  PutConnection,
  PutOAuthClient,
  RunAction,
  RunPoll,
  RunResult,
} from '@sluice/protocol'
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
    putOauthClient: (integration: string, body: PutOAuthClient, options?: RequestOptions): Promise<OAuthClient> =>
      request({ method: 'PUT', path: `${of(integration)}/oauth-client`, body, repeatable: true }, options),
    getOauthClient: (integration: string, options?: RequestOptions): Promise<OAuthClient> =>
      request({ method: 'GET', path: `${of(integration)}/oauth-client`, repeatable: true }, options),
    deleteOauthClient: (integration: string, options?: RequestOptions): Promise<void> =>
      request(
        { method: 'DELETE', path: `${of(integration)}/oauth-client`, repeatable: false, answer: 'none' },
        options,
      ),
    listConnections: (query: PageQuery = {}, options?: RequestOptions): Promise<ConnectionPage> =>
      request({ method: 'GET', path: '/v1/connections', query, repeatable: true }, options),
    putConnection: (connection: string, body: PutConnection, options?: RequestOptions): Promise<Connection> =>
      request({ method: 'PUT', path: at(connection), body, repeatable: true }, options),
    getConnection: (connection: string, options?: RequestOptions): Promise<Connection> =>
      request({ method: 'GET', path: at(connection), repeatable: true }, options),
    patchConnection: (connection: string, body: PatchConnection, options?: RequestOptions): Promise<Connection> =>
      request({ method: 'PATCH', path: at(connection), body, repeatable: true }, options),
    /** Each call makes an address of its own. */
    createConnectLink: (
      connection: string,
      body: CreateConnectLink = {},
      options?: RequestOptions,
    ): Promise<ConnectLink> =>
      request({ method: 'POST', path: `${at(connection)}/connect`, body, repeatable: false }, options),
    refreshConnection: (connection: string, options?: RequestOptions): Promise<Connection> =>
      request({ method: 'POST', path: `${at(connection)}/refresh`, repeatable: false }, options),
    testConnection: (connection: string, options?: RequestOptions): Promise<Connection> =>
      request({ method: 'POST', path: `${at(connection)}/test`, repeatable: false }, options),
    deleteConnection: (connection: string, options?: RequestOptions): Promise<void> =>
      request({ method: 'DELETE', path: at(connection), repeatable: false, answer: 'none' }, options),
  }
}
