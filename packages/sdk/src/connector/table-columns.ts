import { inferType, convert, describe, type Value } from './value.ts'
import { widen, type ColumnType } from './column-type.ts'
import type { Destination, Table } from './destination.ts'
import { bug, remoteFault } from './error.ts'
import { toColumnName, toShortName } from './names.ts'
import type { SourceRow } from './nested.ts'
import { toRowId } from './row-key.ts'
import { findClash, type ContractMode, type NameOptions, type TableSchema } from './schema.ts'
import { createTableBuffer, type Budget } from './table-buffer.ts'

/** Something about a table that was not so before. */
export type Drift = {
  readonly table: string
  readonly column: string
  /** `new_column` and `new_type` were taken in; the others are what a contract did */
  readonly change: 'new_column' | 'new_type' | 'dropped_value' | 'dropped_row' | 'quarantined'
  readonly detail: string
}

export type WriterOptions = {
  readonly schema: TableSchema
  readonly destination: Destination
  readonly names: NameOptions
  /** of the column for hashes, in tables without a key */
  readonly idColumn: string
  readonly syncedAt: string
  readonly budget: Budget
  readonly onSchemaChange: () => void
  readonly onDrift: (drift: Drift) => void
  readonly quarantine: (row: SourceRow, reason: string) => Promise<void> | undefined
  /** each time before rows are written, with the table that has them */
  readonly beforeWrite: (table: Table) => Promise<void>
}

export type ChangeKind = 'upsert' | 'update' | 'delete'

/** A column: its place in rows, its type, and the type that it has at the destination; undefined before it is there. */
export type Slot = {
  readonly name: string
  readonly place: number
  readonly isDeclared: boolean
  type: ColumnType | undefined
  stored: ColumnType | undefined
}

/** A table and what waits for it. */
export type TableState = WriterOptions & {
  readonly bySource: Map<string, Slot>
  readonly byName: Map<string, Slot>
  readonly slots: Slot[]
  readonly used: Map<string, string>
  readonly keyColumns: readonly string[]
  readonly buffer: ReturnType<typeof createTableBuffer>
  exists: boolean
  /** what is new was agreed on before: contracts hold */
  isSettled: boolean
}

/** Reads what there is of the table. */
export async function openTableState(options: WriterOptions): Promise<TableState> {
  const { schema, destination, idColumn, budget } = options
  const keyColumns = schema.key.length > 0 ? schema.key : [idColumn]
  const buffer = createTableBuffer([...keyColumns.keys()], budget)
  const existing = await destination.readColumns(schema.name)
  const maps = { bySource: new Map<string, Slot>(), byName: new Map<string, Slot>(), used: new Map<string, string>() }
  const isSettled = existing !== undefined || schema.types.size > 0
  const state: TableState = {
    ...options,
    ...maps,
    slots: [],
    keyColumns,
    buffer,
    exists: existing !== undefined,
    isSettled,
  }
  // The key comes first: its places are known before its types are.
  for (const column of keyColumns) addSlot(state, column, schema.types.get(column))
  for (const [column, type] of schema.types) if (!state.bySource.has(column)) addSlot(state, column, type)
  for (const { name, type } of existing ?? []) takeOver(state, name, type)
  return state
}

function addSlot(state: TableState, column: string, type: ColumnType | undefined): Slot {
  const { names, used, schema, slots, idColumn } = state
  const isId = column === idColumn && schema.key.length === 0
  const clash = isId ? undefined : findClash(column, names, used)
  if (clash !== undefined) throw bug(`table ${schema.source}: ${clash}`)
  const name = isId ? column : toShortName(toColumnName(column, names.naming), names.maxNameBytes)
  const taken = state.byName.get(name.toLowerCase())
  if (taken) {
    state.bySource.set(column, taken)
    return taken
  }
  const isDeclared = schema.types.has(column)
  const slot: Slot = { name, place: slots.length, isDeclared, type: isId ? 'STRING' : type, stored: undefined }
  slots.push(slot)
  state.bySource.set(column, slot)
  state.byName.set(name.toLowerCase(), slot)
  return slot
}

/** A column that the table has already: what is declared or was inferred goes on from its type. */
function takeOver(state: TableState, name: string, stored: ColumnType): void {
  const slot = state.byName.get(name.toLowerCase())
  if (slot) {
    slot.stored = stored
    slot.type = slot.type === undefined ? stored : widen(stored, slot.type)
    return
  }
  const added: Slot = { name, place: state.slots.length, isDeclared: false, type: stored, stored }
  state.slots.push(added)
  state.byName.set(name.toLowerCase(), added)
}

export type Change = { readonly kind: ChangeKind; readonly row: SourceRow; readonly id: string | undefined }

/** What one row needs before it can wait with the others. */
export type Made =
  | Value[]
  | { readonly slot: Slot; readonly type: ColumnType }
  | { readonly refused: string; readonly column: string; readonly mode: ContractMode }

/** The values of a row by column, or what must be done before it has them. */
export function toValues(state: TableState, change: Change): Made {
  const { row } = change
  const { bySource, slots, schema } = state
  // Filled with nulls for whole rows; with holes that say "as before" for parts of rows.
  const values: (Value | undefined)[] = slots.map(() => undefined)
  let count = 0
  for (const column in row) {
    const value = row[column]
    if (value === undefined) continue
    count += 1
    const slot = bySource.get(column)
    if (slot?.type === undefined || !fitsAsItIs(value, slot.type)) {
      const made = toValue(state, column, value)
      if (typeof made === 'object' && made !== null && !(made instanceof Uint8Array)) {
        if ('skip' in made) continue
        return made
      }
      const place = bySource.get(column)?.place
      if (place !== undefined) values[place] = made
    } else values[slot.place] = value as Value
  }
  if (count === 0) throw bug(`table ${schema.source}: a row has no columns`)
  const fault = setKey(state, change, values)
  if (fault !== undefined) throw bug(fault)
  return values as Value[] // the buffer fills the holes of whole rows
}

/** The most usual: a value that is what its column has already. */
function fitsAsItIs(value: unknown, type: ColumnType): boolean {
  switch (typeof value) {
    case 'string':
      return type === 'STRING'
    case 'number':
      return type === 'DOUBLE' || (type === 'LONG' && Number.isSafeInteger(value))
    case 'boolean':
      return type === 'BOOLEAN'
    default:
      return false
  }
}

type Skip = { readonly skip: true }

function toValue(state: TableState, column: string, value: unknown): Value | Skip | Exclude<Made, Value[]> {
  const inferred = inferType(value)
  const known = state.bySource.get(column)
  // A column that nobody knows and that says nothing is not made.
  if (inferred === undefined) return known ? null : { skip: true }
  const slot = known ?? findOrAdd(state, column, inferred)
  if (!('place' in slot)) return slot
  slot.type ??= inferred
  const fits = slot.isDeclared || widen(slot.type, inferred) === slot.type
  const converted = fits ? convert(value, slot.type) : undefined
  return converted === undefined ? toMisfit(state, { column, slot, value, inferred }) : converted
}

function findOrAdd(state: TableState, column: string, type: ColumnType): Slot | Skip | Exclude<Made, Value[]> {
  const { schema, names } = state
  const name = toShortName(toColumnName(column, names.naming), names.maxNameBytes)
  if (state.byName.has(name.toLowerCase())) return addSlot(state, column, type)
  const mode = schema.contract.columns
  if (!state.isSettled || mode === 'evolve') {
    if (state.isSettled)
      state.onDrift({ table: schema.source, column, change: 'new_column', detail: `${name} ${type}` })
    return addSlot(state, column, type)
  }
  const detail = `column ${column} is new, and the table's contract is "${mode}"`
  if (mode !== 'drop_value') return { refused: detail, column, mode }
  state.onDrift({ table: schema.source, column, change: 'dropped_value', detail })
  return { skip: true }
}

type Misfit = { readonly column: string; readonly slot: Slot; readonly value: unknown; readonly inferred: ColumnType }

function toMisfit(state: TableState, { column, slot, value, inferred }: Misfit): Value | Exclude<Made, Value[]> {
  const { schema } = state
  const type = slot.type ?? inferred
  const mode = schema.contract.types
  const isTaken = mode === 'evolve' && !slot.isDeclared
  if (isTaken) {
    const wider = widen(type, inferred)
    // Its digits would not fit, though its type would.
    return { slot, type: wider === type ? 'STRING' : wider }
  }
  const detail = `column ${column} is ${type} and got ${describe(value)}`
  if (mode !== 'drop_value') return { refused: detail, column, mode: mode === 'evolve' ? 'freeze' : mode }
  state.onDrift({ table: schema.source, column, change: 'dropped_value', detail })
  return null
}

function setKey(
  { schema, keyColumns }: TableState,
  { kind, row, id }: Change,
  values: (Value | undefined)[],
): string | undefined {
  if (schema.key.length === 0) {
    if (kind !== 'upsert') return `table ${schema.source} has no primary key: its rows can be upserted only`
    values[0] = id ?? toRowId(row)
    return undefined
  }
  for (const [place, column] of keyColumns.entries()) {
    if (kind !== 'upsert' && !(column in row))
      return `table ${schema.source}: ${kind} needs all columns of the key, and ${column} is missing`
    values[place] ??= null
  }
  // Rows that lack it would all be one.
  if (keyColumns.some((_, place) => values[place] !== null)) return undefined
  throw remoteFault(`table ${schema.source}: a row has no key; ${keyColumns.join(' and ')} is null or missing`)
}
