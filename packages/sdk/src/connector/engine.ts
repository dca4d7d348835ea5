import type { Destination } from './destination.ts'
import { bug, ConnectorError } from './error.ts'
import { splitRow, toChildRows, toParentColumn, type SourceRow } from './nested.ts'
import { toRowId } from './row-key.ts'
import { toUndeclared, type NameOptions, type TableSchema } from './schema.ts'
import { createScopes, type Scopes } from './scopes.ts'
import { printState, type SyncState } from './state.ts'
import type { ChangeKind, Drift } from './table-columns.ts'
import { openTableWriter, type TableWriter } from './table-writer.ts'
import type { Tally } from './tally.ts'

export type EngineOptions = {
  readonly destination: Destination
  readonly schemas: readonly TableSchema[]
  readonly names: NameOptions
  /** of the column for the hashes of rows without a key */
  readonly idColumn: string
  readonly syncedAt: string
  readonly before: SyncState
  readonly tally: Tally
  readonly onDrift: (drift: Drift) => void
  /** what waits in memory at most, in bytes, before it is written */
  readonly maxWaitingBytes: number
}

/** Tables with their children, generations and guards, over one destination. Calls come one after the other. */
export type Engine = {
  readonly change: (kind: ChangeKind, table: string, row: unknown) => Promise<void> | undefined
  readonly truncate: (table: string) => Promise<void>
  /** @returns whether it was begun by a former sync */
  readonly beginGeneration: (table: string) => Promise<boolean>
  readonly completeGeneration: (table: string) => Promise<void>
  /** @param state default that of the last commit */
  readonly commit: (state?: SourceRow) => Promise<void>
  /** of the connector, as it was committed last */
  readonly state: () => SourceRow
  /** names at the destination of all tables that were declared or used */
  readonly tables: () => readonly string[]
}

/** A table that is in use. */
type OpenTable = {
  readonly schema: TableSchema
  readonly writer: TableWriter
  readonly scopes: Scopes
  /** for `max_delete_share`: what there was at first, and how many went */
  live: number | undefined
  deleted: number
}

type Inside = EngineOptions & {
  readonly open: Map<string, OpenTable>
  readonly budget: { bytes: number }
  readonly generations: Record<string, string>
  readonly children: Record<string, readonly string[]>
  /** of tables that were made of lists */
  readonly childSchemas: Map<string, TableSchema>
  state: SourceRow
}

export function createEngine(options: EngineOptions): Engine {
  const { before, syncedAt, destination } = options
  const inside: Inside = {
    ...options,
    open: new Map(),
    budget: { bytes: 0 },
    generations: { ...before.generations },
    children: { ...before.children },
    childSchemas: new Map(),
    state: before.state,
  }
  const { generations, children } = inside
  return {
    change: (kind, table, row) => change(inside, { kind, table, row }),
    truncate: (table) => sweepAll(inside, table, {}),
    beginGeneration: async (table) => {
      const isResumed = table in generations
      generations[table] ??= syncedAt
      return isResumed
    },
    completeGeneration: (table) => completeGeneration(inside, table),
    commit: async (state) => {
      await flushAll(inside)
      const next = state ?? inside.state
      await destination.commit(printState({ state: next, syncedAt, generations, children }))
      inside.state = next
    },
    state: () => inside.state,
    tables: () => [
      ...new Set(
        [...options.schemas, ...[...inside.open.values()].map(({ schema }) => schema)].map(({ name }) => name),
      ),
    ],
  }
}

type Change = { readonly kind: ChangeKind; readonly table: string; readonly row: unknown }

function change(inside: Inside, { kind, table, row }: Change): Promise<void> | undefined {
  if (typeof row !== 'object' || row === null || Array.isArray(row))
    throw bug(`table ${table}: a row must be an object of columns and values`)
  const source = row as SourceRow // just checked
  if (kind !== 'upsert') requireCapability(inside, kind)
  const open = inside.open.get(table)
  const isSimple = open?.schema.nested === 'json' && kind !== 'delete'
  return isSimple ? put(inside, open, { kind, row: source }) : changeSlowly(inside, { kind, table, row: source })
}

function requireCapability({ destination }: Inside, what: 'update' | 'delete'): void {
  if (destination.capabilities[what]) return
  throw new ConnectorError('configuration', `${destination.name} cannot ${what} rows; choose another destination`)
}

type Put = { readonly kind: ChangeKind; readonly row: SourceRow; readonly id?: string | undefined }

function put(inside: Inside, { writer, schema }: OpenTable, { kind, row, id }: Put): Promise<void> | undefined {
  const { changes } = inside.tally
  changes.set(schema.name, (changes.get(schema.name) ?? 0) + 1)
  const waiting = writer.put(kind, row, id)
  const isFull = inside.budget.bytes > inside.maxWaitingBytes
  if (waiting) return waiting.then(() => (inside.budget.bytes > inside.maxWaitingBytes ? flushAll(inside) : undefined))
  return isFull ? flushAll(inside) : undefined
}

async function changeSlowly(inside: Inside, { kind, table, row }: Change & { readonly row: SourceRow }): Promise<void> {
  const open = await openTable(inside, table)
  if (kind === 'delete') await guardDelete(inside, open)
  if (open.schema.nested !== 'child_tables') {
    const { row: flat } = splitRow(row, open.schema.nested)
    return put(inside, open, { kind, row: flat })
  }
  const { row: flat, lists } = splitRow(row, 'child_tables')
  // Rows that differ in their lists only are different rows.
  const id = open.schema.key.length === 0 ? toRowId(row) : undefined
  const keyed = id === undefined ? open.schema : { ...open.schema, key: [inside.idColumn] }
  const key = Object.fromEntries(keyed.key.map((column) => [column, id ?? flat[column] ?? null]))
  await put(inside, open, { kind, row: flat, id })
  const rows = toChildRows({ schema: keyed, key, lists }, inside.names)
  for (const { schema, parent } of rows) register(inside, parent, schema)
  const replaced = kind === 'update' ? lists.map(({ column }) => `${table}.${column}`) : childrenOf(inside, table)
  for (const child of replaced) await replaceChildren(inside, child, { key, depth: 1 })
  for (const child of rows)
    await put(inside, await openTable(inside, child.schema.source), { kind: 'upsert', row: child.row })
}

const childrenOf = ({ children }: Inside, table: string): readonly string[] => children[table] ?? []

function register(inside: Inside, parent: string, schema: TableSchema): void {
  const { children, childSchemas } = inside
  if (childSchemas.has(schema.source)) return
  childSchemas.set(schema.source, schema)
  if (!childrenOf(inside, parent).includes(schema.source))
    children[parent] = [...childrenOf(inside, parent), schema.source]
}

type Ancestor = { readonly key: SourceRow; readonly depth: number }

/** What the lists of a row held before is gone, on every level below. */
async function replaceChildren(inside: Inside, table: string, { key, depth }: Ancestor): Promise<void> {
  const { scopes, writer } = await openTable(inside, table)
  const scope = Object.fromEntries(Object.entries(key).map(([name, value]) => [toParentColumn(name, depth), value]))
  if (!scopes.add(scope)) {
    await writer.flush()
    await scopes.sweep(writer.stored())
    scopes.add(scope)
  }
  for (const child of childrenOf(inside, table)) await replaceChildren(inside, child, { key, depth: depth + 1 })
}

async function openTable(inside: Inside, table: string): Promise<OpenTable> {
  const known = inside.open.get(table)
  if (known) return known
  const { destination, names, idColumn, syncedAt, budget, tally, onDrift } = inside
  const schema = findSchema(inside, table)
  const scopes = createScopes({ destination, names, syncedAt })
  const writer = await openTableWriter({
    schema,
    destination,
    names,
    idColumn,
    syncedAt,
    budget,
    onSchemaChange: () => void (tally.operations.schema_changes += 1),
    onDrift,
    beforeWrite: scopes.sweep,
    quarantine: (row, reason) => change(inside, { kind: 'upsert', table: `${table}.quarantine`, row: { reason, row } }),
  })
  const open: OpenTable = { schema, writer, scopes, live: undefined, deleted: 0 }
  inside.open.set(table, open)
  return open
}

function findSchema(inside: Inside, table: string): TableSchema {
  const declared = inside.schemas.find(({ source }) => source === table) ?? inside.childSchemas.get(table)
  const schema = declared ?? toUndeclared(table, inside.names)
  const others = [...inside.schemas, ...[...inside.open.values()].map((open) => open.schema)]
  const clash = others.find(({ name, source }) => name.toLowerCase() === schema.name.toLowerCase() && source !== table)
  if (clash) throw bug(`tables ${clash.source} and ${table} would both be ${schema.name}; rename one of them`)
  return schema
}

async function guardDelete(inside: Inside, open: OpenTable): Promise<void> {
  const { maxDeleteShare: share, name } = open.schema
  if (share === undefined) return
  open.live ??= await inside.destination.countRows(name)
  open.deleted += 1
  if (open.deleted > open.live * share) throw tooManyDeletes(name, { deleted: open.deleted, live: open.live, share })
}

type Deletes = { readonly deleted: number; readonly live: number; readonly share: number }

const tooManyDeletes = (table: string, { deleted, live, share }: Deletes): ConnectorError =>
  new ConnectorError(
    'remote',
    `table ${table}: ${deleted} of ${live} rows would be deleted, more than a share of ${share}; nothing was. If that is right, raise max_delete_share`,
  )

/** Less than one: a refresh that would leave nothing has most likely read nothing. */
const allButAll = 1 - 1e-9

async function completeGeneration(inside: Inside, table: string): Promise<void> {
  const began = inside.generations[table]
  if (began === undefined) throw bug(`table ${table}: no generation was begun; call beginGeneration first`)
  const { maxDeleteShare: maxShare = allButAll } = findSchema(inside, table)
  await sweepAll(inside, table, { syncedBefore: began, maxShare })
  delete inside.generations[table]
}

type SweepOptions = { readonly syncedBefore?: string; readonly maxShare?: number }

async function sweepAll(inside: Inside, table: string, options: SweepOptions): Promise<void> {
  requireCapability(inside, 'delete')
  const { writer, schema, scopes } = await openTable(inside, table)
  await writer.flush()
  const stored = writer.stored()
  await scopes.sweep(stored)
  if (stored) {
    const { syncedAt, destination } = inside
    const { deleted, live, isStopped } = await destination.sweep({ table: stored, syncedAt, ...options })
    if (isStopped) throw tooManyDeletes(schema.name, { deleted, live, share: options.maxShare ?? 1 })
  }
  for (const child of childrenOf(inside, table)) await sweepAll(inside, child, { ...options, maxShare: 1 })
}

async function flushAll({ open }: Inside): Promise<void> {
  for (const { writer, scopes } of open.values()) {
    await writer.flush()
    await scopes.sweep(writer.stored())
  }
}
