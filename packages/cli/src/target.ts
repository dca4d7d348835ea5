import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { createAdmin, type Admin } from '@sluice/client/admin'
import { readEnvironment } from './environment.ts'
import { usage } from './exit.ts'
import { toConnection } from './hub.ts'
import { withJson, type HubOptions } from './options.ts'
import type { Command } from 'commander'

/** What can be done to keys and workspaces, in a running hub, its data folder or its database. */
export type Target = Pick<
  Admin,
  | 'createKey'
  | 'listKeys'
  | 'patchKey'
  | 'rotateKey'
  | 'revokeKey'
  | 'listWorkspaces'
  | 'putWorkspace'
  | 'deleteWorkspace'
> & { readonly close: () => Promise<void> }

export type TargetOptions = HubOptions & { readonly data?: string; readonly databaseUrl?: string }

/** For commands that work on a data folder or a database as well as over HTTP. */
export function withTarget(command: Command): Command {
  return withJson(command)
    .option('--data <dir>', 'the data folder of the hub, also while it runs (SLUICE_DATA; default ./.sluice)')
    .option('--database-url <url>', "the hub's Postgres database, also while hubs run on it (DATABASE_URL)")
    .option('--url <url>', 'a running hub (SLUICE_URL)')
    .option('--key <key>', 'API key of an administrator, with --url (SLUICE_API_KEY)')
}

/** Where the command acts: an explicit flag, else SLUICE_URL, else DATABASE_URL, else the data folder. */
export type Place =
  | { readonly kind: 'hub'; readonly url: string }
  | { readonly kind: 'postgres'; readonly databaseUrl: string; readonly data: string }
  | { readonly kind: 'folder'; readonly data: string }

export function toPlace(options: TargetOptions): Place {
  const environment = readEnvironment()
  const data = toFolder(options)
  if (options.databaseUrl !== undefined && options.url !== undefined)
    throw usage('give --database-url or --url, not both')
  if (options.databaseUrl !== undefined) return { kind: 'postgres', databaseUrl: options.databaseUrl, data }
  if (options.url !== undefined && options.data !== undefined) throw usage('give --data or --url, not both')
  if (options.url !== undefined) return { kind: 'hub', url: options.url }
  if (options.data !== undefined) return { kind: 'folder', data }
  if (environment.url !== undefined) return { kind: 'hub', url: environment.url }
  const { databaseUrl } = environment
  return databaseUrl === undefined ? { kind: 'folder', data } : { kind: 'postgres', databaseUrl, data }
}

export function toFolder(options: TargetOptions): string {
  return options.data ?? readEnvironment().data ?? './.sluice'
}

type Access = {
  /** no hub may run on the folder */
  readonly exclusive?: boolean
  /** make the folder if there is none; otherwise that is an error, because it is most likely the wrong one */
  readonly make?: boolean
}

/** Runs `act` on the place that the options name, and lets go of it afterwards. */
export async function onTarget<Result>(
  options: TargetOptions,
  act: (target: Target) => Promise<Result>,
  access: Access = {},
): Promise<Result> {
  const target = await openTarget(options, access)
  try {
    return await act(target)
  } finally {
    await target.close()
  }
}

async function openTarget(options: TargetOptions, { exclusive = false, make = false }: Access): Promise<Target> {
  const place = toPlace(options)
  if (place.kind === 'hub')
    return { ...createAdmin(toConnection({ ...options, url: place.url })), close: async () => undefined }
  // The hub is loaded only where it is needed: it would double the time that a command takes to begin.
  const hub = (): Promise<typeof import('@sluice/hub')> => import('@sluice/hub')
  if (place.kind === 'postgres') return (await hub()).openLocalAdmin({ ...place, exclusive })
  const isNew = !existsSync(join(place.data, 'sluice.db'))
  if (isNew && !make) {
    throw usage(
      `there is no store in ${resolve(place.data)}; say where the hub keeps its data with --data, or where it runs with --url`,
    )
  }
  if (isNew) process.stderr.write(`Making a new store in ${resolve(place.data)}.\n`)
  return (await hub()).openLocalAdmin({ data: place.data, exclusive })
}
