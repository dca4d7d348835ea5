export const defaultTable = 'sluice_outbox'

/** Names as they stand in SQL, quoted. */
export type TableNames = {
  /** with its schema, if one was given */
  readonly table: string
  /** without; the index is made in the schema of its table */
  readonly index: string
}

/** Postgres cuts names at 63 bytes without a word; `_claimed` is added for the index. */
const longest = 55

/**
 * @param text a table's name, where `schemas` are allowed also as `schema.table`
 * @throws TypeError if it holds anything else than letters, digits and `_`: it becomes part of the SQL
 */
export function parseTable(text: string, { schemas }: { readonly schemas: boolean }): TableNames {
  const parts = text.split('.')
  const isRight = parts.every((part) => /^[A-Za-z_][A-Za-z0-9_]*$/.test(part) && part.length <= longest)
  if (!isRight || parts.length > (schemas ? 2 : 1)) {
    const form = schemas ? 'as sluice_outbox or app.sluice_outbox' : 'as sluice_outbox'
    throw new TypeError(
      `the outbox's table must be named with letters, digits and _, ${longest} at most, ${form}; it is ${JSON.stringify(text)}`,
    )
  }
  return { table: parts.map((part) => `"${part}"`).join('.'), index: `"${parts.at(-1)}_claimed"` }
}
