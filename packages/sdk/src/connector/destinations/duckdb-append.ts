import type { DuckDBAppender } from '@duckdb/node-api'
import type { ColumnType } from '../column-type.ts'
import type { Column, Row } from '../destination.ts'
import type { Value } from '../value.ts'
import { stagedType } from './duckdb-sql.ts'

type Append = (appender: DuckDBAppender, value: NonNullable<Value>) => void

// The staging table has types for which the engine takes a value as it is; the casts below say what `convert` made.
const appends: Readonly<Record<string, Append>> = {
  boolean: (appender, value) => appender.appendBoolean(value as boolean),
  bigint: (appender, value) => appender.appendBigInt(BigInt(value as number | bigint)),
  double: (appender, value) => appender.appendDouble(value as number),
  blob: (appender, value) => appender.appendBlob(value as Uint8Array),
  varchar: (appender, value) => appender.appendVarchar(value as string),
}

const toAppend = (type: ColumnType): Append => appends[stagedType(type)] ?? appendText
const appendText: Append = (appender, value) => appender.appendVarchar(String(value))

/** Writes rows into a staging table that has a column for each of `columns`. */
export function appendRows(appender: DuckDBAppender, columns: readonly Column[], rows: readonly Row[]): void {
  const each = columns.map(({ type }) => toAppend(type))
  for (const row of rows) {
    for (let index = 0; index < each.length; index += 1) {
      const value = row[index]
      if (value === null || value === undefined) appender.appendNull()
      else each[index]?.(appender, value)
    }
    appender.endRow()
  }
}
