export { withChaos } from './connector/chaos.ts'
export type { Connector } from './connector/define.ts'
export {
  toSystemColumns,
  type Batch,
  type Capabilities,
  type Column,
  type Destination,
  type DestinationOptions,
  type Row,
  type Sweep,
  type Swept,
  type SystemColumns,
  type Table,
} from './connector/destination.ts'
export { openDuckDb, type DuckDbOptions } from './connector/destinations/duckdb.ts'
export { destinationKinds, toDestination, type DestinationKind } from './connector/destinations/open.ts'
export { openHub, type HubOptions } from './connector/destinations/hub.ts'
export { openNdjson, type NdjsonOptions } from './connector/destinations/ndjson.ts'
export { openParquet, type ParquetOptions } from './connector/destinations/parquet.ts'
export { openPostgres, type PostgresOptions } from './connector/destinations/postgres.ts'
export { openSqlite, type SqliteOptions } from './connector/destinations/sqlite.ts'
export { diffDuckDb, readDuckDb, type TableDifference, type TextRow } from './connector/destinations/duckdb-read.ts'
export { loadConnector } from './connector/load.ts'
export { runConnector, type RunOptions, type SyncFailure, type SyncResult } from './connector/run.ts'
export { createTally, type Tally } from './connector/tally.ts'
export type { Drift } from './connector/table-columns.ts'
export type { Value } from './connector/value.ts'
