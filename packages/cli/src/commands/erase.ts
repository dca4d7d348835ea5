import type { Admin, Erased } from '@sluice/client/admin'
import type { Command } from 'commander'
import { confirm } from '../confirm.ts'
import { createCounter } from '../counter.ts'
import { openAdmin } from '../hub.ts'
import { several, withHub, type HubOptions } from '../options.ts'
import { createOutput } from '../output.ts'

type Options = HubOptions & {
  readonly identity: readonly string[]
  readonly dryRun?: boolean
  readonly yes?: boolean
}

type Total = Pick<Erased, 'events' | 'dead_letters' | 'quarantined' | 'scheduled' | 'looked_at'>

export function addErase(program: Command): void {
  withHub(program.command('erase'))
    .summary("remove a person's data for good")
    .description(
      'Erases the content of every event, and of every dead letter, in whose identity a member (id, email, phone, external_id) has this value. Repeating it does no harm.',
    )
    .requiredOption('--identity <value>', 'may be repeated', several)
    .option('--dry-run', 'only count')
    .option('--yes', 'do not ask')
    .action(async (options: Options) => {
      const admin = openAdmin(options)
      const output = createOutput(options)
      if (!options.dryRun && !options.yes) {
        const counted = await runAll(admin, options, true)
        await confirm(`Erase ${toWords(counted)} for good?`, options.yes)
      }
      const total = await runAll(admin, options, options.dryRun === true)
      const done = options.dryRun ? 'would be erased' : 'erased'
      const words = `${toWords(total)} ${done}; ${total.looked_at} looked at.`
      output.result({ ...total, dry_run: options.dryRun === true, not_reached: notReached }, words)
      if (!output.isJson && !options.dryRun)
        output.note(`Not reached, and yours to see to:\n${notReached.map((line) => `  - ${line}`).join('\n')}`)
    })
}

const toWords = ({ events, dead_letters: letters, quarantined, scheduled }: Total): string =>
  `${events} events, ${letters} dead letters, ${quarantined} quarantined and ${scheduled} scheduled events`

/** What lies beyond the hub's own tables. */
const notReached = [
  'what inboxes have already handed out: to consumers, receivers and actions, and what those have kept',
  'files: sluice export and backup, database dumps, archived WAL, snapshots of disks',
  'dead-letter files and outboxes of publishers',
  'free space in the files of the database, until it is used again',
  'events without an identity, or that name the person only in their payload',
]

async function runAll(admin: Admin, { identity }: Options, dryRun: boolean): Promise<Total> {
  const counter = createCounter(dryRun ? 'looked at' : 'looked at and erased where found')
  let total: Total = { events: 0, dead_letters: 0, quarantined: 0, scheduled: 0, looked_at: 0 }
  let cursor: string | undefined
  do {
    const step = await admin.eraseIdentity({ identity: [...identity], dry_run: dryRun, ...(cursor && { cursor }) })
    total = {
      events: total.events + step.events,
      dead_letters: total.dead_letters + step.dead_letters,
      quarantined: total.quarantined + step.quarantined,
      scheduled: total.scheduled + step.scheduled,
      looked_at: total.looked_at + step.looked_at,
    }
    cursor = step.next_cursor ?? undefined
    counter.show(total.looked_at)
  } while (cursor !== undefined)
  return total
}
