import { parseType, type ColumnType, type SimpleType } from '../column-type.ts'
import { type TypeChange } from './sql-tables.ts'
import { quote } from './sql-text.ts'

// As `format_type` names them.
const postgresTypes: Readonly<Record<SimpleType, string>> = {
  BOOLEAN: 'boolean',
  SHORT: 'smallint',
  INT: 'integer',
  LONG: 'bigint',
  FLOAT: 'real',
  DOUBLE: 'double precision',
  NAIVE_DATE: 'date',
  NAIVE_DATETIME: 'timestamp without time zone',
  UTC_DATETIME: 'timestamp with time zone',
  BINARY: 'bytea',
  XML: 'text',
  STRING: 'text',
  // Not jsonb: it would change numbers, the order of members, and refuse some texts.
  JSON: 'json',
}

export const toPostgresType = (type: ColumnType): string =>
  postgresTypes[type as SimpleType] ?? type.replace('DECIMAL', 'numeric') // else DECIMAL(p,s)

/** The type of a column as Postgres names it. What this package never makes is text to it. */
export function fromPostgresType(postgresType: string): ColumnType {
  const known = Object.entries(postgresTypes).find(([type, name]) => type !== 'XML' && name === postgresType)
  const parsed = parseType(known?.[0] ?? postgresType.replace('numeric', 'DECIMAL'))
  return 'type' in parsed ? parsed.type : 'STRING'
}

/** Finds values that would lose digits; undefined where none can. */
export function inexactCheck({ name, from, to }: TypeChange): string | undefined {
  if (from !== 'LONG' || (to !== 'DOUBLE' && to !== 'FLOAT')) return undefined
  // Beyond these a double may be 2^63, which is no bigint any more.
  const isInside = `${quote(name)} between -9223372036854774784 and 9223372036854774784`
  return `case when ${isInside} then ${quote(name)}::float8::bigint <> ${quote(name)} else true end`
}

/** The value in its wider type; as text it must be what `convert` would have made of it. */
export function toWider({ name, from, to }: TypeChange): string {
  const column = quote(name)
  const type = toPostgresType(to)
  if (type !== 'text') return `${column}::${type}`
  if (from === 'BINARY') return `translate(encode(${column}, 'base64'), E'\\n', '')`
  if (from === 'NAIVE_DATETIME') return isoText(column, '')
  if (from === 'UTC_DATETIME') return isoText(`timezone('UTC', ${column})`, 'Z')
  return `${column}::text`
}

const isoText = (column: string, end: string): string =>
  `regexp_replace(to_char(${column}, 'YYYY-MM-DD"T"HH24:MI:SS.US'), '\\.?0+$', '') || '${end}'`
