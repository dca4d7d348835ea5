import type { Context } from '../domain/context.ts'
import { createSourceExample } from '../domain/sources/example.ts'
import { reportSource } from '../domain/sources/report.ts'
import { ensureSource, listSources, patchSource, removeSource, showSource } from '../domain/sources/sources.ts'
import type { Handlers } from './call.ts'
import { json, noContent } from './exchange.ts'
import { pageResponse } from './page.ts'

type SourceRoute =
  | 'listSources'
  | 'getSource'
  | 'putSource'
  | 'patchSource'
  | 'deleteSource'
  | 'getSourceReport'
  | 'createSourceExample'

/** What the owner of a source does with it; `door.ts` has what its sender does. */
export function sourceHandlers(context: Context, publicUrl: string | undefined): Pick<Handlers, SourceRoute> {
  return {
    listSources: async ({ principal, query }) =>
      pageResponse('sources', await listSources(context, principal.workspace, query)),
    getSource: async ({ principal, params }) =>
      json(200, await showSource(context, principal.workspace, params.source)),
    putSource: async ({ principal, params, body }) => {
      const { source, created } = await ensureSource(context, principal, { key: params.source, wanted: body })
      return json(created ? 201 : 200, source)
    },
    patchSource: async ({ principal, params, body }) =>
      json(200, await patchSource(context, principal, { key: params.source, change: body })),
    deleteSource: async ({ principal, params }) => {
      await removeSource(context, principal, params.source)
      return noContent()
    },
    getSourceReport: async ({ principal, params, query }) =>
      json(200, await reportSource(context, principal.workspace, { key: params.source, ...query })),
    createSourceExample: async ({ principal, params }) =>
      json(200, await createSourceExample(context, principal.workspace, { key: params.source, publicUrl })),
  }
}
