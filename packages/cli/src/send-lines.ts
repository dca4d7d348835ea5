import { createReadStream, statSync } from 'node:fs'
import type { BatchItemResult, Sluice } from '@sluice/client'
import type { NewBatchEvent } from '@sluice/protocol'
import { CommandError, exitCodes, toFailure, usage } from './exit.ts'
import type { Output } from './output.ts'
import { createProgress, type Progress } from './progress.ts'
import { readLines } from './read-lines.ts'

/** Half of what the hub takes at once: the next lines are read while these are stored. */
const batchEvents = 500

type Line = { readonly number: number; readonly event: NewBatchEvent }
type LineError = {
  readonly line: number
  readonly error_code: string
  readonly message: string
  readonly errors?: unknown
}
/** Errors beyond this are counted and not kept. */
const keptErrors = 1000

type Tally = { accepted: number; failed: number; readonly errors: LineError[] }

/**
 * Publishes a file or stdin of one JSON event a line, in batches, in order. Lines that the hub refuses do not stop the others.
 *
 * @throws CommandError with exit code 5 when some were stored and some not
 */
export async function sendLines(job: { sluice: Sluice; file: string | undefined; output: Output }): Promise<void> {
  const { file, output } = job
  const progress = createProgress(file === undefined ? undefined : sizeOf(file))
  const tally: Tally = { accepted: 0, failed: 0, errors: [] }
  let failure: unknown
  try {
    for await (const batch of readBatches(file, tally, progress)) {
      await sendBatch(job.sluice, batch, tally)
      progress.show(tally)
    }
  } catch (error) {
    failure = error
  }
  progress.end(tally)
  for (const error of tally.errors.slice(0, 20))
    output.note(`line ${error.line}: ${error.error_code}: ${error.message}`)
  if (failure !== undefined && tally.accepted === 0) throw failure
  output.result(
    { accepted: tally.accepted, failed: tally.failed, errors: tally.errors },
    `${tally.accepted} accepted, ${tally.failed} failed`,
  )
  if (failure !== undefined) throw new CommandError(exitCodes.partly, `stopped: ${toFailure(failure).message}`)
  if (tally.failed > 0)
    throw new CommandError(
      tally.accepted > 0 ? exitCodes.partly : exitCodes.failed,
      `${tally.failed} events were not stored`,
    )
}

async function sendBatch(sluice: Sluice, batch: readonly Line[], tally: Tally): Promise<void> {
  if (batch.length === 0) return
  const outcome = await sluice.events.sendBatch(batch.map((line) => line.event))
  tally.accepted += outcome.accepted
  for (const result of outcome.results) {
    if ('error' in result) addError(tally, toLineError(batch[result.index]?.number ?? 0, result))
  }
  const unsent = outcome.results.find((result) => 'error' in result && isTransport(result.error.error_code))
  if (unsent && 'error' in unsent) throw new Error(unsent.error.message)
}

/** The request failed, not the event: going on would most likely fail, too. */
function isTransport(code: string): boolean {
  return code === 'no-answer' || code === 'not-sent' || code.startsWith('http-')
}

function toLineError(line: number, { error }: Extract<BatchItemResult, { error: unknown }>): LineError {
  return { line, ...error }
}

function addError(tally: Tally, error: LineError): void {
  tally.failed += 1
  if (tally.errors.length < keptErrors) tally.errors.push(error)
}

async function* readBatches(file: string | undefined, tally: Tally, progress: Progress): AsyncGenerator<Line[]> {
  const input = file === undefined ? process.stdin : createReadStream(file)
  let batch: Line[] = []
  let number = 0
  for await (const text of readLines(input, (bytes) => progress.read(bytes))) {
    number += 1
    if (text.trim() === '') continue
    const line = parseLine(text, number, tally)
    if (line) batch.push(line)
    if (batch.length < batchEvents) continue
    yield batch
    batch = []
  }
  yield batch
}

function parseLine(text: string, number: number, tally: Tally): Line | undefined {
  try {
    const event: unknown = JSON.parse(text)
    if (typeof event !== 'object' || event === null || Array.isArray(event)) throw new SyntaxError('not a JSON object')
    // The hub looks at its members and names every fault.
    return { number, event: event as NewBatchEvent }
  } catch (error) {
    addError(tally, {
      line: number,
      error_code: 'validation-error',
      message: error instanceof Error ? error.message : String(error),
    })
    return undefined
  }
}

function sizeOf(file: string): number {
  try {
    return statSync(file).size
  } catch (cause) {
    throw usage(`cannot read ${file}: ${cause instanceof Error ? cause.message : String(cause)}`)
  }
}
