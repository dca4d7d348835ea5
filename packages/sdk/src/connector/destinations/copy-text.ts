import type { ColumnType } from '../column-type.ts'
import type { Column, Row } from '../destination.ts'
import { ConnectorError } from '../error.ts'
import type { Value } from '../value.ts'

/** What becomes of the character NUL, which Postgres keeps in no text: the sync fails, or `\uFFFD` stands for it. */
export type NulPolicy = 'refuse' | 'replace'

const escapes: Readonly<Record<string, string>> = { '\\': '\\\\', '\n': '\\n', '\r': '\\r', '\t': '\\t' }
const special = /[\\\n\r\t]/
const allSpecial = /[\\\n\r\t]/g

type Print = (value: NonNullable<Value>) => string

/**
 * Rows in the text format of `copy … from stdin`, in pieces of about 64 KB.
 *
 * @throws ConnectorError at a text with NUL, unless it is replaced
 * @example [...toCopyText([{ name: 'a', type: 'STRING' }], [['x\ty'], []], 'refuse')] // ['x\\ty\n\\N\n']
 */
export function* toCopyText(columns: readonly Column[], rows: readonly Row[], nul: NulPolicy): Generator<string> {
  const prints = columns.map((column) => toPrint(column, nul))
  let piece = ''
  for (const row of rows) {
    for (let index = 0; index < prints.length; index += 1) {
      const value = row[index]
      if (index > 0) piece += '\t'
      piece += value === null || value === undefined ? '\\N' : (prints[index]?.(value) ?? '')
    }
    piece += '\n'
    if (piece.length > 65_536) {
      yield piece
      piece = ''
    }
  }
  if (piece !== '') yield piece
}

const printPlain: Print = (value) => String(value as number)

function toPrint({ name, type }: Column, nul: NulPolicy): Print {
  if (type === 'BINARY') return (value) => `\\\\x${Buffer.from(value as Uint8Array).toString('hex')}` // `convert` made bytes
  if (!isText(type)) return printPlain
  return (value) => {
    const source = value as string // `convert` made text
    const clean = source.includes('\0') ? replaceNul(source, name, nul) : source
    return special.test(clean) ? clean.replace(allSpecial, (letter) => escapes[letter] ?? letter) : clean
  }
}

const isText = (type: ColumnType): boolean => type === 'STRING' || type === 'XML' || type === 'JSON'

function replaceNul(source: string, column: string, nul: NulPolicy): string {
  if (nul === 'replace') return source.replaceAll('\0', '\uFFFD')
  const message = `column ${column} has a text with the character NUL, which Postgres cannot keep; clean it in the connector, or set "nul": "replace" for the destination`
  throw new ConnectorError('destination', message)
}
