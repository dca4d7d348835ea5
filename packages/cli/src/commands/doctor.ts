import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { LocalAdmin } from '@sluice/hub'
import type { Command } from 'commander'
import { checkFolder, checkSecretKey, checkStore } from '../checks/folder.ts'
import { checkDatabase } from '../checks/database.ts'
import { checkHub } from '../checks/hub.ts'
import { checkNode } from '../checks/node.ts'
import { checkSecrets } from '../checks/secrets.ts'
import type { Check } from '../checks/check.ts'
import { CommandError, exitCodes } from '../exit.ts'
import { createOutput, printable } from '../output.ts'
import { toFolder, toPlace, withTarget, type Place, type TargetOptions } from '../target.ts'

export function addDoctor(program: Command): void {
  withTarget(program.command('doctor'))
    .summary('look for what is wrong here, and say what to do')
    .description(
      'Checks Node, data folder or database, store, disk, clock, port and key. Changes nothing. Exit code 1 if something is wrong.',
    )
    .action(async (options: TargetOptions) => {
      const output = createOutput(options)
      const checks = await runChecks(options)
      output.result(checks, checks.map(toLine).join('\n'))
      const wrong = checks.filter((check) => check.status === 'fail').length
      if (wrong > 0)
        throw new CommandError(exitCodes.failed, wrong === 1 ? 'one thing is wrong' : `${wrong} things are wrong`)
    })
}

async function runChecks(options: TargetOptions): Promise<Check[]> {
  const place = toPlace(options)
  const here = await checkHere(place, options)
  return [checkNode(), ...here, ...(await checkHub(options))]
}

/** The database, or the data folder, unless the hub is said to be elsewhere and there is none here. */
async function checkHere(place: Place, options: TargetOptions): Promise<Check[]> {
  if (place.kind === 'postgres') return [await checkDatabase(place), await checkSecrets(() => openAdmin(place))]
  const data = place.kind === 'folder' ? place.data : toFolder(options)
  if (place.kind === 'hub' && (options.url !== undefined || !existsSync(data))) return []
  const here = [checkFolder(data), checkSecretKey(data), await checkStore(data)]
  return existsSync(join(data, 'sluice.db')) ? [...here, await checkSecrets(() => openAdmin({ data }))] : here
}

const openAdmin = async (place: { readonly data: string; readonly databaseUrl?: string }): Promise<LocalAdmin> =>
  (await import('@sluice/hub')).openLocalAdmin({ ...place, exclusive: false })

function toLine({ status, name, found, todo }: Check): string {
  return `${status.padEnd(4)}  ${name.padEnd(10)}  ${printable(found)}${todo === undefined ? '' : `\n      ${''.padEnd(10)}  -> ${printable(todo)}`}`
}
