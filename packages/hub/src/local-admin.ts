import {
  NewKey,
  PatchKey,
  PutWorkspace,
  RotateKey,
  defaultWorkspace,
  toFaults,
  toValidationError,
  type Key,
  type KeyStatus,
  type KeyWithSecret,
  type RotatedKey,
  type Pagination,
  type Workspace,
} from '@sluice/protocol'
import type { z } from 'zod'
import { readEnvironment, readPlace } from './config.ts'
import { createCursors } from './domain/cursors.ts'
import { createKey, listKeys, patchKey, revokeKey, rotateKey, type KeyAdmin } from './domain/keys.ts'
import type { Page } from './domain/page.ts'
import { reseal } from './domain/reseal.ts'
import { createSealing, noSealing } from './domain/sealing.ts'
import { noteDeed } from './domain/audit.ts'
import { exportWorkspace, type ExportOrder } from './domain/moving/export-workspace.ts'
import { importWorkspace, type Imported, type ImportOrder } from './domain/moving/import-workspace.ts'
import type { End } from './domain/moving/lines.ts'
import { deleteWorkspace, ensureWorkspace, listWorkspaces, requireWorkspace } from './domain/workspaces.ts'
import { openStore } from './open-store.ts'

type PageQuery = { readonly limit?: number | undefined; readonly cursor?: string | undefined }
type KeyQuery = PageQuery & { readonly status?: KeyStatus | undefined; readonly workspace?: string | undefined }

/** What an administrator may do to a data folder or a database without a hub in between: the same verbs and answers as over HTTP. */
export type LocalAdmin = {
  readonly createKey: (wanted: NewKey) => Promise<KeyWithSecret>
  readonly listKeys: (query?: KeyQuery) => Promise<{ keys: Key[]; pagination: Pagination }>
  readonly patchKey: (keyId: string, patch: PatchKey) => Promise<Key>
  readonly rotateKey: (keyId: string, body?: RotateKey) => Promise<RotatedKey>
  readonly revokeKey: (keyId: string) => Promise<void>
  readonly listWorkspaces: (query?: PageQuery) => Promise<{ workspaces: Workspace[]; pagination: Pagination }>
  readonly putWorkspace: (key: string, settings?: PutWorkspace) => Promise<Workspace>
  readonly deleteWorkspace: (key: string) => Promise<void>
  readonly exportWorkspace: (key: string, order: Omit<ExportOrder, 'workspace'>) => Promise<End>
  /** takes `exclusive` */
  readonly importWorkspace: (order: ImportOrder) => Promise<Imported>
  /** secrets that another secret key than the first has sealed: how many open, and how many do not; undefined without a secret key */
  readonly countSealed: () => Promise<{ earlier: number; lost: number } | undefined>
  /** after the store was put back to an earlier time: ids of events to come are none that were given out since */
  readonly renewIds: () => Promise<void>
  readonly close: () => Promise<void>
}

export type LocalAdminOptions = {
  readonly data: string
  /** Postgres instead of the folder */
  readonly databaseUrl?: string | undefined
  /** true: no hub may be running on the folder; removing a workspace takes that. Of no matter on a database */
  readonly exclusive: boolean
}

const pageLimit = 50

/**
 * Opens a data folder or a database as its administrator. Whoever can write it may do everything in it.
 *
 * @throws HubError `conflict` with `exclusive` while a hub runs on the folder
 */
export async function openLocalAdmin({ data, databaseUrl, exclusive }: LocalAdminOptions): Promise<LocalAdmin> {
  const { secretKeys, isMakeshift, database } = readPlace(readEnvironment(), { data, databaseUrl })
  const cursors = createCursors(secretKeys)
  const store = await openStore({ data, database, access: exclusive ? 'hub' : 'admin' })
  const context = { store, cursors, sealing: isMakeshift ? noSealing : createSealing(secretKeys) }
  const admin: KeyAdmin = {
    workspace: await requireWorkspace(context, defaultWorkspace),
    actor: 'cli',
    isInstanceAdmin: true,
  }
  return {
    createKey: async (wanted) => createKey(context, admin, check(NewKey, wanted)),
    listKeys: async ({ limit = pageLimit, cursor, status, workspace = defaultWorkspace } = {}) => {
      const row = await requireWorkspace(context, workspace)
      const page = await listKeys(context, row, { limit, cursor, status })
      return { keys: toItems<Key>(page), pagination: toPagination(page) }
    },
    patchKey: async (keyId, patch) => patchKey(context, admin, keyId, check(PatchKey, patch)),
    rotateKey: async (keyId, body = {}) => rotateKey(context, admin, keyId, check(RotateKey, body)),
    revokeKey: (keyId) => revokeKey(context, admin, keyId),
    listWorkspaces: async ({ limit = pageLimit, cursor } = {}) => {
      const page = await listWorkspaces(context, { limit, cursor })
      return { workspaces: toItems<Workspace>(page), pagination: toPagination(page) }
    },
    putWorkspace: async (key, settings = {}) =>
      (await ensureWorkspace(context, admin, { key, settings: check(PutWorkspace, settings) })).workspace,
    deleteWorkspace: (key) => deleteWorkspace(context, admin, key),
    exportWorkspace: async (key, order) => {
      const workspace = await requireWorkspace(context, key)
      const end = await exportWorkspace(store, { ...order, workspace })
      const details = { rows: end.rows, sha256: end.sha256 }
      await noteDeed(context, { workspace, actor: 'cli' }, { verb: 'workspace.export', target: key, details })
      return end
    },
    importWorkspace: async (order) => {
      const imported = await importWorkspace(store, order)
      const workspace = await requireWorkspace(context, imported.workspace)
      const details = { rows: imported.rows }
      const deed = { verb: 'workspace.import', target: workspace.key, details }
      await noteDeed(context, { workspace, actor: 'cli' }, deed)
      return imported
    },
    countSealed: async () => {
      if (isMakeshift) return undefined
      const { resealed, lost } = await reseal(context, { dryRun: true })
      return { earlier: resealed, lost }
    },
    renewIds: async () => {
      await store.moving.renewTags()
      await noteDeed(context, admin, { verb: 'store.restore', target: 'store' })
    },
    close: () => store.close(),
  }
}

function check<Schema extends z.ZodType>(schema: Schema, value: unknown): z.output<Schema> {
  const parsed = schema.safeParse(value)
  if (!parsed.success) throw toValidationError(toFaults(parsed.error))
  return parsed.data
}

/** Pages hold their items as printed: what the verb has printed has this type. */
function toItems<Item>({ items }: Page): Item[] {
  return items.map((item) => JSON.parse(item))
}

function toPagination({ nextCursor, hasMore }: Page): Pagination {
  return { next_cursor: nextCursor, has_more: hasMore }
}
