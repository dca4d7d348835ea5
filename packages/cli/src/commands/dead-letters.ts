import type { DeadLetterSelection } from '@sluice/protocol'
import type { Command } from 'commander'
import { confirm } from '../confirm.ts'
import { usage } from '../exit.ts'
import { openAdmin, openSluice } from '../hub.ts'
import { several, toPastTime, withHub, withPages, type HubOptions, type PageOptions } from '../options.ts'
import { createOutput, toTable } from '../output.ts'

type InboxOption = HubOptions & { readonly inbox: string }

type SelectOptions = InboxOption & {
  readonly id?: readonly string[]
  readonly type?: string
  readonly after?: string
  readonly before?: string
  readonly all?: boolean
  readonly dryRun?: boolean
  readonly yes?: boolean
}

export function addDeadLetters(program: Command): void {
  const deadLetters = program
    .command('dead-letters')
    .summary('events whose attempts were used up, or that could not be sent')
  withPages(withHub(deadLetters.command('list')))
    .description('Oldest first, with the reason and a copy of the event (--json).')
    .option('--inbox <key>', 'which inbox', 'default')
    .action(async (options: InboxOption & PageOptions) => {
      const page = await openAdmin(options).listDeadLetters(options.inbox, {
        limit: options.limit,
        cursor: options.cursor,
      })
      const rows = page.dead_letters.map((letter) => [
        letter.dead_at,
        letter.event_id,
        letter.event_type,
        letter.attempts,
        letter.reason,
      ])
      const words =
        rows.length === 0 ? 'There are none.' : toTable(['DEAD SINCE', 'EVENT ID', 'TYPE', 'ATTEMPTS', 'REASON'], rows)
      createOutput(options).page(page, words)
    })
  withSelection(withHub(deadLetters.command('replay')))
    .description('Hands dead letters out again, with no attempts counted.')
    .action(async (options: SelectOptions) => {
      const { count } = await openAdmin(options).replayDeadLetters(options.inbox, toSelection(options))
      report(options, count, options.dryRun ? 'would be replayed' : 'replayed')
    })
  withSelection(withHub(deadLetters.command('discard')))
    .description('Gives dead letters up for good. Their events stay in the log.')
    .option('--yes', 'do not ask')
    .action(async (options: SelectOptions) => {
      const admin = openAdmin(options)
      const selection = toSelection(options)
      if (!options.dryRun) {
        const { count } = await admin.discardDeadLetters(options.inbox, { ...selection, dry_run: true })
        await confirm(`Discard ${count} dead letters of inbox ${options.inbox}?`, options.yes)
      }
      const { count } = await admin.discardDeadLetters(options.inbox, selection)
      report(options, count, options.dryRun ? 'would be discarded' : 'discarded')
    })
  withHub(deadLetters.command('send'))
    .description(
      'Publishes what a dead-letter file of the SDK holds, under the same idempotency keys, and marks in it what went through.',
    )
    .argument('<file>', 'JSONL, as jsonlFile of @sluice/client/node writes it')
    .option('--dry-run', 'only count')
    .action(async (file: string, options: HubOptions & { readonly dryRun?: boolean }) => {
      // Loaded only here: what the SDK has for Node would slow every other command down.
      const { countDeadLetters, sendDeadLetters } = await import('../send-dead-letters.ts')
      const job = { file, output: createOutput(options) }
      if (options.dryRun) return countDeadLetters(job)
      await sendDeadLetters({ ...job, sluice: openSluice(options) })
    })
}

function withSelection(command: Command): Command {
  return command
    .option('--inbox <key>', 'which inbox', 'default')
    .option('--id <event-id>', 'this one; may be repeated', several)
    .option('--type <glob>', 'those of these event types')
    .option('--after <time>', 'those that died after this time, or after so long ago, as 1h', toPastTime)
    .option('--before <time>', 'those that died before this time, or before so long ago, as 1h', toPastTime)
    .option('--all', 'all of them')
    .option('--dry-run', 'only count')
}

function toSelection({ id, type, after, before, all, dryRun }: SelectOptions): DeadLetterSelection {
  const filter = { ...(type && { event_type: type }), ...(after && { after }), ...(before && { before }) }
  const choices = [
    ...(id ? [{ event_ids: [...id] }] : []),
    ...(Object.keys(filter).length > 0 ? [{ filter }] : []),
    ...(all ? [{ all: true as const }] : []),
  ]
  const [choice, ...others] = choices
  if (!choice || others.length > 0)
    throw usage('say which: --id (may be repeated), or --type, --after, --before, or --all')
  return { ...choice, ...(dryRun && { dry_run: true }) }
}

function report(options: SelectOptions, count: number, done: string): void {
  const words = `${count} ${count === 1 ? 'dead letter' : 'dead letters'} of ${options.inbox} ${done}.`
  createOutput(options).result({ count, dry_run: options.dryRun === true }, words)
}
