import { join } from 'node:path'
import type { Destination, DestinationOptions } from '../destination.ts'
import { ConnectorError } from '../error.ts'

type Settings = Readonly<Record<string, string>>

/** What a setting may be: one of a few texts, or any; `required` or with a default. */
type Rule = {
  readonly values?: readonly string[]
  readonly required?: true
  readonly default?: (folder: string) => string
}

type Kind = {
  readonly settings: Readonly<Record<string, Rule>>
  readonly open: (settings: Settings, options: DestinationOptions) => Promise<Destination>
}

const inFolder = (name: string): Rule => ({ default: (folder) => join(folder, name) })

// Each is loaded when it is opened: the engines behind them are heavy, or not installed.
const kinds = {
  duckdb: {
    settings: { file: inFolder('warehouse.duckdb'), schema: {} },
    open: async ({ file = '', schema }, options) =>
      (await import('./duckdb.ts')).openDuckDb({ ...options, file, schema }),
  },
  postgres: {
    settings: { url: { required: true }, schema: {}, nul: { values: ['refuse', 'replace'] } },
    open: async ({ url = '', schema, nul }, options) =>
      (await import('./postgres.ts')).openPostgres({
        ...options,
        url,
        schema,
        nul: nul === 'replace' ? 'replace' : 'refuse',
      }),
  },
  sqlite: {
    settings: { file: inFolder('warehouse.sqlite') },
    open: async ({ file = '' }, options) => (await import('./sqlite.ts')).openSqlite({ ...options, file }),
  },
  ndjson: {
    settings: { folder: inFolder('ndjson') },
    open: async ({ folder = '' }, options) => (await import('./ndjson.ts')).openNdjson({ ...options, folder }),
  },
  parquet: {
    settings: { folder: inFolder('parquet') },
    open: async ({ folder = '' }, options) => (await import('./parquet.ts')).openParquet({ ...options, folder }),
  },
  hub: {
    settings: { url: { required: true }, api_key: { required: true }, folder: inFolder('hub') },
    open: async ({ url = '', api_key: apiKey = '', folder = '' }, options) =>
      (await import('./hub.ts')).openHub({ ...options, url, apiKey, folder }),
  },
} as const satisfies Readonly<Record<string, Kind>>

export type DestinationKind = keyof typeof kinds
export const destinationKinds = Object.keys(kinds) as DestinationKind[] // of an object whose members are known

/**
 * A destination by its name, with settings as they stand in a file: texts by name.
 *
 * @param folder for files whose place the settings do not name
 * @returns opens it, with the settings that were checked here
 * @throws ConnectorError that says which setting is wrong, of kind `configuration`
 * @example runConnector({ …, destination: toDestination('sqlite', { file: 'sales.sqlite' }, 'files') })
 */
export function toDestination(
  kind: DestinationKind,
  settings: unknown,
  folder: string,
): (options: DestinationOptions) => Promise<Destination> {
  const { settings: rules, open }: Kind = kinds[kind]
  if (typeof settings !== 'object' || settings === null || Array.isArray(settings))
    throw wrong(kind, `must be an object with ${Object.keys(rules).join(', ')}`)
  const unknown = Object.keys(settings).find((name) => !Object.hasOwn(rules, name))
  if (unknown !== undefined) throw wrong(kind, `have no "${unknown}"; there are ${Object.keys(rules).join(', ')}`)
  const given = settings as Readonly<Record<string, unknown>> // an object, as was just checked
  const checked = Object.entries(rules).flatMap(([name, rule]) => {
    const value = given[name] ?? rule.default?.(folder)
    if (value === undefined && !rule.required) return []
    if (typeof value !== 'string' || value === '') throw wrong(kind, `need "${name}", a text`)
    if (rule.values?.includes(value) === false) throw wrong(kind, `have "${name}" as ${rule.values.join(' or ')} only`)
    return [[name, value] as const]
  })
  const complete = Object.fromEntries(checked)
  return (options) => open(complete, options)
}

const wrong = (kind: string, fault: string): ConnectorError =>
  new ConnectorError('configuration', `the settings of the destination ${kind} ${fault}`)
