import type { Filter, TriedFilter } from '@sluice/client/admin'
import type { Verdict } from '@sluice/protocol'
import type { Command } from 'commander'
import { toFilter, withFilter, type FilterOptions } from '../filter-options.ts'
import { openAdmin } from '../hub.ts'
import {
  readJsonObject,
  toPastTime,
  wholeNumber,
  withHub,
  withPages,
  type HubOptions,
  type PageOptions,
} from '../options.ts'
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
  addTry(events)
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

type TryOptions = HubOptions &
  FilterOptions & { readonly compare?: string; readonly inbox?: string; readonly last?: number }

function addTry(events: Command): void {
  withFilter(withHub(events.command('try')))
    .summary('try a filter on the past')
    .description('What a filter wants of the past, and in what it differs from another. Nothing is handed out.')
    .option('--compare <json>', 'another filter: a JSON object, or @FILE')
    .option('--inbox <key>', 'compare with the filter of this inbox')
    .option('--last <n>', 'so many positions of the log back; default 10000', wholeNumber(1, 1_000_000))
    .addHelpText('after', '\nExample: sluice events try --type order.* --inbox crm')
    .action(async (options: TryOptions) => {
      const found = await tryAll(options)
      const rows = found.events.map((one) => [one.wanted_by, one.event_id, one.event_type, one.source, one.timestamp])
      const table = rows.length === 0 ? '' : `\n${toTable(['WANTED BY', 'EVENT', 'TYPE', 'SOURCE', 'AT'], rows)}`
      createOutput(options).result(found, `${toCounts(found)}${table}`)
    })
}

function toCounts({
  matched,
  matched_other: other,
  only_filter: one,
  only_other: two,
  looked_at: looked,
}: Found): string {
  const difference = other === null ? '' : `; the other one ${other}, alone ${two} where this one has ${one} alone`
  return `The filter wants ${matched} of ${looked}${difference}.`
}

type Found = Omit<TriedFilter, 'done' | 'next_cursor'>

async function tryAll(options: TryOptions): Promise<Found> {
  const admin = openAdmin(options)
  const { compare, inbox, last } = options
  // The hub judges its members and names every fault.
  const given = compare === undefined ? undefined : (readJsonObject(compare, '--compare') as Filter)
  const other = inbox === undefined ? given : (await admin.getInbox(inbox)).filter
  const order = {
    filter: toFilter(options) ?? {},
    ...(other && { compare_with: other }),
    ...(last !== undefined && { last }),
  }
  const { done: _, next_cursor: first, ...total } = await admin.tryFilter(order)
  for (let cursor = first; cursor !== null;) {
    const step = await admin.tryFilter({ ...order, cursor })
    for (const name of ['matched', 'only_filter', 'only_other', 'looked_at'] as const) total[name] += step[name]
    if (total.matched_other !== null) total.matched_other += step.matched_other ?? 0
    total.events = [...total.events, ...step.events].slice(0, 20)
    cursor = step.next_cursor
  }
  return total
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
