import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'
import type { LocalAdmin } from '@sluice/hub'
import type { Command } from 'commander'
import { readEnvironment } from './environment.ts'
import { usage } from './exit.ts'
import { withJson, type JsonOption } from './options.ts'

export type LocalOptions = JsonOption & { readonly data?: string; readonly databaseUrl?: string }

/** For commands that work on a data folder or a database themselves, and never over HTTP. */
export function withLocal(command: Command): Command {
  return withJson(command)
    .option('--data <dir>', 'the data folder (SLUICE_DATA; default ./.sluice)')
    .option('--database-url <url>', 'the Postgres database instead (DATABASE_URL)')
}

type LocalPlace = { readonly data: string; readonly databaseUrl?: string | undefined }

/** An explicit flag, else DATABASE_URL, else the data folder. */
export function toLocalPlace({ data, databaseUrl }: LocalOptions): LocalPlace {
  const environment = readEnvironment()
  const folder = data ?? environment.data ?? './.sluice'
  if (databaseUrl !== undefined) return { data: folder, databaseUrl }
  return { data: folder, databaseUrl: data === undefined ? environment.databaseUrl : undefined }
}

type Access = {
  /** no hub may run on the folder */
  readonly exclusive: boolean
  /** make the folder if there is none */
  readonly make?: boolean
}

export async function openLocal(options: LocalOptions, { exclusive, make = false }: Access): Promise<LocalAdmin> {
  const place = toLocalPlace(options)
  if (place.databaseUrl === undefined && !existsSync(join(place.data, 'sluice.db'))) {
    if (!make) throw usage(`there is no store in ${resolve(place.data)}; say where it is with --data or --database-url`)
    process.stderr.write(`Making a new store in ${resolve(place.data)}.\n`)
  }
  // The hub is loaded only where it is needed: it would double the time that a command takes to begin.
  const { openLocalAdmin } = await import('@sluice/hub')
  return openLocalAdmin({ ...place, exclusive })
}
