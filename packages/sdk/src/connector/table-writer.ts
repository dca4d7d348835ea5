import type { ColumnType } from './column-type.ts'
import type { Column, Table } from './destination.ts'
import { bug } from './error.ts'
import type { SourceRow } from './nested.ts'
import type { TableSchema } from './schema.ts'
import {
  openTableState,
  toValues,
  type Change,
  type ChangeKind,
  type Made,
  type Slot,
  type TableState,
  type WriterOptions,
} from './table-columns.ts'

/** One table on its way to the destination. Calls come one after the other. */
export type TableWriter = {
  readonly schema: TableSchema
  /**
   * Takes a change; a promise where it had to write or change the table first.
   *
   * @param id instead of the row's own hash, where there is no key
   */
  readonly put: (kind: ChangeKind, row: SourceRow, id?: string) => Promise<void> | undefined
  /** Writes what waits, and makes the table as the schema declares it. */
  readonly flush: () => Promise<void>
  /** The table as it is at the destination; undefined where there is none yet. */
  readonly stored: () => Table | undefined
}

/** Reads what there is of the table, and is ready. */
export async function openTableWriter(options: WriterOptions): Promise<TableWriter> {
  const state = await openTableState(options)
  return {
    schema: options.schema,
    put: (kind, row, id) => put(state, { kind, row, id }),
    flush: () => flush(state),
    stored: () => (state.exists ? toStored(state) : undefined),
  }
}

function put(state: TableState, change: Change): Promise<void> | undefined {
  const made = toValues(state, change)
  if (Array.isArray(made) && state.buffer.offer(change.kind, made)) return undefined
  return putSlowly(state, change, made)
}

async function putSlowly(state: TableState, change: Change, first: Made): Promise<void> {
  let made = first
  while (!Array.isArray(made)) {
    if ('refused' in made) return refuse(state, change.row, made)
    await changeSlot(state, made.slot, made.type)
    made = toValues(state, change)
  }
  if (state.buffer.offer(change.kind, made)) return
  await flush(state)
  state.buffer.offer(change.kind, made)
}

async function refuse(
  state: TableState,
  row: SourceRow,
  { refused, column, mode }: Extract<Made, { refused: string }>,
): Promise<void> {
  const table = state.schema.source
  if (mode === 'drop_row') return state.onDrift({ table, column, change: 'dropped_row', detail: refused })
  if (mode !== 'quarantine') throw bug(`table ${table}: ${refused}`)
  state.onDrift({ table, column, change: 'quarantined', detail: refused })
  await state.quarantine(row, refused)
}

/** What waits is written with the old type, so that one way only leads from the old values to the new type. */
async function changeSlot(state: TableState, slot: Slot, type: ColumnType): Promise<void> {
  if (state.buffer.size() > 0) await flush(state)
  const { schema } = state
  const from = slot.type ?? type
  slot.type = type
  if (slot.stored !== undefined) await store(state, slot)
  const detail = `${slot.name} was ${from} and is ${slot.type} now`
  state.onDrift({ table: schema.source, column: slot.name, change: 'new_type', detail })
}

async function store(state: TableState, slot: Slot): Promise<void> {
  const { destination, schema } = state
  const { name, type = 'STRING' } = slot
  const { evolution } = destination.capabilities
  if (evolution === 'add')
    throw bug(
      `table ${schema.source}: ${name} would become ${type}, and ${destination.name} cannot change types; declare it`,
    )
  // Records describe themselves.
  const done = evolution === 'none' ? 'changed' : await destination.changeType(schema.name, { name, type })
  if (done === 'inexact') {
    slot.type = 'STRING'
    await destination.changeType(schema.name, { name, type: 'STRING' })
  }
  slot.stored = slot.type
  state.onSchemaChange()
}

async function flush(state: TableState): Promise<void> {
  const { buffer, destination, schema, slots, syncedAt } = state
  const isDeclared = schema.types.size > 0 && state.keyColumns.every((column) => state.bySource.get(column)?.type)
  if (buffer.size() === 0 && !isDeclared) return
  for (const slot of slots) slot.type ??= 'STRING'
  if (!state.exists) {
    await destination.createTable(toTable(state))
    state.exists = true
    state.onSchemaChange()
    for (const slot of slots) slot.stored = slot.type
  }
  const added = slots.filter(({ stored }) => stored === undefined)
  if (added.length > 0) await addColumns(state, added)
  for (const slot of slots) if (slot.stored !== slot.type) await store(state, slot)
  if (buffer.size() === 0) return
  const table = toTable(state)
  await state.beforeWrite(table)
  await destination.write({ table, syncedAt, ...buffer.take(table.columns) })
}

async function addColumns({ destination, schema, onSchemaChange }: TableState, slots: readonly Slot[]): Promise<void> {
  const { evolution } = destination.capabilities
  if (evolution !== 'none') await destination.addColumns(schema.name, slots.map(toColumn))
  for (const slot of slots) {
    slot.stored = slot.type
    onSchemaChange()
  }
}

const toColumn = ({ name, type = 'STRING' }: Slot): Column => ({ name, type })

/** Without columns that wait to be added. */
function toStored(state: TableState): Table {
  const columns = state.slots.flatMap(({ name, stored }) => (stored === undefined ? [] : [{ name, type: stored }]))
  return { ...toTable(state), columns }
}

function toTable({ schema, slots, keyColumns, bySource }: TableState): Table {
  const key = keyColumns.flatMap((column) => bySource.get(column)?.name ?? [])
  return { name: schema.name, key, columns: slots.map(toColumn) }
}
