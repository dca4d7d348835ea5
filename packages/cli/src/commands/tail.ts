import type { Event } from '@sluice/protocol'
import { Option, type Command } from 'commander'
import { openSluice } from '../hub.ts'
import { wholeNumber, withHub, type HubOptions } from '../options.ts'
import { createOutput, printable, shorten } from '../output.ts'
import { stopOnSignal } from '../stop-on-signal.ts'

type Options = HubOptions & {
  readonly inbox: string
  readonly from: 'latest' | 'earliest' | 'inbox'
  readonly limit?: number
}

export function addTail(program: Command): void {
  withHub(program.command('tail'))
    .summary('show events as they come')
    .description('Follows an inbox without taking anything from it. With --json each line is an event.')
    .option('--inbox <key>', 'which inbox', 'default')
    .addOption(
      new Option('--from <where>', 'begin here; inbox: where the inbox stands')
        .choices(['latest', 'earliest', 'inbox'])
        .default('latest'),
    )
    .option('--limit <n>', 'end after so many', wholeNumber(1, 1_000_000_000))
    .action(async (options: Options) => {
      const output = createOutput(options)
      const { signal } = stopOnSignal()
      const from = options.from === 'inbox' ? undefined : options.from
      let count = 0
      for await (const { event } of openSluice(options).inbox(options.inbox).stream({ signal, from })) {
        output.item(event, toLine(event))
        count += 1
        if (count === options.limit) break
      }
    })
}

function toLine(event: Event): string {
  const head = `${event.timestamp}  ${event.event_id}  ${event.event_type}  `
  const width = process.stdout.isTTY ? process.stdout.columns : 1000
  return shorten(printable(head + toContent(event)), width)
}

/** Only CloudEvents may come without an object: with other JSON, with bytes, or with nothing. */
function toContent(event: Event): string {
  if (event.payload_base64 !== undefined) return `base64 ${event.payload_base64}`
  return event.payload === undefined ? '-' : JSON.stringify(event.payload)
}
