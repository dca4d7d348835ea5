import type { Logger } from '@sluice/client'
import type { RelayProgress } from '@sluice/client/node'
import type { Command } from 'commander'
import { CommandError, exitCodes } from '../exit.ts'
import { openSluice } from '../hub.ts'
import { onOutbox, withOutbox, type OutboxPlaceOptions } from '../outbox-place.ts'
import { wholeNumber, withHub, type HubOptions } from '../options.ts'
import { createOutput, type Output } from '../output.ts'
import { stopOnSignal } from '../stop-on-signal.ts'

type Options = HubOptions &
  OutboxPlaceOptions & {
    readonly batch: number
    readonly pollMs: number
    readonly leaseSeconds: number
    readonly once?: boolean
  }

export function addOutboxRelay(outbox: Command): void {
  withOutbox(withHub(outbox.command('relay')))
    .summary('send what an outbox holds to the hub')
    .description(
      'Sends events as transactions commit them, in order, and removes what the hub has accepted. What it refuses is kept aside\n' +
        '(sluice outbox status). While hub or database are away it waits. Several may run. On SIGTERM or Ctrl-C, the request under\n' +
        'way is finished. With --json: a line for each request, with the numbers so far.',
    )
    .option('--once', 'end when nothing waits any more; give up when the hub or the database stay away')
    .option('--batch <n>', 'events a request', wholeNumber(1, 1000), 250)
    .option('--poll-ms <ms>', 'how often an empty outbox is looked at', wholeNumber(1, 3_600_000), 500)
    .option(
      '--lease-seconds <s>',
      'how long events that a relay has taken are kept from others, should it die',
      wholeNumber(2, 3600),
      30,
    )
    .action(relayUntilDone)
}

async function relayUntilDone(options: Options): Promise<void> {
  const output = createOutput(options)
  const sluice = openSluice(options)
  const stop = stopOnSignal((name) => output.note(`${name}: finishing the request under way; once more ends at once`))
  const { batch, pollMs, leaseSeconds, once } = options
  const { relay } = await import('@sluice/client/node')
  const done = await onOutbox(options, (place) =>
    relay(place, sluice, {
      signal: stop.signal,
      batch,
      pollMs,
      leaseSeconds,
      once,
      onProgress: createReport(output, once === true),
      logger: toLogger(output),
    }),
  )
  if (once) output.result(done, toWords(done))
  else output.note(toWords(done))
  if (once && done.refused > 0) {
    const code = done.sent > 0 ? exitCodes.partly : exitCodes.failed
    throw new CommandError(code, `${done.refused} refused; see: sluice outbox status`)
  }
}

/** For people a line now and then: a relay that is busy would fill their logs. */
const reportEveryMs = 10_000

function createReport(output: Output, isOnce: boolean): (progress: RelayProgress) => void {
  let saidMs = Number.NEGATIVE_INFINITY
  return (progress) => {
    if (!isOnce) output.item(progress, '')
    const nowMs = performance.now()
    if (output.isJson || nowMs - saidMs < reportEveryMs) return
    saidMs = nowMs
    output.note(toWords(progress))
  }
}

function toLogger(output: Output): Logger {
  const warn: Logger['warn'] = ({ party, delayMs, reason }) =>
    output.note(`waiting for the ${String(party)}, ${Number(delayMs) / 1000} s: ${String(reason)}`)
  return { warn, debug: () => undefined }
}

function toWords({ sent, duplicates, refused }: RelayProgress): string {
  const known = duplicates > 0 ? ` (${duplicates.toLocaleString('en')} were there already)` : ''
  return `${sent.toLocaleString('en')} sent${known}, ${refused.toLocaleString('en')} refused`
}
