import { parseType, type ColumnType, type TypeSource } from './column-type.ts'
import { bug } from './error.ts'
import { toColumnName, toShortName, toTableName, type Naming } from './names.ts'

/** What happens with lists and objects in a row. */
export type NestedPolicy = 'json' | 'flatten' | 'child_tables'

/** What happens when data differs from what a table has: a new column, or a value that does not fit its column. */
export type ContractMode = 'evolve' | 'freeze' | 'drop_row' | 'drop_value' | 'quarantine'

/** A table as a connector declares it. */
export type TableSource = {
  readonly table: string
  /** without it, a row is known by the hash of all that it has, and a changed row is a new one */
  readonly primary_key?: readonly string[]
  /** the others are inferred; a column that is null everywhere is never made */
  readonly columns?: Readonly<Record<string, TypeSource>>
  /** default `json`: lists and objects are kept as JSON */
  readonly nested?: NestedPolicy
  /** default `evolve`: columns are added, and widened where nobody declared them */
  readonly contract?: ContractMode | { readonly columns?: ContractMode; readonly types?: ContractMode }
  /** between 0 and 1: a sync that would delete more than this share of the rows stops; default: only one that would delete all */
  readonly max_delete_share?: number
}

/** A table as it is used: with the names of the destination, by those of the source. */
export type TableSchema = {
  readonly source: string
  readonly name: string
  /** names of the source */
  readonly key: readonly string[]
  /** declared types, by name of the source */
  readonly types: ReadonlyMap<string, ColumnType>
  readonly nested: NestedPolicy
  readonly contract: { readonly columns: ContractMode; readonly types: ContractMode }
  readonly maxDeleteShare: number | undefined
}

export type NameOptions = {
  readonly naming: Naming
  readonly maxNameBytes?: number | undefined
  /** names that the destination adds */
  readonly reserved: readonly string[]
}

const members = ['table', 'primary_key', 'columns', 'nested', 'contract', 'max_delete_share']
const nestedPolicies: readonly NestedPolicy[] = ['json', 'flatten', 'child_tables']
const contractModes: readonly ContractMode[] = ['evolve', 'freeze', 'drop_row', 'drop_value', 'quarantine']

/**
 * Checks the tables that a connector declares.
 *
 * @throws ConnectorError with every fault: an unknown member or type, a table that stands twice, two tables or columns that would
 * have one name
 */
export function parseSchema(sources: unknown, names: NameOptions): TableSchema[] {
  if (!Array.isArray(sources)) throw bug('schema must answer a list of tables')
  const faults: string[] = []
  const tables = sources.flatMap((source: unknown) => parseTable(source, names, faults) ?? [])
  faults.push(...findCollisions(tables))
  if (faults.length > 0) throw bug(`the schema cannot be used:\n  ${faults.join('\n  ')}`)
  return tables
}

/** The schema of a table that nobody declared. */
export function toUndeclared(source: string, names: NameOptions): TableSchema {
  const [table] = parseSchema([{ table: source }], names)
  if (!table) throw bug(`"${source}" is no name for a table`)
  return table
}

function parseTable(source: unknown, names: NameOptions, faults: string[]): TableSchema | undefined {
  if (typeof source !== 'object' || source === null || Array.isArray(source)) {
    faults.push('a table must be an object with "table", and "primary_key" and "columns" where it has them')
    return undefined
  }
  const given = source as Readonly<Record<string, unknown>> // read member by member
  const { table } = given
  if (typeof table !== 'string' || table.trim() === '') {
    faults.push('"table" is missing: the name of the table')
    return undefined
  }
  const fault = (detail: string): void => void faults.push(`${table}: ${detail}`)
  for (const name of Object.keys(given))
    if (!members.includes(name)) fault(`"${name}" is no member; members are ${members.join(', ')}`)
  const name = toShortName(toTableName(table, names.naming), names.maxNameBytes)
  if (/^_*$/.test(name)) fault('nothing is left of the name; give it letters')
  return {
    source: table,
    name,
    key: readKey(given['primary_key'], fault),
    types: readTypes(given['columns'], { names, fault }),
    nested: readChoice(given['nested'] ?? 'json', nestedPolicies, { what: 'nested', fault }),
    contract: readContract(given['contract'], fault),
    maxDeleteShare: readShare(given['max_delete_share'], fault),
  }
}

type Fault = (detail: string) => void

function readKey(value: unknown, fault: Fault): string[] {
  const key: unknown[] = Array.isArray(value) ? value : value === undefined ? [] : [value]
  const isGood = key.every((name) => typeof name === 'string' && name !== '') && new Set(key).size === key.length
  if (!isGood || (value !== undefined && !Array.isArray(value)))
    fault('primary_key must be a list of column names, each once')
  return key.map(String)
}

function readTypes(value: unknown, { names, fault }: { names: NameOptions; fault: Fault }): Map<string, ColumnType> {
  const types = new Map<string, ColumnType>()
  if (value === undefined) return types
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    fault('columns must be an object of names and types')
    return types
  }
  const used = new Map<string, string>()
  for (const [column, source] of Object.entries(value)) {
    const parsed = parseType(source)
    if ('fault' in parsed) fault(`column ${column}: ${parsed.fault}`)
    else types.set(column, parsed.type)
    const clash = findClash(column, names, used)
    if (clash !== undefined) fault(clash)
  }
  return types
}

/**
 * Why a column cannot have its name beside those before it; undefined where it can.
 *
 * @param used names at the destination, with those of the source: the new one is added
 */
export function findClash(column: string, names: NameOptions, used: Map<string, string>): string | undefined {
  const name = toShortName(toColumnName(column, names.naming), names.maxNameBytes)
  // Databases compare names without case.
  const folded = name.toLowerCase()
  const before = used.get(folded)
  if (name === '') return `a column needs a name; one is ${JSON.stringify(column)}`
  if (names.reserved.includes(folded))
    return `column ${column} would be ${name}, which the destination keeps for itself`
  if (before !== undefined && before !== column)
    return `columns ${before} and ${column} would both be ${name}; rename one of them`
  used.set(folded, column)
  return undefined
}

function readChoice<Choice extends string>(
  value: unknown,
  choices: readonly Choice[],
  { what, fault }: { readonly what: string; readonly fault: Fault },
): Choice {
  const found = choices.find((choice) => choice === value)
  if (found === undefined) fault(`${what} must be one of ${choices.join(', ')}`)
  return found ?? (choices[0] as Choice) // the lists above are not empty
}

function readContract(value: unknown, fault: Fault): TableSchema['contract'] {
  const given =
    typeof value === 'object' && value !== null ? (value as { columns?: unknown; types?: unknown }) : undefined
  const [columns, types] = given ? [given.columns, given.types] : [value, value]
  return {
    columns: readChoice(columns ?? 'evolve', contractModes, { what: 'contract', fault }),
    types: readChoice(types ?? 'evolve', contractModes, { what: 'contract', fault }),
  }
}

function readShare(value: unknown, fault: Fault): number | undefined {
  if (value === undefined) return undefined
  if (typeof value === 'number' && value >= 0 && value <= 1) return value
  fault('max_delete_share must be a number from 0 to 1')
  return undefined
}

function findCollisions(tables: readonly TableSchema[]): string[] {
  const used = new Map<string, string>()
  return tables.flatMap(({ source, name }) => {
    const before = used.get(name.toLowerCase())
    used.set(name.toLowerCase(), source)
    if (before === undefined) return []
    return [
      before === source ? `Table already defined: ${source}` : `tables ${before} and ${source} would both be ${name}`,
    ]
  })
}
