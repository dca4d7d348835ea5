import type { OutboxStatus } from '@sluice/client/node'
import { Option, type Command } from 'commander'
import { confirm } from '../confirm.ts'
import { usage } from '../exit.ts'
import { onOutbox, withOutbox, type OutboxPlaceOptions } from '../outbox-place.ts'
import { wholeNumber, withJson, type JsonOption } from '../options.ts'
import { createOutput, shorten, toTable } from '../output.ts'
import { addOutboxRelay } from './outbox-relay.ts'

type PlaceOptions = JsonOption & OutboxPlaceOptions

export function addOutbox(program: Command): void {
  const outbox = program.command('outbox').summary('events that wait in the database of an application')
  withOutbox(withJson(outbox.command('install')))
    .description('Makes the table of an outbox and its index, if they are not there yet; or prints the SQL for it.')
    .addOption(new Option('--print <kind>', 'only print the two statements').choices(['postgres', 'sqlite']))
    .action(install)
  addOutboxRelay(outbox)
  withOutbox(withJson(outbox.command('status')))
    .description('How many events wait, and which ones the hub has refused, with its reasons.')
    .option('--limit <n>', 'at most so many of the refused, the newest first', wholeNumber(1, 100_000), 20)
    .action(async (options: PlaceOptions & { readonly limit: number }) => {
      const status = await onOutbox(options, (place) => place.status({ limit: options.limit }))
      createOutput(options).result(status, toWords(status))
    })
  withOutbox(withJson(outbox.command('retry')))
    .description('Lets refused events wait again, each in its old place.')
    .argument('[id...]', 'as status shows them')
    .option('--all', 'all that were refused')
    .action(async (ids: readonly string[], options: PlaceOptions & { readonly all?: boolean }) => {
      const isAll = options.all === true
      if (isAll === ids.length > 0) throw usage('say which: ids, or --all')
      const chosen = isAll ? undefined : checkIds(ids)
      const count = await onOutbox(options, (place) => place.retry(chosen))
      createOutput(options).result({ count }, `${toCount(count)} again.`)
    })
  withOutbox(withJson(outbox.command('discard')))
    .description('Removes refused events for good.')
    .argument('<id...>', 'as status shows them')
    .option('--yes', 'do not ask')
    .action(async (ids: readonly string[], options: PlaceOptions & { readonly yes?: boolean }) => {
      const chosen = checkIds(ids)
      await confirm(`Remove ${chosen.length} refused events for good?`, options.yes)
      const count = await onOutbox(options, (place) => place.discard(chosen))
      createOutput(options).result({ count }, `${count} ${count === 1 ? 'event' : 'events'} removed.`)
    })
}

async function install(options: PlaceOptions & { readonly print?: 'postgres' | 'sqlite' }): Promise<void> {
  const output = createOutput(options)
  if (options.print === undefined) {
    const table = await onOutbox(options, async (place) => {
      await place.install()
      return place.table
    })
    return output.result({ table }, `The outbox ${table} is there.`)
  }
  const { outboxSql } = await import('@sluice/client/node')
  const sql = outboxSql(options.print, options.table)
  output.result({ sql }, sql.trimEnd())
}

function toWords({ waiting, claimed, refused, oldest_seconds: oldest, refused_events: events }: OutboxStatus): string {
  const age = oldest === null ? '' : `, the oldest for ${Math.round(oldest)} s`
  const head = `${toCount(waiting)}${age}; ${claimed} with a relay; ${refused} refused.`
  if (events.length === 0) return head
  const rows = events.map(({ id, event, reason }) => [
    id,
    event.event_type,
    event.idempotency_key,
    shorten(reason, 200),
  ])
  return `${head}\n\n${toTable(['ID', 'TYPE', 'IDEMPOTENCY KEY', 'REASON'], rows)}`
}

function toCount(waiting: number): string {
  return waiting === 1 ? '1 event waits' : `${waiting.toLocaleString('en')} events wait`
}

function checkIds(ids: readonly string[]): readonly string[] {
  const wrong = ids.find((id) => !/^\d{1,18}$/.test(id))
  if (wrong !== undefined) throw usage(`${wrong} is no id; sluice outbox status shows them`)
  return ids
}
