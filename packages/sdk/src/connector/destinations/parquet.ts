import { readdirSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import type { Column, Destination, DestinationOptions, Table } from '../destination.ts'
import { quote, text } from './sql-text.ts'
import { openDuckDbEngine, type DuckDbEngine } from './duckdb.ts'
import {
  openManifestFolder,
  syncPath,
  toFileFailure,
  toFileName,
  type KeptTable,
  type Manifest,
  type ManifestFolder,
} from './manifest.ts'

export type ParquetOptions = DestinationOptions & {
  /** made where there is none; the files of a connector lie in a folder of its name */
  readonly folder: string
}

type Open = {
  readonly engine: DuckDbEngine
  readonly folder: ManifestFolder
  /** tables that the engine has, with their keys */
  readonly loaded: Map<string, readonly string[]>
  /** loaded or made since the last commit: a rollback takes them away */
  readonly fresh: Set<string>
  readonly changed: Set<string>
}

const schema = 'tester'
const nameOf = (table: string): string => `${quote(schema)}.${quote(table)}`

/**
 * A Parquet file for each table. DuckDB, in memory, has the tables that a sync uses; a commit writes those that changed to new files,
 * and replaces the manifest, which names the files and holds the state. Files of the commit before stay for whoever reads them.
 *
 * @throws ConnectorError if the engine is not installed, or the folder cannot be written
 * @example await using files = await openParquet({ folder: 'files', connector: 'people_ai', system })
 */
export async function openParquet(options: ParquetOptions): Promise<Destination> {
  const name = `Parquet ${options.folder}`
  const fail = (error: unknown): never => {
    throw toFileFailure(name, error)
  }
  const engine = await openDuckDbEngine({ ...options, file: ':memory:', schema })
  const { destination: tables } = engine
  const folder = await openManifestFolder(options.folder, options.connector).catch(async (error: unknown) => {
    await tables.close()
    return fail(error)
  })
  const open: Open = { engine, folder, loaded: new Map(), fresh: new Set(), changed: new Set() }
  const close = async (): Promise<void> => {
    await tables.close()
    folder.close()
  }
  /** Does it with the table at hand. */
  const using = async <Result>(table: string, work: () => Promise<Result>): Promise<Result> => {
    await load(open, table).catch(fail)
    return work()
  }
  const changing = <Result>(table: string, work: () => Promise<Result>): Promise<Result> => {
    open.changed.add(table)
    return using(table, work)
  }
  return {
    name,
    capabilities: tables.capabilities,
    readState: async () => folder.read().state,
    readColumns: async (table) =>
      open.loaded.has(table) ? tables.readColumns(table) : folder.read().tables[table]?.columns,
    createTable: (table) => changing(table.name, () => createTable(open, table)),
    addColumns: (table, columns) => changing(table, () => tables.addColumns(table, columns)),
    changeType: (table, column) => changing(table, () => tables.changeType(table, column)),
    write: (batch) => changing(batch.table.name, () => tables.write(batch)),
    sweep: (sweep) => changing(sweep.table.name, () => tables.sweep(sweep)),
    countRows: async (table) =>
      open.loaded.has(table) ? tables.countRows(table) : (folder.read().tables[table]?.rows ?? 0),
    commit: (state) => commit(open, state).catch(fail),
    rollback: () => rollback(open),
    close,
    [Symbol.asyncDispose]: close,
  }
}

async function createTable({ engine, loaded, fresh }: Open, table: Table): Promise<void> {
  await engine.destination.createTable(table)
  loaded.set(table.name, table.key)
  fresh.add(table.name)
}

async function load(open: Open, table: string): Promise<void> {
  const { folder, engine } = open
  const kept = folder.read().tables[table]
  if (!kept || open.loaded.has(table)) return
  await createTable(open, { name: table, key: kept.key, columns: kept.columns })
  const files = kept.files.map(({ name }) => text(join(folder.path, name))).join(', ')
  await engine.run(`insert into ${nameOf(table)} by name select * from read_parquet([${files}])`)
}

async function commit(open: Open, state: string): Promise<void> {
  const { folder, changed, fresh, engine } = open
  const last = folder.read()
  const commits = last.commits + 1
  const tables = { ...last.tables }
  for (const table of changed) tables[table] = await writeTable(open, table, commits)
  await engine.destination.commit(state)
  syncPath(folder.path)
  const next: Manifest = { ...last, commits, state, tables }
  folder.write(next)
  removeOld(folder.path, [last, next])
  changed.clear()
  fresh.clear()
}

async function writeTable({ engine, folder, loaded }: Open, table: string, commits: number): Promise<KeptTable> {
  const { destination, run } = engine
  const columns: readonly Column[] = (await destination.readColumns(table)) ?? []
  const name = `${toFileName(table)}-${commits}.parquet`
  const path = join(folder.path, name)
  await run(`copy ${nameOf(table)} to ${text(path)} (format parquet, compression zstd)`)
  syncPath(path)
  const rows = await destination.countRows(table)
  return { key: loaded.get(table) ?? [], columns, rows, files: [{ name, rows, bytes: statSync(path).size }] }
}

/** What neither this commit nor the one before it names: also what a sync left that was killed. */
function removeOld(path: string, kept: readonly Manifest[]): void {
  const named = new Set(
    kept.flatMap(({ tables }) => Object.values(tables).flatMap(({ files }) => files.map(({ name }) => name))),
  )
  for (const name of readdirSync(path)) if (name.endsWith('.parquet') && !named.has(name)) rmSync(join(path, name))
}

async function rollback({ engine, loaded, fresh, changed }: Open): Promise<void> {
  await engine.destination.rollback()
  for (const table of fresh) loaded.delete(table)
  fresh.clear()
  changed.clear()
}
