import type { Context, Workspace } from './context.ts'
import { openPosition } from './cursors.ts'
import { toPage, type Page, type PageRequest } from './page.ts'
import { toWireAudit } from './to-wire.ts'

/** Who asks for something that is written down: `actor` is a key id, or `cli`. */
export type Caller = { readonly workspace: Workspace; readonly actor: string }

export type Deed = { readonly verb: string; readonly target: string; readonly details?: Record<string, unknown> }

/** Keeps in mind who did what, once it is done. */
export async function noteDeed(
  { store }: Pick<Context, 'store'>,
  caller: Caller,
  { verb, target, details = {} }: Deed,
): Promise<void> {
  await store.appendAudit({ workspaceId: caller.workspace.id, actor: caller.actor, verb, target, details })
}

/** Newest first. */
export async function listDeeds(
  { store, cursors }: Context,
  workspace: Workspace,
  { limit, cursor }: PageRequest,
): Promise<Page> {
  const scope = `${workspace.id}/audit`
  const before = openPosition(cursors, scope, cursor, Number.MAX_SAFE_INTEGER)
  const rows = await store.listAudit(workspace.id, { before, limit: limit + 1 })
  return toPage({
    cursors,
    scope,
    limit,
    rows,
    placeOf: ({ id }) => id,
    print: (row) => JSON.stringify(toWireAudit(row)),
  })
}
