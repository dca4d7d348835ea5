import type { BatchAccepted, NewBatchEvent, NewEvent } from '@sluice/protocol'
import { checkEvents, checkMaxEvents, toChunks, toFailed, toLines, type BatchItemResult, type Line } from './batch.ts'
import { buryEvents, toRecordError, type GivenUp } from './dead-letter.ts'
import type { BatchOptions, BatchOutcome, BatchProgress } from './events.ts'
import type { Settings } from './options.ts'
import type { Request, RequestOptions, Tries } from './request.ts'
import { toBackoffMs } from './retry.ts'

export type Sender = { readonly settings: Settings; readonly request: Request }

type Run = {
  readonly results: BatchItemResult[]
  /** by index, of the requests that carried the event */
  readonly tries: Map<number, Tries>
  /** of a whole request */
  failure?: { readonly error: unknown }
}

/** See `Events.sendBatch`. */
export async function sendBatch(
  sender: Sender,
  events: readonly NewBatchEvent[],
  options: BatchOptions,
): Promise<BatchOutcome> {
  checkEvents(events)
  checkMaxEvents(options.maxEvents)
  const { deadLetter = true, ...rest } = options
  const run = await sendChunks(sender, events, rest)
  const results = run.results.toSorted((left, right) => left.index - right.index)
  if (deadLetter && sender.settings.deadLetter) await buryEvents(sender.settings, toGivenUp(sender, events, run))
  const accepted = countAccepted(results)
  if (run.failure && accepted === 0) throw run.failure.error
  return { accepted, failed: results.length - accepted, results }
}

async function sendChunks(sender: Sender, events: readonly NewBatchEvent[], options: BatchOptions): Promise<Run> {
  const { onProgress, maxEvents, ...requestOptions } = options
  const { lines, failed } = toLines(events, sender.settings)
  const run: Run = { results: failed, tries: new Map() }
  const chunks = toChunks(lines, maxEvents)
  for (const [at, chunk] of chunks.entries()) {
    try {
      run.results.push(...(await sendUntilSettled(sender, chunk, { options: requestOptions, run, attempt: 0 })))
    } catch (error) {
      run.failure = { error }
      // The rest would most likely meet the same; the caller decides whether to go on with it.
      const unsent = chunks.slice(at).flatMap((lines, more) => lines.map((line) => toUnsent(line, error, more === 0)))
      run.results.push(...unsent)
    }
    onProgress?.(toProgress(events.length, run.results))
    if (run.failure) break
  }
  return run
}

type Way = { readonly options: RequestOptions; readonly run: Run; readonly attempt: number }

/** Events that failed for the time being are tried again without the others, under the same keys. */
async function sendUntilSettled(sender: Sender, chunk: readonly Line[], way: Way): Promise<BatchItemResult[]> {
  const results = await sendChunk(sender, chunk, way)
  const { clock, random, ...settings } = sender.settings
  const { maxRetries = settings.maxRetries, signal } = way.options
  const left = chunk.filter((_, index) => isForNow(results[index]))
  if (left.length === 0 || way.attempt >= maxRetries) return results
  try {
    await clock.sleep(toBackoffMs(way.attempt, random), signal)
    const later = await sendUntilSettled(sender, left, { ...way, attempt: way.attempt + 1 })
    return [...results.filter((result) => !isForNow(result)), ...later]
  } catch {
    return results
  }
}

function isForNow(result: BatchItemResult | undefined): boolean {
  const code = result && 'error' in result ? result.error.error_code : ''
  return /^(no-result|internal|overloaded|storage-una|rate-lim)/.test(code)
}

async function sendChunk(sender: Sender, chunk: readonly Line[], { options, run }: Way): Promise<BatchItemResult[]> {
  // Those that are sent a second time have been sent equally often.
  const tries: Tries = { attempts: 0, status: null, ...run.tries.get(chunk[0]?.index ?? 0) }
  for (const line of chunk) run.tries.set(line.index, tries)
  const content = { type: 'application/x-ndjson', text: chunk.map((line) => line.text).join('') }
  const path = `${sender.settings.eventsEndpoint}/batch`
  const call = { method: 'POST', path, content, repeatable: true, tries } as const
  const answer = await sender.request<BatchAccepted>(call, options)
  const byIndex = new Map(answer.results.map((result) => [result.index, result]))
  return chunk.map((line, index) => {
    const result = byIndex.get(index)
    if (!result) return toFailed(line, 'no-result', 'the hub gave no result for this event')
    return { ...result, index: line.index, idempotency_key: line.idempotencyKey }
  })
}

function toUnsent(line: Line, error: unknown, tried: boolean): BatchItemResult {
  const { code = 'no-answer', message } = toRecordError(error)
  return toFailed(line, tried ? code : 'not-sent', tried ? message : `an earlier part of the batch failed: ${message}`)
}

function toGivenUp({ settings }: Sender, events: readonly NewBatchEvent[], { results, tries }: Run): GivenUp[] {
  return results.flatMap((result) => {
    const event = events[result.index]
    if (!('error' in result) || !event) return []
    const { idempotency_key: idempotencyKey, index, error } = result
    return [
      {
        event: toPlain(event, settings.source),
        idempotencyKey,
        tries: tries.get(index) ?? { attempts: 0, status: null },
        error: { code: error.error_code, message: error.message },
      },
    ]
  })
}

/** As `send` would have sent it: its key travels beside it. */
function toPlain({ idempotency_key: _key, ...event }: NewBatchEvent, source: string | undefined): NewEvent {
  return source === undefined ? event : { ...event, source: event.source ?? source }
}

function toProgress(total: number, results: readonly BatchItemResult[]): BatchProgress {
  const accepted = countAccepted(results)
  return { total, done: results.length, accepted, failed: results.length - accepted }
}

function countAccepted(results: readonly BatchItemResult[]): number {
  return results.reduce((count, result) => ('error' in result ? count : count + 1), 0)
}
