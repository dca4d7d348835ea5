import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'
import type { Command } from 'commander'
import { usage } from '../exit.ts'
import { toLocalPlace } from '../local.ts'
import { withJson, type JsonOption } from '../options.ts'
import { createOutput } from '../output.ts'

type Options = JsonOption & { readonly data?: string }

export function addBackup(program: Command): void {
  withJson(program.command('backup'))
    .summary('copy the store of a data folder into one file')
    .description(
      'Copies the database of a data folder as it is at this instant into one file, also while a hub runs on it, and reads the copy through. The secret key is not in it. For Postgres there is pg_dump.',
    )
    .argument('<file>', 'a new file')
    .option('--data <dir>', 'the data folder (SLUICE_DATA; default ./.sluice)')
    .action(backup)
}

async function backup(file: string, options: Options): Promise<void> {
  const { data, databaseUrl } = toLocalPlace(options)
  if (databaseUrl !== undefined)
    throw usage('DATABASE_URL names a Postgres database: back that up with pg_dump, or say which folder with --data')
  if (!existsSync(join(data, 'sluice.db'))) throw usage(`there is no store in ${resolve(data)}; say where with --data`)
  if (existsSync(file)) throw usage(`${file} is there already; remove it, or take another name`)
  const { backupFolder } = await import('@sluice/hub')
  const { stderr } = process
  const onProgress = (share: number): void => {
    if (stderr.isTTY) stderr.write(`\r\u001b[2K${Math.round(share * 100)} %`)
  }
  const { bytes } = await backupFolder({ data, file, onProgress })
  if (stderr.isTTY) stderr.write('\r\u001b[2K')
  const output = createOutput(options)
  output.result({ file, bytes }, `${file} holds the store of ${resolve(data)}, ${bytes.toLocaleString('en')} bytes.`)
  if (!output.isJson)
    output.note(
      `The secret key is not in it: keep ${join(data, 'secret.key')} elsewhere, once. The file holds all payloads, and hashes of API keys.`,
    )
}
