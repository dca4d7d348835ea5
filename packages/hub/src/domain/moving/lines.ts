import { createHash, type Hash } from 'node:crypto'
import { HubError } from '@sluice/protocol'

/**
 * The file of an export is NDJSON: a header, rows in chunks, each closed by a mark, and an end. A mark's `sha256` is that of
 * all bytes of the file before its line, so that it stands for everything that led up to it.
 *
 *     {"kind":"sluice-export","version":1,"id":"…","workspace":"default","exported_ms":…,"sluice":"0.1.0"}
 *     {"kind":"log","row":{…}}
 *     {"kind":"event","row":{…}}
 *     {"kind":"chunk","number":1,"rows":2,"sha256":"…"}
 *     {"kind":"end","chunks":1,"rows":2,"counts":{"log":1,"event":1},"sha256":"…"}
 */
const formatVersion = 1

export type Header = {
  /** of this export */
  readonly id: string
  readonly workspace: string
  readonly exportedMs: number
  readonly sluice: string
}

type Mark = { readonly number: number; readonly rows: number; readonly sha256: string }
export type End = {
  readonly chunks: number
  readonly rows: number
  readonly counts: Readonly<Record<string, number>>
  readonly sha256: string
}

/** Prints the lines of an export, and sums up what it has printed. */
type LinePrinter = {
  readonly header: (header: Header) => string
  readonly row: (row: { readonly kind: string; readonly row: unknown }) => string
  readonly mark: () => string
  readonly end: () => { readonly text: string; readonly end: End }
}

export function createLinePrinter(): LinePrinter {
  const hash = createHash('sha256')
  const counts: Record<string, number> = {}
  let chunks = 0
  let rows = 0
  let inChunk = 0
  const print = (line: unknown): string => {
    const text = `${JSON.stringify(line)}\n`
    hash.update(text)
    return text
  }
  return {
    header: ({ id, workspace, exportedMs, sluice }) =>
      print({ kind: headerKind, version: formatVersion, id, workspace, exported_ms: exportedMs, sluice }),
    row: (line) => {
      counts[line.kind] = (counts[line.kind] ?? 0) + 1
      rows += 1
      inChunk += 1
      return print(line)
    },
    mark: () => {
      chunks += 1
      const mark = { kind: 'chunk', number: chunks, rows: inChunk, sha256: digest(hash) }
      inChunk = 0
      return print(mark)
    },
    end: () => {
      const end = { chunks, rows, counts, sha256: digest(hash) }
      return { text: print({ kind: 'end', ...end }), end }
    },
  }
}

const headerKind = 'sluice-export'

const digest = (hash: Hash): string => hash.copy().digest('hex')

/** A line of a file. */
export type Line = {
  readonly number: number
  readonly value: Readonly<Record<string, unknown>>
  /** What all bytes before it come to; only until the next line is read. */
  readonly sha256: () => string
}

/** Longer ones are not ours: an event has half a megabyte at most, and what an inbox holds is stored in small rows. */
const maxLineBytes = 32 * 1024 * 1024

/** @throws HubError `validation-error` naming the line */
export async function* readLines(source: AsyncIterable<Uint8Array>): AsyncGenerator<Line> {
  const hash = createHash('sha256')
  let number = 0
  for await (const bytes of splitLines(source)) {
    number += 1
    yield { number, value: parseLine(bytes, number), sha256: () => digest(hash) }
    hash.update(bytes).update('\n')
  }
}

/** Bytes between line feeds. What follows the last one is a line that was cut off. */
async function* splitLines(source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let kept: Uint8Array[] = []
  let keptBytes = 0
  let number = 1
  for await (const piece of source) {
    let from = 0
    for (let to = piece.indexOf(10); to >= 0; to = piece.indexOf(10, from)) {
      yield Buffer.concat([...kept, piece.subarray(from, to)])
      kept = []
      keptBytes = 0
      from = to + 1
      number += 1
    }
    if (from < piece.length) kept.push(piece.subarray(from))
    keptBytes += piece.length - from
    if (keptBytes > maxLineBytes) throw refuse(number, 'is longer than any line of an export')
  }
  if (keptBytes > 0) throw refuse(number, 'is cut off; the file is not whole')
}

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

function parseLine(bytes: Uint8Array, number: number): Line['value'] {
  let value: unknown
  try {
    value = JSON.parse(decoder.decode(bytes))
  } catch (cause) {
    throw refuse(number, 'is not JSON; this is no export of Sluice, or it was damaged', cause)
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw refuse(number, 'is not a JSON object')
  return value as Line['value'] // just checked
}

/** What is wrong with a line of the file. */
export function refuse(line: number, fault: string, cause?: unknown): HubError {
  return new HubError('validation-error', `line ${line} ${fault}`, { cause, details: { line } })
}

/** @throws HubError `validation-error` for a file that is no export, or one of a version that this code does not know */
export function toHeader({ number, value }: Line): Header {
  const { kind, version, id, workspace, exported_ms: exportedMs, sluice } = value
  if (kind !== headerKind) throw refuse(number, 'is not the header of an export of Sluice')
  if (version !== formatVersion) {
    throw refuse(
      number,
      `says version ${String(version)}; this Sluice reads version ${formatVersion}, install the newer one`,
    )
  }
  if (typeof id !== 'string' || typeof workspace !== 'string' || typeof exportedMs !== 'number')
    throw refuse(number, 'lacks something that a header has')
  return { id, workspace, exportedMs, sluice: String(sluice) }
}

/** @throws HubError `validation-error` unless the mark fits what was read */
export function toMark({ number: at, value, sha256 }: Line, expected: Omit<Mark, 'sha256'>): Mark {
  const { number, rows } = value
  const from = at - expected.rows
  const found = sha256()
  if (value['sha256'] !== found)
    throw refuse(at, `does not fit lines ${from} to ${at - 1}: they were damaged, or changed`)
  if (number !== expected.number || rows !== expected.rows)
    throw refuse(
      at,
      `closes chunk ${String(number)} of ${String(rows)} rows; chunk ${expected.number} has ${expected.rows}`,
    )
  return { ...expected, sha256: found }
}

/** @throws HubError `validation-error` unless the end fits what was read */
export function checkEnd({ number, value, sha256 }: Line, expected: Omit<End, 'sha256'>): void {
  const { chunks, rows, counts } = value
  const isSame =
    value['sha256'] === sha256() &&
    chunks === expected.chunks &&
    rows === expected.rows &&
    JSON.stringify(counts) === JSON.stringify(expected.counts)
  if (!isSame) throw refuse(number, 'does not fit the lines before it: some are missing, or were damaged')
}
