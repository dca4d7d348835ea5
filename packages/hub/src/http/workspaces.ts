import type { Context } from '../domain/context.ts'
import { deleteWorkspace, ensureWorkspace, listWorkspaces, showWorkspace } from '../domain/workspaces.ts'
import { json, noContent } from './exchange.ts'
import type { Handlers } from './call.ts'
import { pageResponse } from './page.ts'

type WorkspaceRoute = 'listWorkspaces' | 'putWorkspace' | 'getWorkspace' | 'deleteWorkspace'

export function workspaceHandlers(context: Context): Pick<Handlers, WorkspaceRoute> {
  return {
    listWorkspaces: async ({ query }) => pageResponse('workspaces', await listWorkspaces(context, query)),
    putWorkspace: async ({ principal, params, body }) => {
      const wanted = { key: params.workspace, settings: body }
      const { workspace, created } = await ensureWorkspace(context, principal, wanted)
      return json(created ? 201 : 200, workspace)
    },
    getWorkspace: async ({ params }) => json(200, await showWorkspace(context, params.workspace)),
    deleteWorkspace: async ({ principal, params }) => {
      await deleteWorkspace(context, principal, params.workspace)
      return noContent()
    },
  }
}
