import { parseType, type ColumnType, type SimpleType } from '../column-type.ts'
import type { Column } from '../destination.ts'
import { quote } from './sql-text.ts'

const duckTypes: Readonly<Record<SimpleType, string>> = {
  BOOLEAN: 'boolean',
  SHORT: 'smallint',
  INT: 'integer',
  LONG: 'bigint',
  FLOAT: 'float',
  DOUBLE: 'double',
  NAIVE_DATE: 'date',
  NAIVE_DATETIME: 'timestamp',
  UTC_DATETIME: 'timestamp with time zone',
  BINARY: 'blob',
  XML: 'varchar',
  STRING: 'varchar',
  JSON: 'json',
}

export const toDuckType = (type: ColumnType): string => duckTypes[type as SimpleType] ?? type.toLowerCase() // else DECIMAL(p,s)

/** The type of a column as DuckDB names it. What this package never makes is text to it. */
export function fromDuckType(duckType: string): ColumnType {
  const known = Object.entries(duckTypes).find(([type, name]) => type !== 'XML' && name === duckType.toLowerCase())
  const parsed = parseType(known?.[0] ?? duckType)
  return 'type' in parsed ? parsed.type : 'STRING'
}

/** How a value waits in the staging table: as the appender takes it fastest, converted by the engine afterwards. */
export function stagedType(type: ColumnType): 'boolean' | 'bigint' | 'double' | 'blob' | 'varchar' {
  switch (type) {
    case 'BOOLEAN':
      return 'boolean'
    case 'SHORT':
    case 'INT':
    case 'LONG':
      return 'bigint'
    case 'FLOAT':
    case 'DOUBLE':
      return 'double'
    case 'BINARY':
      return 'blob'
    default:
      return 'varchar'
  }
}

export function stagedColumn(index: number, type: ColumnType): string {
  const duckType = toDuckType(type)
  return duckType === stagedType(type) ? `s.c${index}` : `s.c${index}::${duckType}`
}

/** @param staged the columns of the staging table, in which those of the key stand somewhere */
export function sameKey(key: readonly Column[], staged: readonly Column[]): string {
  return key
    .map(({ name, type }) => {
      const index = staged.findIndex((column) => column.name === name)
      return `t.${quote(name)} is not distinct from ${stagedColumn(index, type)}`
    })
    .join(' and ')
}

/** Finds values that would lose digits; undefined where none can. */
export function inexactCheck(column: string, from: ColumnType, to: ColumnType): string | undefined {
  const loses = from === 'LONG' && (to === 'DOUBLE' || to === 'FLOAT')
  return loses ? `${column} is distinct from ${column}::double::hugeint` : undefined
}

/** The value in its wider type; as text it must be what `convert` would have made of it. */
export function toWider(column: string, from: ColumnType, to: ColumnType): string {
  if (toDuckType(to) !== 'varchar') return `${column}::${toDuckType(to)}`
  if (from === 'BINARY') return `base64(${column})`
  if (from === 'NAIVE_DATETIME') return isoText(column, '')
  if (from === 'UTC_DATETIME') return isoText(`timezone('UTC', ${column})`, 'Z')
  return `${column}::varchar`
}

const isoText = (column: string, end: string): string =>
  `regexp_replace(strftime(${column}, '%Y-%m-%dT%H:%M:%S.%f'), '\\.?0+$', '') || '${end}'`
