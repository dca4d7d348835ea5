import { mkdtempSync, rmSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { defineConnector, type UpdateContext } from './define.ts'
import { openSqlite } from './destinations/sqlite.ts'
import type { SourceRow } from './nested.ts'
import { runConnector, type RunOptions, type SyncResult } from './run.ts'
import type { TableSource } from './schema.ts'
import type { Drift } from './table-columns.ts'

export type Update = (
  context: UpdateContext<{ readonly secret: string }, SourceRow, Readonly<Record<string, SourceRow>>>,
) => Promise<void>

type SyncOptions = Partial<Omit<RunOptions, 'connector'>> & { readonly tables?: readonly TableSource[] }

export type SyncPlace = {
  /** Runs a connector with this `update`, into the same tables each time. */
  readonly sync: (update: Update, options?: SyncOptions) => Promise<SyncResult>
  /** values of some columns of the rows that live, by the first of them */
  readonly rows: (table: string, ...columns: string[]) => unknown[][]
  /** the same of those that are marked as deleted */
  readonly deleted: (table: string, ...columns: string[]) => unknown[][]
  readonly columnsOf: (table: string) => string[]
  /** of all syncs so far */
  readonly drifts: Drift[]
}

/** For tests: syncs into an SQLite file that goes with the test. */
export function useSync(context: TestContext): SyncPlace {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-sync-'))
  context.after(() => rmSync(folder, { recursive: true, force: true }))
  const file = join(folder, 'tables.sqlite')
  const drifts: Drift[] = []
  const query = (sql: string): Record<string, unknown>[] => {
    const database = new DatabaseSync(file)
    try {
      return database.prepare(sql).all()
    } finally {
      database.close()
    }
  }
  const read = (table: string, columns: readonly string[], deleted: 0 | 1): unknown[][] => {
    const list = columns.map((column) => `"${column}"`).join(', ')
    const rows = query(`select ${list} from "${table}" where _fivetran_deleted = ${deleted} order by ${list}`)
    return rows.map((row) => Object.values(row))
  }
  return {
    sync: async (update, { tables = [{ table: 't', primary_key: ['id'] }], ...options } = {}) => {
      const connector = defineConnector({
        name: 'tests',
        configuration: { secret: 'secret' },
        schema: () => tables,
        update,
      })
      const destination: RunOptions['destination'] = (given) => openSqlite({ file, ...given })
      const configuration = { secret: 'a-planted-secret' }
      return runConnector({ connector, configuration, destination, onDrift: (drift) => drifts.push(drift), ...options })
    },
    rows: (table, ...columns) => read(table, columns, 0),
    deleted: (table, ...columns) => read(table, columns, 1),
    columnsOf: (table) => query(`select name from pragma_table_info('${table}')`).map(({ name }) => String(name)),
    drifts,
  }
}
