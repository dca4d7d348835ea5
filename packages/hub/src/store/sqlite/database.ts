import { readFileSync, readdirSync } from 'node:fs'
import { DatabaseSync, type SQLInputValue, type StatementSync } from 'node:sqlite'

/** A connection with its prepared statements. */
export type Database = {
  readonly raw: DatabaseSync
  /** Prepared once for each text. Texts must come from a bounded set. */
  readonly sql: (text: string) => StatementSync
}

/**
 * Opens one of the hub's connections. The writer commits with `synchronous=full`: the log is on disk before a commit
 * returns. It leaves checkpoints to a thread of their own (measured: p99 of a publish 8.5 instead of 27.6 ms).
 */
export function openDatabase(file: string, mode: 'writer' | 'reader'): Database {
  const raw = new DatabaseSync(file, { readOnly: mode === 'reader', timeout: 10_000 })
  if (mode === 'writer') {
    raw.exec(`
      pragma auto_vacuum = incremental;
      pragma journal_mode = wal;
      pragma synchronous = full;
      pragma wal_autocheckpoint = 0;
      pragma journal_size_limit = 67108864;
      pragma cache_size = -32000;
    `)
  } else raw.exec('pragma cache_size = -8000')
  const statements = new Map<string, StatementSync>()
  const sql = (text: string): StatementSync => {
    const known = statements.get(text)
    if (known) return known
    const statement = raw.prepare(text)
    statements.set(text, statement)
    return statement
  }
  return { raw, sql }
}

const migrations = new URL('migrations/', import.meta.url)

/** What this code knows: each file is one version. */
function listMigrations(): string[] {
  return readdirSync(migrations)
    .filter((name) => name.endsWith('.sql'))
    .toSorted()
}

export const countMigrations = (): number => listMigrations().length

/** Runs the numbered files from the one on that this database has come to, each in a transaction. */
export function migrate({ raw }: Database): void {
  const files = listMigrations()
  for (;;) {
    raw.exec('begin immediate')
    const version = Number(raw.prepare('pragma user_version').get()?.['user_version'] ?? 0)
    const file = files[version]
    if (file === undefined) return raw.exec('commit')
    raw.exec(`${readFileSync(new URL(file, migrations), 'utf8')}; pragma user_version = ${version + 1}; commit`)
  }
}

/**
 * The rows of a statement, as the type that its columns make. SQLite checks nothing here: the SQL beside the call and the
 * type must agree, which the contract suite sees to. Copied, because SQLite's rows have no prototype.
 */
export function rows<Row>(statement: StatementSync, ...values: SQLInputValue[]): Row[] {
  return statement.all(...values).map((found) => ({ ...found }) as Row)
}

export function row<Row>(statement: StatementSync, ...values: SQLInputValue[]): Row | undefined {
  const found = statement.get(...values)
  return found && ({ ...found } as Row)
}
