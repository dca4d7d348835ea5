import { closeSync, fdatasyncSync, fstatSync, ftruncateSync, openSync, readdirSync, rmSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import type { Batch, Capabilities, Destination, DestinationOptions, Sweep, Swept, Table } from '../destination.ts'
import {
  addBatch,
  addTable,
  judgeSweep,
  printSweep,
  setColumns,
  toChangeRecords,
  type ChangeRecord,
} from './change-records.ts'
import {
  openManifestFolder,
  toFileFailure,
  toFileName,
  type KeptTable,
  type Manifest,
  type ManifestFolder,
} from './manifest.ts'

export type NdjsonOptions = DestinationOptions & {
  /** made where there is none; the files of a connector lie in a folder of its name */
  readonly folder: string
}

type Open = {
  readonly name: string
  readonly folder: ManifestFolder
  readonly options: NdjsonOptions
  /** with what is not committed */
  tables: Record<string, KeptTable>
  /** open files by table, with what was written to them */
  readonly files: Map<string, { readonly handle: number; bytes: number }>
}

const capabilities: Capabilities = {
  merge: false,
  transaction: true,
  update: true,
  delete: true,
  history: true,
  evolution: 'none',
}

/**
 * A file of lines for each table, one line a change: whole rows as objects, other changes with a member `_sluice_change`. Files only
 * grow, and the manifest says how far they and the state are committed: what stands behind that is cut off by the next sync.
 *
 * @throws ConnectorError if the folder cannot be written, or files in it are not as the manifest says
 * @example await using lines = await openNdjson({ folder: 'files', connector: 'people_ai', system })
 */
export async function openNdjson(options: NdjsonOptions): Promise<Destination> {
  const name = `NDJSON ${options.folder}`
  const guard = <Args extends unknown[], Result>(work: (...args: Args) => Result) => {
    return async (...args: Args): Promise<Result> => {
      try {
        return work(...args)
      } catch (error) {
        throw toFileFailure(name, error)
      }
    }
  }
  const folder = await openManifestFolder(options.folder, options.connector).catch((error: unknown) => {
    throw toFileFailure(name, error)
  })
  const open: Open = { name, folder, options, tables: { ...folder.read().tables }, files: new Map() }
  const close = guard(() => {
    for (const { handle } of open.files.values()) closeSync(handle)
    open.files.clear()
    folder.close()
  })
  await guard(cutOff)(open).catch(async (error: unknown) => {
    await close()
    throw error
  })
  return {
    name,
    capabilities,
    readState: async () => folder.read().state,
    readColumns: async (table) => open.tables[table]?.columns,
    createTable: guard((table: Table) => {
      addTable(name, open.tables, table)
      append(open, table.name, '')
    }),
    addColumns: async (table, columns) => void setColumns(open.tables, table, columns),
    changeType: async (table, column) => setColumns(open.tables, table, [column]),
    write: guard((batch: Batch) => write(open, batch)),
    sweep: guard((sweep: Sweep) => writeSweep(open, sweep)),
    countRows: async (table) => open.tables[table]?.rows ?? 0,
    commit: guard((state: string) => commit(open, state)),
    rollback: guard(() => rollback(open)),
    close,
    [Symbol.asyncDispose]: close,
  }
}

const fileOf = (table: string): string => `${toFileName(table)}.ndjson`

/** What a sync left that did not get to its commit. */
function cutOff({ folder }: Open): void {
  const { tables } = folder.read()
  const known = new Map(Object.values(tables).flatMap(({ files }) => files.map((file) => [file.name, file.bytes])))
  for (const name of readdirSync(folder.path)) {
    if (!name.endsWith('.ndjson')) continue
    const path = join(folder.path, name)
    const bytes = known.get(name)
    if (bytes === undefined) rmSync(path)
    else truncate(path, bytes)
    known.delete(name)
  }
  const [lost] = known.keys()
  if (lost !== undefined)
    throw new Error(
      `${lost} is gone, and manifest.json names it; remove the folder ${folder.path} to load everything again`,
    )
}

function truncate(path: string, bytes: number): void {
  const handle = openSync(path, 'r+')
  try {
    const { size } = fstatSync(handle)
    if (size < bytes)
      throw new Error(
        `${path} has ${size} bytes, and ${bytes} were committed; restore it, or remove its folder to load everything again`,
      )
    if (size > bytes) ftruncateSync(handle, bytes)
  } finally {
    closeSync(handle)
  }
}

function append(open: Open, table: string, lines: string): void {
  const { folder, files, tables } = open
  let file = files.get(table)
  if (!file) {
    file = { handle: openSync(join(folder.path, fileOf(table)), 'a'), bytes: tables[table]?.files[0]?.bytes ?? 0 }
    files.set(table, file)
  }
  const bytes = Buffer.from(lines)
  for (let written = 0; written < bytes.length;) {
    const count = writeSync(file.handle, bytes, written)
    written += count
    file.bytes += count
  }
}

const pieceLength = 65_536

function write(open: Open, batch: Batch): void {
  const { table } = batch
  let lines = ''
  for (const record of toChangeRecords(batch)) {
    lines += toLine(open, batch.syncedAt, record)
    if (lines.length < pieceLength) continue
    append(open, table.name, lines)
    lines = ''
  }
  append(open, table.name, lines)
  open.tables[table.name] = addBatch(open.tables[table.name], batch)
}

function toLine({ options }: Open, syncedAt: string, { change, members }: ChangeRecord): string {
  const { deleted, synced } = options.system
  const own = `${JSON.stringify(deleted)}:${change === 'delete'},${JSON.stringify(synced)}:"${syncedAt}"`
  return change === 'upsert' ? `{${members},${own}}\n` : `{${members},${own},"_sluice_change":"${change}"}\n`
}

function writeSweep(open: Open, sweep: Sweep): Swept {
  const { table, syncedAt } = sweep
  const swept = judgeSweep(open.name, sweep, open.tables[table.name])
  if (swept.isStopped) return swept
  const said = printSweep(sweep)
  const own = `${JSON.stringify(open.options.system.synced)}:"${syncedAt}","_sluice_change":"truncate"`
  append(open, table.name, `{${said}${said === '' ? '' : ','}${own}}\n`)
  return swept
}

function commit(open: Open, state: string): void {
  const { folder, files, tables } = open
  for (const [table, { handle, bytes }] of files) {
    fdatasyncSync(handle)
    const kept = tables[table]
    if (kept) tables[table] = { ...kept, files: [{ name: fileOf(table), rows: kept.rows, bytes }] }
  }
  const last: Manifest = folder.read()
  folder.write({ ...last, commits: last.commits + 1, state, tables: { ...tables } })
}

function rollback(open: Open): void {
  for (const { handle } of open.files.values()) closeSync(handle)
  open.files.clear()
  open.tables = { ...open.folder.read().tables }
  cutOff(open)
}
