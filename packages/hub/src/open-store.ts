import type { Database } from './config.ts'
import { openPostgresStore } from './store/postgres/store.ts'
import { openSqliteStore } from './store/sqlite/store.ts'
import type { Store } from './store/store.ts'

export type StoreOptions = {
  /** the data folder, unless there is a database */
  readonly data: string
  readonly database?: Database | undefined
  /** `admin`: keys, workspaces and audit only, also beside a running hub; on a database there is no difference */
  readonly access?: 'hub' | 'admin'
  /** ms since 1970, for tests */
  readonly clock?: (() => number) | undefined
}

/** Opens the store that the options name: the embedded one, or Postgres. */
export function openStore({ data, database, access = 'hub', clock }: StoreOptions): Promise<Store> {
  if (database) return openPostgresStore({ ...database, clock })
  return openSqliteStore({ path: data, access, ...(clock && { clock }) })
}
