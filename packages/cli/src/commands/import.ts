import { createReadStream } from 'node:fs'
import { access } from 'node:fs/promises'
import type { Command } from 'commander'
import { createCounter } from '../counter.ts'
import { CommandError, exitCodes, toFailure, usage } from '../exit.ts'
import { createOutput } from '../output.ts'
import { stopOnSignal } from '../stop-on-signal.ts'
import { openLocal, withLocal, type LocalOptions } from '../local.ts'

type Options = LocalOptions & { readonly workspace?: string; readonly keys: boolean; readonly restart?: boolean }

export function addImport(program: Command): void {
  withLocal(program.command('import'))
    .summary('read a workspace from a file that sluice export wrote')
    .description(
      'Reads an export into an empty workspace, which is there once the whole file was found in order. If it is interrupted, run it again: it goes on after the last part that is in. On a data folder no hub may run.',
    )
    .argument('<file>', 'what sluice export wrote; - for stdin')
    .option('--workspace <key>', 'its name here (default: the name in the file)')
    .option('--no-keys', 'leave the API keys out')
    .option('--restart', 'give up an import of another file that was not finished')
    .action(importFrom)
}

async function importFrom(file: string, options: Options): Promise<void> {
  if (file !== '-') await access(file).catch((cause: unknown) => Promise.reject(usage(toFailure(cause).message)))
  const { signal } = stopOnSignal()
  const admin = await openLocal(options, { exclusive: true, make: true })
  const counter = createCounter('events')
  try {
    const imported = await admin.importWorkspace({
      source: file === '-' ? process.stdin : createReadStream(file, { highWaterMark: 1024 * 1024 }),
      workspace: options.workspace,
      withKeys: options.keys,
      restart: options.restart === true,
      signal,
      onProgress: counter.show,
    })
    counter.end(imported.counts['event'] ?? 0)
    const again = imported.resumed > 0 ? `, ${imported.resumed} of ${imported.chunks} parts by an earlier run` : ''
    createOutput(options).result(imported, `Workspace ${imported.workspace} is here${again}.`)
  } catch (error) {
    if (!signal.aborted) throw error
    throw new CommandError(exitCodes.failed, 'stopped; run it again and it goes on from here', { cause: error })
  } finally {
    await admin.close()
  }
}
