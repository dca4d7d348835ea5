import { access, constants } from 'node:fs/promises'
import { ApiError, type BatchItemResult, type DeadLetterRecord, type Sluice } from '@sluice/client'
import { jsonlFile, readDeadLetters, type JsonlFile } from '@sluice/client/node'
import { CommandError, exitCodes, toFailure, usage } from './exit.ts'
import type { Output } from './output.ts'
import { createProgress } from './progress.ts'

/** Sent in one request and marked with one fsync: what is killed in between is sent a second time, under the same keys. */
const batchRecords = 250
/** A payload has at most 256 KB, so that one request takes so many of any size. */
const batchCharacters = 4_000_000

/** Errors beyond this are counted and not kept. */
const keptErrors = 1000

type Pending = { readonly number: number; readonly record: DeadLetterRecord }
type Failure = {
  readonly line: number
  readonly dead_letter_id: string
  readonly error_code: string
  readonly message: string
}

type Tally = { accepted: number; duplicates: number; failed: number; readonly errors: Failure[] }

type Survey = {
  /** ids of records that were sent before */
  readonly sent: ReadonlySet<string>
  readonly pending: number
  /** numbers of the lines that are not whole */
  readonly torn: readonly number[]
}

type Job = { readonly file: string; readonly output: Output }

/** Says what `sendDeadLetters` would send, and sends nothing. */
export async function countDeadLetters({ file, output }: Job): Promise<void> {
  await requireFile(file, constants.R_OK)
  const { pending, sent, torn } = await survey(file, output)
  const words = `${pending} would be sent, ${sent.size} were sent before.`
  output.result({ dry_run: true, pending, sent_before: sent.size, torn: torn.length }, words)
}

/**
 * Publishes what a dead-letter file holds and no mark says was sent, in order, under the keys that it was first sent under,
 * and marks in the file what the hub has now. It can be killed at any time and run again.
 *
 * @throws CommandError with exit code 5 when some were sent and some not, 1 when none was
 */
export async function sendDeadLetters({ file, output, sluice }: Job & { readonly sluice: Sluice }): Promise<void> {
  await requireFile(file, constants.R_OK | constants.W_OK)
  const found = await survey(file, output)
  const progress = createProgress(found.pending)
  const tally: Tally = { accepted: 0, duplicates: 0, failed: 0, errors: [] }
  const marks = jsonlFile(file)
  let failure: unknown
  try {
    for await (const batch of readPending(file, found.sent)) {
      await sendBatch({ sluice, marks, tally }, batch)
      progress.read(batch.length)
      progress.show(tally)
    }
  } catch (error) {
    failure = error
  }
  progress.end(tally)
  report({ output, tally, torn: found.torn.length }, failure)
}

function report({ output, tally, torn }: { output: Output; tally: Tally; torn: number }, failure: unknown): void {
  for (const error of tally.errors.slice(0, 20))
    output.note(`line ${error.line}: ${error.error_code}: ${error.message}`)
  if (failure !== undefined && tally.accepted === 0) throw failure
  const words = `${tally.accepted} sent, ${tally.duplicates} of them were known to the hub, ${tally.failed} failed`
  output.result({ ...tally, torn }, words)
  if (failure !== undefined) throw new CommandError(exitCodes.partly, `stopped: ${toFailure(failure).message}`)
  if (tally.failed === 0) return
  const exitCode = tally.accepted > 0 ? exitCodes.partly : exitCodes.failed
  throw new CommandError(exitCode, `${tally.failed} events were not stored; they stay in the file for the next time`)
}

type Sending = { readonly sluice: Sluice; readonly marks: JsonlFile; readonly tally: Tally }

async function sendBatch({ sluice, marks, tally }: Sending, batch: readonly Pending[]): Promise<void> {
  const results = await publish(sluice, batch)
  const sentAt = new Date().toISOString()
  const written = results.map(async (result) => {
    const pending = batch[result.index]
    if (!pending) return
    if ('error' in result) return addFailure(tally, pending, result)
    tally.accepted += 1
    if (result.status === 'duplicate') tally.duplicates += 1
    const { event_id, status } = result
    await marks.write({ dead_letter_id: pending.record.dead_letter_id, sent_at: sentAt, event_id, status })
  })
  await Promise.all(written)
  const unsent = results.find((result) => 'error' in result && isOfRequest(result.error.error_code))
  if (unsent && 'error' in unsent) throw new Error(unsent.error.message)
}

async function publish(sluice: Sluice, batch: readonly Pending[]): Promise<readonly BatchItemResult[]> {
  const [first] = batch
  if (first?.record.content_type) return [await publishCloudEvent(sluice, first.record)]
  const events = batch.flatMap(({ record }) =>
    record.content_type ? [] : [{ ...record.event, idempotency_key: record.idempotency_key }],
  )
  return (await sluice.events.sendBatch(events)).results
}

/** Those that say that this event, and not the request, is at fault. */
const ofEvent: ReadonlySet<number> = new Set([400, 403, 409, 413, 422])

/** A batch holds native events only. */
async function publishCloudEvent(
  sluice: Sluice,
  { event, idempotency_key }: Extract<DeadLetterRecord, { content_type: string }>,
): Promise<BatchItemResult> {
  try {
    const { event_id, status, timestamp } = await sluice.events.sendCloudEvent(event)
    return { index: 0, idempotency_key, event_id, status, timestamp }
  } catch (error) {
    if (!(error instanceof ApiError) || !ofEvent.has(error.status)) throw error
    const { errorCode = `status-${error.status}`, message } = error
    return { index: 0, idempotency_key, error: { error_code: errorCode, message } }
  }
}

/** The request failed, not the event: going on would most likely fail, too. */
function isOfRequest(code: string): boolean {
  return code === 'no-answer' || code === 'not-sent' || code.startsWith('http-')
}

type Failed = Extract<BatchItemResult, { error: unknown }>

function addFailure(tally: Tally, { number, record }: Pending, { error }: Failed): void {
  tally.failed += 1
  const { error_code, message } = error
  if (tally.errors.length < keptErrors)
    tally.errors.push({ line: number, dead_letter_id: record.dead_letter_id, error_code, message })
}

/** Reads the file once, so that marks behind their records are known before anything is sent. */
async function survey(file: string, output: Output): Promise<Survey> {
  const records = new Set<string>()
  const sent = new Set<string>()
  const torn: number[] = []
  for await (const line of readDeadLetters(file)) {
    if (line.kind === 'record') records.add(line.record.dead_letter_id)
    else if (line.kind === 'mark') sent.add(line.mark.dead_letter_id)
    else torn.push(line.number)
  }
  for (const number of torn.slice(0, 20)) output.note(`line ${number} is not whole and is passed over`)
  return { sent, pending: [...records].filter((id) => !sent.has(id)).length, torn }
}

async function* readPending(file: string, sent: ReadonlySet<string>): AsyncGenerator<Pending[]> {
  const seen = new Set(sent)
  let batch: Pending[] = []
  let characters = 0
  for await (const line of readDeadLetters(file)) {
    if (line.kind !== 'record' || seen.has(line.record.dead_letter_id)) continue
    seen.add(line.record.dead_letter_id)
    if (line.record.content_type) {
      if (batch.length > 0) yield batch
      yield [line]
      batch = []
      characters = 0
      continue
    }
    batch.push(line)
    characters += JSON.stringify(line.record.event).length
    if (batch.length < batchRecords && characters < batchCharacters) continue
    yield batch
    batch = []
    characters = 0
  }
  if (batch.length > 0) yield batch
}

async function requireFile(file: string, mode: number): Promise<void> {
  try {
    await access(file, mode)
  } catch (cause) {
    throw usage(`cannot use ${file}: ${cause instanceof Error ? cause.message : String(cause)}`)
  }
}
