import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'
import type { Command } from 'commander'
import { usage } from '../exit.ts'
import { openLocal, toLocalPlace, withLocal, type LocalOptions } from '../local.ts'
import { createOutput } from '../output.ts'

export function addRestore(program: Command): void {
  withLocal(program.command('restore'))
    .summary('make a data folder of a backup; or finish what pg_restore did')
    .description(
      'Makes a data folder of a file of sluice backup. With --database-url and no file: to be run once after pg_restore, before the first hub starts. Either way events to come get ids that were never given out, also not after the backup was made.',
    )
    .argument('[file]', 'what sluice backup wrote')
    .action(restore)
}

async function restore(file: string | undefined, options: LocalOptions): Promise<void> {
  const place = toLocalPlace(options)
  const output = createOutput(options)
  if (file === undefined) {
    if (place.databaseUrl === undefined) throw usage('say which file, as: sluice restore FILE --data DIR')
    await renewIds(options)
    return output.result({ renewed: true }, 'Events to come get new ids; a hub can start.')
  }
  if (place.databaseUrl !== undefined)
    throw usage('a file of sluice backup is for a data folder: say which with --data; for Postgres there is pg_restore')
  if (!existsSync(file)) throw usage(`there is no file ${file}`)
  const data = resolve(place.data)
  const { restoreFolder } = await import('@sluice/hub')
  await restoreFolder({ data, file })
  output.result({ data, file }, `${data} holds what ${file} held.`)
  if (!output.isJson && !existsSync(join(data, 'secret.key')))
    output.note(
      `Put the secret key of before at ${join(data, 'secret.key')}; without it the hub makes a new one at its start.`,
    )
}

async function renewIds(options: LocalOptions): Promise<void> {
  const admin = await openLocal(options, { exclusive: true })
  try {
    await admin.renewIds()
  } finally {
    await admin.close()
  }
}
