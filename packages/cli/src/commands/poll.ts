import type { Event } from '@sluice/protocol'
import type { Command } from 'commander'
import { openSluice } from '../hub.ts'
import { withHub, withPages, type HubOptions, type PageOptions } from '../options.ts'
import { createOutput, toTable } from '../output.ts'

type Options = HubOptions & PageOptions & { readonly inbox: string; readonly ack?: boolean }

export function addPoll(program: Command): void {
  withPages(withHub(program.command('poll')))
    .summary('look at what waits in an inbox')
    .description(
      'Shows what waits, oldest first, and changes nothing; with --ack what was shown is acknowledged (inbox default only).',
    )
    .option('--inbox <key>', 'which inbox', 'default')
    .option('--ack', 'acknowledge what was shown')
    .action(async (options: Options) => {
      const output = createOutput(options)
      const inbox = openSluice(options).inbox(options.inbox)
      const page = await inbox.poll({ limit: options.limit, cursor: options.cursor })
      if (options.ack) for (const event of page.events) await inbox.acknowledge(event.event_id)
      output.page(page, page.events.length === 0 ? 'Nothing waits.' : toEventTable(page.events))
    })
}

export function toEventTable(events: readonly Event[]): string {
  return toTable(
    ['ACCEPTED', 'EVENT ID', 'TYPE', 'SOURCE', 'SUBJECT'],
    events.map((event) => [event.timestamp, event.event_id, event.event_type, event.source, event.subject]),
  )
}
