import type { ColumnType } from './column-type.ts'
import type { Value } from './value.ts'

/** A column of a table at the destination, by the name that it has there. */
export type Column = { readonly name: string; readonly type: ColumnType }

/** A table as it is at the destination, without its system columns. */
export type Table = {
  readonly name: string
  /** names of the columns that make a row the same row; null is a value like any other in them */
  readonly key: readonly string[]
  readonly columns: readonly Column[]
}

/** The values of some columns of one row, in the order of those columns. A row that is shorter ends with nulls. */
export type Row = readonly Value[]

/**
 * Changes of one table. A key stands at most once in all of a batch, so that the order in it does not matter. Every table and
 * column that it names was made before.
 */
export type Batch = {
  readonly table: Table
  /** when the sync began, ISO 8601 in UTC; goes into the system column `synced` of every row that the batch touches */
  readonly syncedAt: string
  /** whole rows, over all `table.columns`: they replace what was there, and revive what was deleted */
  readonly upserts: readonly Row[]
  /** parts of rows: the other columns stay; a key that is not there is passed over */
  readonly updates: readonly { readonly columns: readonly Column[]; readonly rows: readonly Row[] }[]
  /** values of `table.key`, in its order: the row is marked as deleted; one that is not there is passed over */
  readonly deletes: readonly Row[]
}

/** Which rows of a table are marked as deleted. */
export type Sweep = {
  readonly table: Table
  readonly syncedAt: string
  /** only rows that were last touched by a sync that began earlier than this; where left out, all */
  readonly syncedBefore?: string | undefined
  /** only rows with one of these values in these columns: the children of some parents */
  readonly where?: { readonly columns: readonly Column[]; readonly rows: readonly Row[] } | undefined
  /** between 0 and 1: with more than this share of the live rows to delete, none is */
  readonly maxShare?: number | undefined
}

export type Swept = {
  /** rows that were, or with `isStopped` would have been, marked; without `merge` all records of rows, for nobody counted */
  readonly deleted: number
  /** rows that were not marked as deleted before; without `merge` all records of rows */
  readonly live: number
  /** more than `maxShare`: nothing was changed */
  readonly isStopped: boolean
}

/** What a destination can do. What it cannot is refused before anything is read. */
export type Capabilities = {
  /** upserts replace the row of their key; without it each change is one more record, and who reads them makes tables of them */
  readonly merge: boolean
  /**
   * What was written since the last commit and its state appear together or not at all. Without it `commit` puts the state down
   * after the data, so that a kill in between repeats data.
   */
  readonly transaction: boolean
  /** `updates` */
  readonly update: boolean
  /** `deletes` and `sweep` */
  readonly delete: boolean
  /** rows keep their former versions */
  readonly history: boolean
  /** columns can be added, or also be given a wider type; `none` where records describe themselves: nobody is asked */
  readonly evolution: 'none' | 'add' | 'widen'
}

/**
 * Where tables are kept. Calls come one after the other, never two at once. Whatever a call throws ends the sync: it says what,
 * which and what to do. After a kill or an error the next `open` finds what the last `commit` left.
 *
 * System columns are the destination's own, three in each table, named by `SystemColumns`: `synced` (UTC_DATETIME), `deleted`
 * (BOOLEAN, never null); the third, `id`, is an ordinary column of tables without a key, and comes in batches.
 */
export type Destination = AsyncDisposable & {
  /** for messages: what it is and where */
  readonly name: string
  readonly capabilities: Capabilities
  /** longer names are cut; undefined for no limit */
  readonly maxNameBytes?: number | undefined
  /**
   * When a sync began that was ended before a commit, where what it sent cannot be taken back: the next one goes on as that one, with
   * its time, so that what it sends again is the same.
   */
  readonly unfinished?: string | undefined
  /** What the last commit put down; undefined before the first. */
  readState(): Promise<string | undefined>
  /** The columns of a table, without system columns; undefined where there is none. */
  readColumns(table: string): Promise<readonly Column[] | undefined>
  createTable(table: Table): Promise<void>
  /** Columns that are null in every row so far. */
  addColumns(table: string, columns: readonly Column[]): Promise<void>
  /**
   * Gives a column a wider type (`widen` of column-type.ts), its values with it: text as `convert` of value.ts makes it.
   *
   * @returns `inexact` where a value would lose digits, and nothing is changed; STRING always works
   */
  changeType(table: string, column: Column): Promise<'changed' | 'inexact'>
  write(batch: Batch): Promise<void>
  sweep(sweep: Sweep): Promise<Swept>
  /** Rows that are not marked as deleted, or without `merge` records of whole rows; 0 where there is no table. */
  countRows(table: string): Promise<number>
  /** Resolves when everything so far is safe, with the state. */
  commit(state: string): Promise<void>
  /** Forgets what was not committed, after an error, too; without transactions, what was written stays. */
  rollback(): Promise<void>
  /** Gives back what it holds. What was not committed is gone. */
  close(): Promise<void>
}

/** Names of the columns that a destination adds. */
export type SystemColumns = { readonly synced: string; readonly deleted: string; readonly id: string }

/** The names of a family: `fivetran` has `_fivetran_synced` and so on. */
export function toSystemColumns(family: 'fivetran' | 'sluice'): SystemColumns {
  return { synced: `_${family}_synced`, deleted: `_${family}_deleted`, id: `_${family}_id` }
}

export type DestinationOptions = {
  /** name of the connector: states of several stand side by side */
  readonly connector: string
  readonly system: SystemColumns
}
