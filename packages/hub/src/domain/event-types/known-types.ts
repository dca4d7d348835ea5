import type { EventTypeMode, Fault } from '@sluice/protocol'
import type { EventTypeRow } from '../../store/event-types.ts'
import type { Store, WorkspaceRow } from '../../store/store.ts'
import type { Validator } from './compile-schema.ts'
import type { Schema } from './subschemas.ts'

/** An event type as publishing needs it. */
export type KnownType = {
  readonly mode: EventTypeMode
  readonly version: number
  /** undefined without a schema */
  readonly validate: Validator | undefined
}

/** Event types of workspaces with their compiled schemas, as they are at the revision of the workspace's row. */
export type KnownTypes = {
  /** Those of these names that exist. */
  readonly find: (workspace: WorkspaceRow, names: ReadonlySet<string>) => Promise<ReadonlyMap<string, KnownType>>
}

type Entry = { readonly row: EventTypeRow; readonly type: KnownType }
type Remembered = {
  readonly revision: number
  /** undefined: it does not exist */
  readonly entries: Map<string, Entry | undefined>
  /** as they were before, until they are read anew */
  readonly old: Map<string, Entry>
}

/** Names beyond this many are forgotten: unknown ones come from publishers. */
const maxNames = 5000
const maxWorkspaces = 1000

/**
 * Remembers what it has looked up for as long as the workspace has the same revision. After a change the rows are read anew, and what
 * was compiled stays for those that are the same.
 */
export function createKnownTypes(store: Pick<Store, 'eventTypes'>): KnownTypes {
  const workspaces = new Map<number, Remembered>()

  const rememberedOf = ({ id, eventTypesRevision: revision }: WorkspaceRow): Remembered => {
    const known = workspaces.get(id)
    if (known?.revision === revision) return known
    if (workspaces.size >= maxWorkspaces) workspaces.clear()
    const old = new Map((known?.old.size ?? 0) < maxNames ? known?.old : [])
    for (const [name, entry] of known?.entries ?? []) if (entry) old.set(name, entry)
    const fresh = { revision, entries: new Map<string, Entry | undefined>(), old }
    workspaces.set(id, fresh)
    return fresh
  }

  const read = async (
    workspaceId: number,
    names: readonly string[],
    { entries, old }: Remembered,
  ): Promise<Entry[]> => {
    const rows = await store.eventTypes.find(workspaceId, names)
    const found = await Promise.all(rows.map((row) => toEntry(row, old.get(row.name))))
    if (entries.size + names.length > maxNames) entries.clear()
    for (const name of names) entries.set(name, undefined)
    for (const entry of found) entries.set(entry.row.name, entry)
    for (const name of names) old.delete(name)
    return found
  }

  return {
    find: async (workspace, names) => {
      const remembered = rememberedOf(workspace)
      const { entries } = remembered
      const known = [...names].flatMap((name) => entries.get(name) ?? [])
      const missing = [...names].filter((name) => !entries.has(name))
      const found = missing.length === 0 ? known : [...known, ...(await read(workspace.id, missing, remembered))]
      return new Map(found.map(({ row, type }) => [row.name, type]))
    },
  }
}

async function toEntry(row: EventTypeRow, before: Entry | undefined): Promise<Entry> {
  const { mode, version, schema } = row
  const isSame = before !== undefined && before.row.schema === schema
  const validate = isSame ? before.type.validate : schema === null ? undefined : await toValidator(schema)
  return { row, type: { mode, version, validate } }
}

/** The compiler is loaded with the first schema: most hubs have none, and it would delay every start. */
async function toValidator(schema: string): Promise<Validator> {
  const { compileSchema } = await import('./compile-schema.ts')
  try {
    return compileSchema(JSON.parse(schema) as Schema)
  } catch (error) {
    // Saved by another version of the hub, which could.
    const fault: Fault = { pointer: '/payload', detail: `cannot be checked: the schema ${String(error)}` }
    return () => [fault]
  }
}
