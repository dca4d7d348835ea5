import type { NewBatchEvent } from '@sluice/protocol'
import type { Sluice } from '../../client.ts'
import { systemClock, type Clock } from '../../clock.ts'
import { createRedactingLogger, type Logger } from '../../logger.ts'
import { longestRetryAfterSeconds, toBackoffMs } from '../../retry.ts'
import type { Outbox, OutboxRow } from './outbox.ts'
import { toAskedMs, toVerdict, toVerdictOfFailure, type Verdict } from './verdicts.ts'

export type RelayOptions = {
  /** ends the relay: the request under way is finished and its rows settled, at most half of `leaseSeconds` later */
  readonly signal?: AbortSignal | undefined
  /** events a request, 1 to 1,000; default 250 */
  readonly batch?: number | undefined
  /** how often an empty outbox is looked at, in ms; default 500 */
  readonly pollMs?: number | undefined
  /** for how long rows that a relay has taken are kept from others, should it die; 2 to 3,600, default 30 */
  readonly leaseSeconds?: number | undefined
  /** end when nothing waits any more, and give up after `attempts` */
  readonly once?: boolean | undefined
  /** failures in a row, of hub or database, after which the relay rejects; default 4 with `once`, else it never gives up */
  readonly attempts?: number | undefined
  /** after each request */
  readonly onProgress?: ((progress: RelayProgress) => void) | undefined
  /** told when it waits for the hub or the database */
  readonly logger?: Logger | undefined
  readonly clock?: Clock | undefined
  /** between 0 and 1, as Math.random; spreads retries */
  readonly random?: (() => number) | undefined
  /** names claims; UUIDs by default */
  readonly newId?: (() => string) | undefined
}

/** Since the relay began. */
export type RelayProgress = {
  /** in the hub now, duplicates included */
  readonly sent: number
  /** of those, which the hub had already: an answer was lost, or a relay died */
  readonly duplicates: number
  /** kept aside in the outbox, with the reason */
  readonly refused: number
}

/** Half of what the hub takes in one request: events grow a little when they are put into one. */
const requestBytesMax = 2.5 * 1024 * 1024

type State = {
  readonly outbox: Outbox
  readonly sluice: Sluice
  readonly settings: Settings
  readonly counts: { sent: number; duplicates: number; refused: number }
  /** rows a claim; fewer while an event is looked for that spoils its request */
  size: number
  /** in a row */
  readonly failures: Record<Party, number>
}

type Party = 'hub' | 'database'

/** Options with their defaults filled in. */
type Settings = Pick<RelayOptions, 'signal' | 'logger' | 'onProgress'> & {
  readonly batch: number
  readonly pollMs: number
  readonly leaseSeconds: number
  readonly once: boolean
  readonly attempts: number
  readonly clock: Clock
  readonly random: () => number
  readonly newId: () => string
}

/**
 * Sends what is in an outbox to a hub, until it is told to end. Of each subject, and of what one relay alone sends, the
 * order is kept. An event that the hub refuses is kept aside with the reason and holds up nothing. Hub or database away:
 * the relay waits and tries again. It may be killed at any instant, and others may run beside it: nothing is lost, and as
 * events keep their idempotency keys, nothing is stored twice (within the 7 days that a hub remembers keys).
 *
 * @param sluice its `source`, `maxRetries` and dead letters play no part: the outbox has the events as they are to be sent
 * @returns what was done, when the signal aborts or, with `once`, nothing waits any more
 * @throws ApiError for a key or an address that is wrong; the database's error for a missing table and its like;
 *   RangeError for options that can never work; with `once` also the last of `attempts` failures
 * @example await relay(sqliteOutbox(new DatabaseSync('app.db')), sluice, { signal })
 */
export async function relay(outbox: Outbox, sluice: Sluice, options: RelayOptions = {}): Promise<RelayProgress> {
  const settings = toSettings(options)
  const counts = { sent: 0, duplicates: 0, refused: 0 }
  const state: State = {
    outbox,
    sluice: toPlain(sluice),
    settings,
    counts,
    size: settings.batch,
    failures: { hub: 0, database: 0 },
  }
  while (settings.signal?.aborted !== true) {
    const token = settings.newId()
    const rows = await insist(state, () => claim(state, token))
    if (rows === undefined) continue
    if (rows.length > 0) await deliver(state, token, rows)
    else if (settings.once && (await insist(state, () => outbox.rows.countWaiting())) === 0) break
    else await sleep(state, settings.pollMs)
  }
  return { ...counts }
}

function toSettings(options: RelayOptions): Settings {
  const { once = false, batch = 250, pollMs = 500, leaseSeconds = 30 } = options
  const { attempts = once ? 4 : Infinity, clock = systemClock, random = Math.random } = options
  const { newId = () => crypto.randomUUID(), signal, onProgress } = options
  const logger = options.logger && createRedactingLogger(options.logger)
  check('batch', batch, { least: 1, most: 1000 })
  check('pollMs', pollMs, { least: 1, most: 3_600_000 })
  check('leaseSeconds', leaseSeconds, { least: 2, most: 3600 })
  check('attempts', attempts, { least: 1, most: Infinity })
  return { once, batch, pollMs, leaseSeconds, attempts, clock, random, newId, signal, logger, onProgress }
}

function check(name: string, value: number, { least, most }: { least: number; most: number }): void {
  if (value >= least && value <= most) return
  throw new RangeError(`${name} must be from ${least} to ${most}; it is ${value}`)
}

/** A source would change the text under its key; this loop tries again, and the outbox keeps what is refused. */
function toPlain(sluice: Sluice): Sluice {
  return sluice.with({ source: undefined, maxRetries: 0, deadLetter: undefined })
}

function claim({ outbox, settings, size }: State, token: string): Promise<readonly OutboxRow[]> {
  return outbox.rows.claim({ token, limit: size, leaseSeconds: settings.leaseSeconds })
}

/** One claim is one request: what does not fit into it is claimed again. */
async function deliver(state: State, token: string, rows: readonly OutboxRow[]): Promise<void> {
  const count = countFitting(rows)
  const left = rows.slice(count).map(({ id }) => id)
  const verdict = await send(state, rows.slice(0, count)).catch(async (error: unknown) => {
    await settle(state, token, { ...nothing, again: rows.map(({ id }) => id) }).catch(() => undefined)
    throw error
  })
  await insist(state, () => settle(state, token, { ...verdict, again: [...verdict.again, ...left] }))
  addUp(state, verdict)
  adaptSize(state, verdict, count)
  if (verdict.trouble?.kind === 'wait') await wait(state, 'hub', verdict.trouble.error)
  else state.failures.hub = 0
}

const nothing: Verdict = { accepted: [], duplicates: 0, refused: [], again: [] }

function countFitting(rows: readonly OutboxRow[]): number {
  let bytes = 0
  const at = rows.findIndex((row) => (bytes += Buffer.byteLength(row.text)) > requestBytesMax)
  return at === -1 ? rows.length : Math.max(1, at)
}

async function send({ sluice, settings }: State, rows: readonly OutboxRow[]): Promise<Verdict> {
  // Written by `add`, which had an event in hand.
  const events = rows.map(({ text }) => JSON.parse(text) as NewBatchEvent)
  try {
    const { results } = await sluice.events.sendBatch(events, { timeoutMs: settings.leaseSeconds * 500 })
    return toVerdict(rows, results)
  } catch (error) {
    return toVerdictOfFailure(rows, error)
  }
}

function settle({ outbox }: State, token: string, verdict: Verdict): Promise<void> {
  const { accepted, refused, again } = verdict
  return outbox.rows.settle({ token, accepted, refused, again })
}

function addUp({ counts, settings }: State, verdict: Verdict): void {
  counts.sent += verdict.accepted.length
  counts.duplicates += verdict.duplicates
  counts.refused += verdict.refused.length
  if (verdict.accepted.length + verdict.refused.length > 0) settings.onProgress?.({ ...counts })
}

function adaptSize(state: State, { trouble }: Verdict, count: number): void {
  if (trouble?.kind === 'smaller') state.size = Math.max(1, Math.floor(count / 2))
  else if (trouble === undefined) state.size = Math.min(state.settings.batch, state.size * 2)
}

/** Asks the database until it answers. Undefined if the relay was told to end before it did. */
async function insist<Result>(state: State, work: () => Promise<Result>): Promise<Result | undefined> {
  for (;;) {
    try {
      const result = await work()
      state.failures.database = 0
      return result
    } catch (error) {
      if (!(error instanceof Error) || !state.outbox.rows.isPassing(error)) throw error
      if (state.settings.signal?.aborted === true) return undefined
      await wait(state, 'database', error)
    }
  }
}

/** @throws the error, if it was the last that is borne */
async function wait(state: State, party: Party, error: Error): Promise<void> {
  const { settings, failures } = state
  const failed = failures[party]
  failures[party] += 1
  if (failures[party] >= settings.attempts) throw error
  const askedMs = Math.min(toAskedMs(error), longestRetryAfterSeconds * 1000)
  const delayMs = Math.round(askedMs + toBackoffMs(failed, settings.random))
  settings.logger?.warn({ party, delayMs, reason: toReason(error) }, `the ${party} is not there; trying again`)
  await sleep(state, delayMs)
}

/** A host with several addresses fails once for each, and the error around them has no text. */
function toReason(error: Error): string {
  return error instanceof AggregateError && error.message === '' ? error.errors.map(String).join('; ') : error.message
}

async function sleep({ settings: { clock, signal } }: State, ms: number): Promise<void> {
  await clock.sleep(ms, signal).catch((error: unknown) => {
    if (signal?.aborted !== true) throw error
  })
}
