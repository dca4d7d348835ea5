import type { Verdict } from '@sluice/protocol'
import type { Command } from 'commander'
import { openAdmin } from '../hub.ts'
import { toPastTime, withHub, withPages, type HubOptions, type PageOptions } from '../options.ts'
import { createOutput, toLines, toTable } from '../output.ts'
import { toEventTable } from './poll.ts'

type SearchOptions = HubOptions &
  PageOptions & {
    readonly type?: string
    readonly source?: string
    readonly subject?: string
    readonly channel?: string
    readonly identity?: string
    readonly entity?: string
    readonly after?: string
    readonly before?: string
    readonly text?: string
  }

export function addEvents(program: Command): void {
  const events = program.command('events').summary('read, search, explain and replay events')
  withHub(events.command('get'))
    .description('One event, acknowledged or not.')
    .argument('<event-id>')
    .action(async (eventId: string, options: HubOptions) => {
      const event = await openAdmin(options).getEvent(eventId)
      createOutput(options).result(event, toLines(event))
    })
  addSearch(events)
  withHub(events.command('explain'))
    .description('What became of an event in each inbox, and why.')
    .argument('<event-id>')
    .action(async (eventId: string, options: HubOptions) => {
      const explanation = await openAdmin(options).explainEvent(eventId)
      createOutput(options).result(explanation, toVerdictTable(explanation.verdicts))
    })
  withHub(events.command('replay'))
    .description('Hands an event out again in one inbox.')
    .argument('<event-id>')
    .option('--inbox <key>', 'which inbox', 'default')
    .option('--ignore-filter', 'although the filter of the inbox does not want it')
    .action(async (eventId: string, options: HubOptions & { inbox: string; ignoreFilter?: boolean }) => {
      const body = { inbox: options.inbox, ...(options.ignoreFilter && { ignore_filter: true }) }
      const replayed = await openAdmin(options).replayEvent(eventId, body)
      createOutput(options).result(replayed, `${replayed.event_id} ${replayed.status} in ${replayed.inbox}`)
    })
}

function addSearch(events: Command): void {
  withPages(withHub(events.command('search')))
    .description('Newest first.')
    .option('--type <glob>', 'event type, as order.*')
    .option('--source <source>')
    .option('--subject <subject>')
    .option('--channel <channel>')
    .option('--identity <text>', 'id, email, phone or external_id')
    .option('--entity <text>', 'TYPE:ID or an id')
    .option('--after <time>', 'accepted after this time, or after so long ago, as 1h', toPastTime)
    .option('--before <time>', 'accepted before this time, or before so long ago, as 1h', toPastTime)
    .option('--text <text>', 'part of the payload')
    .action(async (options: SearchOptions) => {
      const { type, source, subject, channel, identity, entity, after, before, text, limit, cursor } = options
      const query = { event_type: type, source, subject, channel, identity, entity, after, before, text, limit, cursor }
      const page = await openAdmin(options).searchEvents(query)
      const output = createOutput(options)
      output.result(page, page.events.length === 0 ? 'Nothing found.' : toEventTable(page.events))
      if (output.isJson || !page.pagination.has_more) return
      const reach = page.searched_to === null ? '' : ` (searched back to ${page.searched_to})`
      output.note(`There may be more${reach}: --cursor ${page.pagination.next_cursor ?? ''}`)
    })
}

function toVerdictTable(verdicts: readonly Verdict[]): string {
  return toTable(
    ['INBOX', 'VERDICT', 'ATTEMPTS', 'WHY'],
    verdicts.map((verdict) => [verdict.inbox, verdict.verdict, verdict.attempts, toWhy(verdict)]),
  )
}

function toWhy({
  rule,
  revision,
  reason,
  leased_until: leasedUntil,
  available_at: availableAt,
}: Verdict): string | null {
  if (rule !== null) return `filter ${rule} (revision ${revision ?? '?'})`
  if (leasedUntil !== null) return `until ${leasedUntil}`
  if (availableAt !== null) return `back at ${availableAt}${reason === null ? '' : `: ${reason}`}`
  return reason
}
