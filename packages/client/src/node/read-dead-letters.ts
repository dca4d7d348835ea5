import { createReadStream } from 'node:fs'
import type { DeadLetterRecord } from '../dead-letter.ts'
import type { DeadLetterMark } from './jsonl-file.ts'

/** What stands in a dead-letter file; `number` is that of the line, from 1. */
export type DeadLetterLine =
  | { readonly kind: 'record'; readonly number: number; readonly record: DeadLetterRecord }
  | { readonly kind: 'mark'; readonly number: number; readonly mark: DeadLetterMark }
  /** not whole: its writer died, or is writing it now */
  | { readonly kind: 'torn'; readonly number: number }

/** Every record and every mark begins like this, and no text within one does: its quotes would be escaped. */
const beginning = '{"dead_letter_id":"'

/**
 * Reads a dead-letter file from its beginning to its end of now. What is torn is told of and passed over; a record that was
 * written right behind a torn one is found.
 *
 * @throws what the file system says, say that there is no such file
 * @example for await (const line of readDeadLetters('dead-letters.jsonl')) if (line.kind === 'record') show(line.record)
 */
export async function* readDeadLetters(path: string): AsyncGenerator<DeadLetterLine, void, undefined> {
  let number = 0
  for await (const text of readLines(path)) {
    number += 1
    if (text.trim() !== '') yield* toLines(text, number)
  }
}

function toLines(text: string, number: number): DeadLetterLine[] {
  const whole = parseLine(text, number)
  if (whole) return [whole]
  for (let at = text.indexOf(beginning, 1); at > 0; at = text.indexOf(beginning, at + 1)) {
    const behind = parseLine(text.slice(at), number)
    if (behind) return [{ kind: 'torn', number }, behind]
  }
  return [{ kind: 'torn', number }]
}

function parseLine(text: string, number: number): DeadLetterLine | undefined {
  const value = parseJson(text)
  if (typeof value !== 'object' || value === null || !('dead_letter_id' in value)) return undefined
  if ('event' in value && typeof value.event === 'object' && value.event !== null && 'idempotency_key' in value) {
    // Written by a dead-letter sink; the hub looks at the event itself.
    return { kind: 'record', number, record: value as DeadLetterRecord }
  }
  return 'sent_at' in value ? { kind: 'mark', number, mark: value as DeadLetterMark } : undefined
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** Lines end at LF alone: readline ends them at U+2028, too, which JSON may hold. */
async function* readLines(path: string): AsyncGenerator<string> {
  const decoder = new TextDecoder()
  let rest: string[] = []
  for await (const chunk of createReadStream(path) as AsyncIterable<Buffer>) {
    const [first = '', ...lines] = decoder.decode(chunk, { stream: true }).split('\n')
    rest.push(first)
    for (const line of lines) {
      yield rest.join('')
      rest = [line]
    }
  }
  yield rest.join('') + decoder.decode()
}
