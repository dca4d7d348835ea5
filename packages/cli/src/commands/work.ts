import type { Handler, WorkResult } from '@sluice/client'
import type { Command } from 'commander'
import { CommandError, exitCodes, usage } from '../exit.ts'
import { openAdmin, openSluice } from '../hub.ts'
import { wholeNumber, withHub, type HubOptions } from '../options.ts'
import { createOutput, type Output } from '../output.ts'
import { runCommand } from '../run-command.ts'
import { stopOnSignal } from '../stop-on-signal.ts'

type Options = HubOptions & {
  readonly exec: string
  readonly inbox: string
  readonly concurrency: number
  readonly batch?: number
  readonly leaseSeconds?: number
  readonly graceSeconds: number
  readonly once?: boolean
  readonly drain?: boolean
}

export function addWork(program: Command): void {
  withHub(program.command('work'))
    .summary('run a command for each event of an inbox')
    .description(
      'Leases events and runs the command for each, with the event as JSON on its stdin. Exit code 0 acknowledges the event; any\n' +
        'other gives it back for another attempt. On SIGTERM or Ctrl-C, what runs is finished and the rest given back.',
    )
    .requiredOption(
      '--exec <command>',
      'a shell command; sees SLUICE_EVENT_ID, SLUICE_EVENT_TYPE and SLUICE_ATTEMPT, too',
    )
    .option('--inbox <key>', 'which inbox', 'default')
    .option('--concurrency <n>', 'commands at a time', wholeNumber(1, 1000), 1)
    .option('--batch <n>', 'events a lease', wholeNumber(1, 1000))
    .option(
      '--lease-seconds <s>',
      'how long a lease lasts; it is extended while a command runs (default: as the inbox says)',
      wholeNumber(1, 3600),
    )
    .option('--grace-seconds <s>', 'how long commands may go on after SIGTERM', wholeNumber(0, 3600), 10)
    .option('--once', 'one event at most, then end')
    .option('--drain', 'end when the inbox is empty')
    .action(async (options: Options) => {
      if (options.exec.trim() === '') throw usage('--exec must hold a command')
      // Once at the start, so that a wrong address, key or name is said instead of waited for.
      await openAdmin(options).getInbox(options.inbox)
      const output = createOutput(options)
      const undone = new Set<string>()
      const { acked, released, dead, lost } = await runUntilDone(options, toHandler(options, output, undone), output)
      output.note(`${acked} acknowledged, ${released} given back for another attempt, ${dead} dead, ${lost} lost`)
      if ((options.once || options.drain) && undone.size > 0) {
        const words = `${undone.size} ${undone.size === 1 ? 'event was' : 'events were'} not done`
        throw new CommandError(acked > 0 ? exitCodes.partly : exitCodes.failed, words)
      }
    })
}

function runUntilDone(options: Options, run: Handler, output: Output): Promise<WorkResult> {
  const stop = stopOnSignal((name) => output.note(`${name}: finishing what runs; once more ends at once`))
  const inbox = openSluice(options).inbox(options.inbox)
  const { leaseSeconds, graceSeconds, concurrency, batch } = options
  const shared = { signal: stop.signal, leaseSeconds, graceSeconds }
  if (options.once) {
    const handler: Handler = async (event, context) => {
      try {
        await run(event, context)
      } finally {
        stop.abort()
      }
    }
    return inbox.drain(handler, { ...shared, concurrency: 1, batch: 1 })
  }
  return options.drain
    ? inbox.drain(run, { ...shared, concurrency, batch })
    : inbox.work(run, { ...shared, concurrency, batch })
}

/** @param undone ids of events whose last attempt so far failed */
function toHandler(options: Options, output: Output, undone: Set<string>): Handler {
  return async (event, { signal }) => {
    const ended = await runCommand(options.exec, event, { quiet: output.isJson, signal })
    const { event_id, event_type, attempt } = event
    const outcome = ended.exitCode === 0 ? 'acked' : 'released'
    output.item({ event_id, event_type, attempt, outcome, exit_code: ended.exitCode }, '')
    if (ended.exitCode === 0) return void undone.delete(event_id)
    undone.add(event_id)
    const how =
      ended.exitCode === null ? `was ended by ${ended.killedBy ?? 'a signal'}` : `exited with ${ended.exitCode}`
    output.note(`${event_id} ${event_type} (attempt ${attempt}): the command ${how}`)
    throw new Error(`the command ${how}${ended.lastWords ? `: ${ended.lastWords}` : ''}`)
  }
}
