import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { watch } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import type { Command } from 'commander'
import { usage } from '../exit.ts'
import { stopOnSignal } from '../stop-on-signal.ts'

type DevOptions = {
  readonly action?: string
  readonly trigger?: string
  readonly inputs: string
  readonly auth?: string
  readonly lastPollTs?: string
  readonly state?: string
}

/** @param integrations the command that this one belongs to */
export function addIntegrationsDev(integrations: Command): void {
  integrations
    .command('dev')
    .description(
      'Checks an integration each time one of its files is saved, and runs an action or a trigger. Ctrl-C ends it.',
    )
    .argument('<folder>', 'of the integration')
    .option('--action <name>', 'to run')
    .option('--trigger <name>', 'to ask')
    .option('--inputs <json>', 'an object, or @FILE', '{}')
    .option('--auth <json>', 'credentials: an object, or @FILE')
    .option('--last-poll-ts <time>', 'for --trigger: when it was asked last')
    .option('--state <json>', 'for --trigger: what it answered as state then')
    .action(dev)
}

async function dev(folder: string, options: DevOptions): Promise<void> {
  if (!existsSync(join(folder, 'config.json'))) throw usage(`${folder} is no integration: it has no config.json`)
  if (options.action !== undefined && options.trigger !== undefined)
    throw usage('--action and --trigger exclude each other')
  const { signal } = stopOnSignal()
  // Watched before the first run: what is saved meanwhile is not missed.
  const changes = createChanges(folder, signal)
  while (!signal.aborted) {
    changes.seen()
    await runOnce(folder, options, signal)
    if (!signal.aborted) process.stderr.write(`waiting for changes in ${folder}\n`)
    await changes.next()
  }
}

type Changes = {
  /** What came so far is dealt with. */
  readonly seen: () => void
  /** Resolves at the next change, or at the one that came already; and when it is over. */
  readonly next: () => Promise<void>
}

/** Editors write a file in several steps; so long after the first of them the others have come too. */
const settleMs = 100

function createChanges(folder: string, signal: AbortSignal): Changes {
  let change = Promise.withResolvers<void>()
  const follow = async (): Promise<void> => {
    for await (const { filename } of watch(folder, { recursive: true, signal }))
      if (!/(^|[\\/])(node_modules|\.[^\\/]+)([\\/]|$)/.test(filename ?? '')) change.resolve()
  }
  const followed = follow().catch((error: unknown) => {
    if (!signal.aborted) throw error
  })
  return {
    seen: () => {
      change = Promise.withResolvers<void>()
    },
    next: async () => {
      await Promise.race([change.promise, followed])
      await delay(settleMs, undefined, { signal }).catch(() => {}) // only the signal ends it early
    },
  }
}

/** In processes of their own: modules that were loaded once cannot be loaded again. */
async function runOnce(folder: string, options: DevOptions, signal: AbortSignal): Promise<void> {
  const code = await sluice(['validate', folder], signal)
  if (code !== 0 || signal.aborted) return
  const { action, trigger, inputs, auth, lastPollTs, state } = options
  const given = ['--inputs', inputs, ...(auth === undefined ? [] : ['--auth', auth])]
  if (action !== undefined) await sluice(['run', folder, action, ...given], signal)
  if (trigger !== undefined) {
    const place = [
      ...(lastPollTs === undefined ? [] : ['--last-poll-ts', lastPollTs]),
      ...(state === undefined ? [] : ['--state', state]),
    ]
    await sluice(['poll', folder, trigger, ...given, ...place], signal)
  }
}

function sluice(args: readonly string[], signal: AbortSignal): Promise<number | null> {
  const command = process.argv[1] ?? ''
  const child = spawn(process.execPath, [command, 'integrations', ...args], { stdio: ['ignore', 'inherit', 'inherit'] })
  const end = (): void => void child.kill()
  signal.addEventListener('abort', end, { once: true })
  return new Promise((done, failed) => {
    child.on('error', failed)
    child.on('close', (code) => {
      signal.removeEventListener('abort', end)
      done(code)
    })
  })
}
