import type { PutWorkspace, Workspace } from '@sluice/protocol'
import type { Request, RequestOptions } from '../request.ts'
import type { PageQuery, WorkspacePage } from './page.ts'

export function createWorkspaceRoutes(request: Request) {
  const of = (workspace: string): string => `/v1/workspaces/${encodeURIComponent(workspace)}`
  return {
    listWorkspaces: (query: PageQuery = {}, options?: RequestOptions): Promise<WorkspacePage> =>
      request({ method: 'GET', path: '/v1/workspaces', query, repeatable: true }, options),
    /** Sees to it that it is there, with these settings; what they leave out stays as it is. */
    putWorkspace: (workspace: string, settings: PutWorkspace = {}, options?: RequestOptions): Promise<Workspace> =>
      request({ method: 'PUT', path: of(workspace), body: settings, repeatable: true }, options),
    getWorkspace: (workspace: string, options?: RequestOptions): Promise<Workspace> =>
      request({ method: 'GET', path: of(workspace), repeatable: true }, options),
    deleteWorkspace: (workspace: string, options?: RequestOptions): Promise<void> =>
      request({ method: 'DELETE', path: of(workspace), repeatable: false, answer: 'none' }, options),
  }
}
