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
  readonly entries: Map<string, Entry>
  /** as they were before, until they are read anew */
  readonly old: Map<string, Entry>
  /** names of no type */
  readonly unknown: Set<string>
}

/** A compiled schema takes about 20 KB. Those that were read first go first. */
const maxTypes = 2000
/** These come from publishers: they must not push out what is known. */
const maxUnknown = 5000
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
    const old = new Map([...(known?.old ?? []), ...(known?.entries ?? [])])
    forgetFirst(old)
    const fresh = { revision, entries: new Map<string, Entry>(), old, unknown: new Set<string>() }
    workspaces.set(id, fresh)
    return fresh
  }

  const read = async (workspaceId: number, names: readonly string[], remembered: Remembered): Promise<Entry[]> => {
    const { entries, old, unknown } = remembered
    const rows = await store.eventTypes.find(workspaceId, names)
    const found = await Promise.all(rows.map((row) => toEntry(row, old.get(row.name))))
    for (const entry of found) entries.set(entry.row.name, entry)
    forgetFirst(entries)
    const there = new Set(rows.map(({ name }) => name))
    if (unknown.size > maxUnknown) unknown.clear()
    for (const name of names) {
      old.delete(name)
      if (!there.has(name)) unknown.add(name)
    }
    return found
  }

  return {
    find: async (workspace, names) => {
      const remembered = rememberedOf(workspace)
      const { entries, unknown } = remembered
      const known = [...names].flatMap((name) => entries.get(name) ?? [])
      const missing = [...names].filter((name) => !entries.has(name) && !unknown.has(name))
      const found = missing.length === 0 ? known : [...known, ...(await read(workspace.id, missing, remembered))]
      return new Map(found.map(({ row, type }) => [row.name, type]))
    },
  }
}

function forgetFirst(entries: Map<string, Entry>): void {
  for (const name of entries.keys()) {
    if (entries.size <= maxTypes) return
    entries.delete(name)
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
