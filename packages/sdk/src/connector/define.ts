import type { ConfigurationOf, ConfigurationSource } from './configuration.ts'
import type { CreateHttp } from './http.ts'
import type { Log } from './log.ts'
import type { SourceRow } from './nested.ts'
import type { Operations } from './operations.ts'
import type { TableSource } from './schema.ts'
import type { TypeSource } from './column-type.ts'
import type { ExactNumber } from './exact-json.ts'

/** What `update` works with. */
export type UpdateContext<Configuration, State, Rows extends Readonly<Record<string, SourceRow>>> = {
  readonly configuration: Configuration
  /** of the last checkpoint; at first what `state` of the connector says, or `{}` */
  readonly state: State
  readonly op: Operations<Rows, State>
  readonly log: Log
  /** the way to the service: retries, tokens, rates; see `createHttp` */
  readonly http: CreateHttp
  /** aborts when the sync is cancelled */
  readonly signal: AbortSignal
}

export type ConnectorSource<
  Configuration extends ConfigurationSource,
  Tables extends readonly TableSource[],
  State extends SourceRow,
> = {
  /** lower case with underscores; names its state at the destination */
  readonly name: string
  /** what whoever sets it up must give; default nothing */
  readonly configuration?: Configuration
  /** the state before the first checkpoint */
  readonly state?: State
  readonly schema: (configuration: ConfigurationOf<Configuration>) => Tables
  readonly update: (context: UpdateContext<ConfigurationOf<Configuration>, State, RowsOf<Tables>>) => Promise<void>
}

type Exact = bigint | ExactNumber
type TypeOf<Source> = Source extends 'BOOLEAN'
  ? boolean | 'true' | 'false'
  : Source extends 'SHORT' | 'INT' | 'LONG'
    ? number | bigint | string
    : Source extends 'BINARY'
      ? Uint8Array
      : Source extends 'NAIVE_DATE' | 'NAIVE_DATETIME' | 'UTC_DATETIME'
        ? string | Date
        : Source extends 'FLOAT' | 'DOUBLE' | { readonly type: 'DECIMAL' } | `DECIMAL${string}`
          ? number | string | Exact
          : unknown

type RowOf<Columns> = SourceRow & { readonly [Name in keyof Columns]?: TypeOf<Columns[Name]> | null }

/** Rows by table, by what `schema` declares. With names that are only known when it runs, any table and any row. */
type RowsOf<Tables extends readonly TableSource[]> = string extends Tables[number]['table']
  ? Readonly<Record<string, SourceRow>>
  : {
      readonly [Each in Tables[number] as Each['table']]: Each extends {
        readonly columns: infer Columns extends Readonly<Record<string, TypeSource>>
      }
        ? RowOf<Columns>
        : SourceRow
    }

/** A connector, whatever its types are: for those who run it. */
export type Connector = {
  readonly name: string
  readonly configuration: ConfigurationSource
  readonly state: SourceRow
  readonly schema: (configuration: never) => readonly TableSource[]
  readonly update: (context: never) => Promise<void>
}

/**
 * A connector: the tables that it fills, and how.
 *
 * @throws TypeError for a name that is none
 * @example
 * export default defineConnector({
 *   name: 'shop',
 *   configuration: { api_key: 'secret' },
 *   state: { offset: 0 },
 *   schema: () => [{ table: 'orders', primary_key: ['id'] }],
 *   async update({ configuration, state, op, http }) { … },
 * })
 */
export function defineConnector<
  const Configuration extends ConfigurationSource = Record<never, never>,
  const Tables extends readonly TableSource[] = readonly TableSource[],
  State extends SourceRow = SourceRow,
>(source: ConnectorSource<Configuration, Tables, State>): Connector {
  if (!/^[a-z][a-z0-9_]{0,99}$/.test(source.name))
    throw new TypeError(
      `"${source.name}" is no name for a connector: write it in lower case with underscores, as people_ai`,
    )
  const { configuration = {}, state = {}, ...rest } = source
  return { ...rest, configuration, state }
}
