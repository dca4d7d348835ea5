import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { open, rename, rm } from 'node:fs/promises'
import type { Command } from 'commander'
import { CommandError, exitCodes, usage } from '../exit.ts'
import { createCounter } from '../counter.ts'
import { createOutput } from '../output.ts'
import { stopOnSignal } from '../stop-on-signal.ts'
import { openLocal, withLocal, type LocalOptions } from '../local.ts'
import { version } from '../version.ts'

type Options = LocalOptions & { readonly workspace: string }

export function addExport(program: Command): void {
  withLocal(program.command('export'))
    .summary('write a workspace into a file, to import it elsewhere')
    .description(
      'Writes everything that a workspace holds at this instant into a file of lines of JSON, for sluice import. Hubs may run on the store; what they take in meanwhile is not in the file.',
    )
    .argument('<file>', 'a new file; - for stdout')
    .option('--workspace <key>', 'which one', 'default')
    .action(exportTo)
}

async function exportTo(file: string, options: Options): Promise<void> {
  if (file === '-' && options.json) throw usage('with --json stdout holds the summary; give a file instead of -')
  if (existsSync(file)) throw usage(`${file} is there already; remove it, or take another name`)
  const { signal } = stopOnSignal()
  const admin = await openLocal(options, { exclusive: false })
  const sink = file === '-' ? toStdout() : await toFile(file)
  const counter = createCounter('events')
  try {
    const end = await admin.exportWorkspace(options.workspace, {
      version,
      signal,
      write: sink.write,
      onProgress: counter.show,
    })
    await sink.finish()
    counter.end(end.counts['event'] ?? 0)
    const output = createOutput(options)
    const words = file === '-' ? '' : `Workspace ${options.workspace} is in ${file}.`
    output.result({ file, workspace: options.workspace, ...end }, words)
    if (!output.isJson)
      output.note('The file holds all payloads, and hashes of API keys: keep it as you keep the store.')
  } catch (error) {
    await sink.abandon()
    throw signal.aborted ? new CommandError(exitCodes.failed, 'stopped; nothing was written', { cause: error }) : error
  } finally {
    await admin.close()
  }
}

type Sink = {
  readonly write: (text: string) => Promise<void>
  readonly finish: () => Promise<void>
  readonly abandon: () => Promise<void>
}

function toStdout(): Sink {
  const { stdout } = process
  return {
    write: async (text) => {
      if (!stdout.write(text)) await once(stdout, 'drain')
    },
    finish: async () => {},
    abandon: async () => {},
  }
}

/** Under another name until it is whole and on disk. */
async function toFile(file: string): Promise<Sink> {
  const unfinished = `${file}.unfinished`
  const handle = await open(unfinished, 'w', 0o600)
  return {
    write: (text) => handle.appendFile(text),
    finish: async () => {
      await handle.sync()
      await handle.close()
      await rename(unfinished, file)
    },
    abandon: async () => {
      await handle.close()
      await rm(unfinished, { force: true })
    },
  }
}
