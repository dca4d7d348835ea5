import {
  HubError,
  Slug,
  defaultWorkspace,
  type PutWorkspace,
  type Quotas,
  type Workspace as WireWorkspace,
} from '@sluice/protocol'
import type { Store, WorkspaceRow } from '../store/store.ts'
import { noteDeed, type Caller } from './audit.ts'
import type { Context } from './context.ts'
import { openKey } from './cursors.ts'
import { toPage, type Page, type PageRequest } from './page.ts'
import { toIso } from './to-wire.ts'
import { requireSlug } from './require-slug.ts'

/** @throws HubError `not-found` */
export async function requireWorkspace({ store }: Pick<Context, 'store'>, key: string): Promise<WorkspaceRow> {
  const workspace = Slug.safeParse(key).success ? await store.findWorkspace(key) : undefined
  if (!workspace)
    throw new HubError(
      'not-found',
      `workspace "${key.slice(0, 100)}" does not exist; PUT /v1/workspaces/{workspace} makes one`,
    )
  return workspace
}

export async function showWorkspace(context: Pick<Context, 'store'>, key: string): Promise<WireWorkspace> {
  return toWireWorkspace(context, await requireWorkspace(context, key))
}

async function toWireWorkspace({ store }: Pick<Context, 'store'>, workspace: WorkspaceRow): Promise<WireWorkspace> {
  const { head } = await store.readHead(workspace.id)
  return {
    key: workspace.key,
    created_at: toIso(workspace.createdMs),
    events: head,
    inboxes: await countInboxes(store, workspace.id),
    unknown_event_types: workspace.unknownEventTypes,
    quotas: workspace.quotas,
    quarantined: await store.quarantine.count(workspace.id),
  }
}

const rowsAtATime = 500

export async function countInboxes(store: Pick<Store, 'listInboxes'>, workspaceId: number): Promise<number> {
  let count = 0
  for (let after = ''; ;) {
    const rows = await store.listInboxes(workspaceId, after, rowsAtATime)
    count += rows.length
    const last = rows.at(-1)
    if (!last || rows.length < rowsAtATime) return count
    after = last.key
  }
}

/** In the order of their keys. */
export async function listWorkspaces(
  context: Pick<Context, 'store' | 'cursors'>,
  { limit, cursor }: PageRequest,
): Promise<Page> {
  const { store, cursors } = context
  const scope = 'workspaces'
  const found = await store.listWorkspaces(openKey(cursors, scope, cursor), limit + 1)
  const rows = await Promise.all(found.map((workspace) => toWireWorkspace(context, workspace)))
  return toPage({
    cursors,
    scope,
    limit,
    rows,
    placeOf: ({ key }) => key,
    print: (workspace) => JSON.stringify(workspace),
  })
}

export type EnsureWorkspace = { readonly key: string; readonly settings?: PutWorkspace }

/** Sees to it that there is a workspace with these settings; what they leave out stays as it is. */
export async function ensureWorkspace(
  context: Pick<Context, 'store'>,
  caller: Caller,
  { key, settings = {} }: EnsureWorkspace,
): Promise<{ workspace: WireWorkspace; created: boolean }> {
  const { store } = context
  requireSlug(key, 'workspace')
  const { workspace, created } = await store.ensureWorkspace(key)
  if (created) await noteDeed(context, caller, { verb: 'workspace.create', target: key })
  const { unknown_event_types: unknown = workspace.unknownEventTypes } = settings
  const quotas = withQuotas(workspace.quotas, settings.quotas)
  if (unknown !== workspace.unknownEventTypes) {
    await store.eventTypes.setUnknown(workspace.id, unknown)
    const details = { unknown_event_types: unknown }
    await noteDeed(context, caller, { verb: 'workspace.update', target: key, details })
  }
  if (settings.quotas) {
    await store.setQuotas(workspace.id, quotas)
    await noteDeed(context, caller, { verb: 'workspace.update', target: key, details: { quotas } })
  }
  const changed = { ...workspace, unknownEventTypes: unknown, quotas }
  return { workspace: await toWireWorkspace(context, changed), created }
}

function withQuotas(before: Quotas, change: PutWorkspace['quotas'] = {}): Quotas {
  const entries = Object.entries({ ...before, ...change }).filter(([, limit]) => typeof limit === 'number')
  return Object.fromEntries(entries)
}

/** Removes a workspace with all that is in it. @throws HubError `conflict` for the one that always exists, `not-found` */
export async function deleteWorkspace(context: Pick<Context, 'store'>, caller: Caller, key: string): Promise<void> {
  if (key === defaultWorkspace)
    throw new HubError('conflict', `workspace "${defaultWorkspace}" always exists and cannot be removed`)
  await requireWorkspace(context, key)
  if (!(await context.store.deleteWorkspace(key))) throw new HubError('not-found', `workspace "${key}" does not exist`)
  await noteDeed(context, caller, { verb: 'workspace.delete', target: key })
}
