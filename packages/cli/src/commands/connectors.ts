import { existsSync } from 'node:fs'
import { mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { diffDuckDb, type TableDifference } from '@sluice/sdk/sync'
import type { Command } from 'commander'
import { confirm } from '../confirm.ts'
import { toConnectorTemplate } from '../connector-template.ts'
import { exitCodes, usage } from '../exit.ts'
import { withJson, type JsonOption } from '../options.ts'
import { createOutput, toTable } from '../output.ts'
import { addConnectorSyncs } from './connector-syncs.ts'

export function addConnectors(program: Command): void {
  const connectors = program.command('connectors').summary('tables from outside services')
  withJson(connectors.command('new'))
    .description('Makes the folder of a new connector. It works as it is, with a test, and is there to be changed.')
    .argument('<name>', 'of the folder: lower case with hyphens')
    .addHelpText('after', '\nExample:\n  sluice connectors new weather-map')
    .action(makeNew)
  addConnectorSyncs(connectors)
  withJson(connectors.command('reset'))
    .description('Deletes what debug has left: the warehouse and the state. The next run begins anew.')
    .option('--output <folder>', 'where debug has left them', 'files')
    .option('--yes', 'do not ask')
    .addHelpText('after', '\nExample:\n  sluice connectors reset --yes')
    .action(reset)
  withJson(connectors.command('diff'))
    .description(
      'Compares the tables of two warehouses. Exit code 1 if they differ; when rows were synced does not count.',
    )
    .argument('<first>', 'a DuckDB file')
    .argument('<second>', 'another')
    .addHelpText('after', '\nExample:\n  sluice connectors diff before/warehouse.duckdb files/warehouse.duckdb')
    .action(diff)
}

async function makeNew(name: string, options: JsonOption): Promise<void> {
  if (!/^[a-z][a-z0-9-]{0,99}$/.test(name))
    throw usage(`"${name}" is no name for a connector: write it in lower case with hyphens, as weather-map`)
  if (existsSync(name)) throw usage(`${name} is there already; choose another name`)
  await mkdir(name)
  const files = Object.entries(toConnectorTemplate(name))
  for (const [file, text] of files) await writeFile(join(name, file), text)
  const made = files.map(([file]) => join(name, file))
  createOutput(options).result({ name, files: made }, `${made.join('\n')}\nnow: sluice connectors debug ${name}`)
}

type ResetOptions = JsonOption & { readonly output: string; readonly yes?: boolean }

const leftFiles = ['warehouse.duckdb', 'warehouse.duckdb.wal', 'state.json']

async function reset(options: ResetOptions): Promise<void> {
  const files = leftFiles.map((file) => join(options.output, file)).filter((file) => existsSync(file))
  const output = createOutput(options)
  if (files.length === 0) return output.result({ deleted: [] }, `there is nothing to delete in ${options.output}`)
  await confirm(`Delete ${files.join(', ')}?`, options.yes)
  for (const file of files) await rm(file)
  output.result({ deleted: files }, files.map((file) => `${file} deleted`).join('\n'))
}

async function diff(first: string, second: string, options: JsonOption): Promise<void> {
  for (const file of [first, second]) if (!existsSync(file)) throw usage(`there is no file ${file}`)
  const tables = await diffDuckDb(first, second)
  const result = tables.map(({ table, columns, onlyInFirst, onlyInSecond }) => ({
    table,
    columns,
    only_in_first: onlyInFirst,
    only_in_second: onlyInSecond,
  }))
  createOutput(options).result({ same: tables.length === 0, tables: result }, toWords(tables))
  process.exitCode = tables.length === 0 ? exitCodes.done : exitCodes.failed
}

function toWords(tables: readonly TableDifference[]): string {
  if (tables.length === 0) return 'the tables are the same'
  const rows = tables.map((one) => [one.table, one.onlyInFirst, one.onlyInSecond, one.columns.join(', ') || '-'])
  return toTable(['TABLE', 'ROWS ONLY IN FIRST', 'ROWS ONLY IN SECOND', 'COLUMNS'], rows)
}
