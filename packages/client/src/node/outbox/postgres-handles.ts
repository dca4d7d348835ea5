/** What runs statements inside the transaction of somebody else: a `Client` or `PoolClient` of pg after its `begin`, or the `sql` that postgres.js hands to the function in `sql.begin`. Anything else that has such a `query` will do. */
export type PostgresTransaction = PgClient | PostgresJsTransaction

/** Where a relay makes transactions of its own: a `Pool` or `Client` of pg, or the `sql` of postgres.js. */
export type PostgresDatabase = PgPool | PgClient | PostgresJs

type PgClient = {
  query(text: string, values?: unknown[]): PromiseLike<{ readonly rows: readonly unknown[] }>
  getTransactionStatus?(): string | null
  /** A pool has it, and runs each statement on any connection: outside of the caller's transaction. */
  readonly totalCount?: never
}

type PgPool = {
  connect(): PromiseLike<PgClient & { release(error?: Error | boolean): void }>
  readonly totalCount: number
}

type PostgresJsTransaction = {
  unsafe(text: string, values?: string[]): PromiseLike<readonly unknown[]>
  /** only the `sql` inside of `sql.begin` has it */
  savepoint(...args: never[]): unknown
}

type PostgresJs = {
  unsafe(text: string, values?: string[]): PromiseLike<readonly unknown[]>
  begin(options: string, run: (sql: PostgresJsTransaction) => Promise<void>): PromiseLike<unknown>
}

/** Values are texts, and the SQL casts them: so both drivers send them alike. Rows hold texts and nulls. */
export type Query = (text: string, values?: string[]) => Promise<readonly Row[]>
type Row = Readonly<Record<string, string | null>>

/** Runs `work` in a transaction: all of it or nothing. */
export type Transact = <Result>(work: (query: Query) => Promise<Result>) => Promise<Result>

/**
 * The caller's transaction as something that runs statements.
 *
 * @throws TypeError if it can be seen that no transaction is open: each statement would then be one of its own
 */
export function toQuery(transaction: PostgresTransaction): Query {
  if ('unsafe' in transaction) {
    if (!('savepoint' in transaction)) throw new TypeError(noTransaction)
    return toPostgresJsQuery(transaction)
  }
  // A pool is refused by its type; JavaScript does not look at types.
  if ('totalCount' in transaction && transaction.totalCount !== undefined) throw new TypeError(noTransaction)
  const status = transaction.getTransactionStatus?.()
  if (status === 'I' || status === null) throw new TypeError(noTransaction)
  return toPgQuery(transaction)
}

/** Whether the driver says that the transaction is open; false for a driver that does not say. */
export function isSeenOpen(transaction: PostgresTransaction): boolean {
  if ('unsafe' in transaction) return false
  const status = transaction.getTransactionStatus?.()
  return status === 'T' || status === 'E'
}

const noTransaction =
  'outbox.add needs the open transaction that the business rows are written in: a client of pg after `await ' +
  "client.query('begin')`, or the sql inside of sql.begin of postgres.js. A pool, or a client outside of a transaction, " +
  'would store the event even if the rest is rolled back'

export function toTransact(database: PostgresDatabase): Transact {
  if ('unsafe' in database) return (work) => transactPostgresJs(database, work)
  if (isPool(database)) return (work) => transactPool(database, work)
  return (work) => transactClient(database, work)
}

function isPool(database: PgPool | PgClient): database is PgPool {
  return database.totalCount !== undefined
}

/** A claim must see what was committed while it waited for its lock, whatever the default of the role is. */
const isolation = 'isolation level read committed'

async function transactPool<Result>(pool: PgPool, work: (query: Query) => Promise<Result>): Promise<Result> {
  const client = await pool.connect()
  let failure: Error | undefined
  try {
    return await transactClient(client, work)
  } catch (error) {
    failure = error instanceof Error ? error : new Error(String(error))
    throw error
  } finally {
    // With an error the pool closes the connection, whatever state it is in.
    client.release(failure)
  }
}

async function transactClient<Result>(client: PgClient, work: (query: Query) => Promise<Result>): Promise<Result> {
  await client.query(`begin ${isolation}`)
  try {
    const result = await work(toPgQuery(client))
    await client.query('commit')
    return result
  } catch (error) {
    // On a connection that is gone there is nothing to roll back, and the first error says why.
    await Promise.resolve(client.query('rollback')).catch(() => undefined)
    throw error
  }
}

async function transactPostgresJs<Result>(sql: PostgresJs, work: (query: Query) => Promise<Result>): Promise<Result> {
  const results: Result[] = []
  await sql.begin(isolation, async (transaction) => void results.push(await work(toPostgresJsQuery(transaction))))
  const [result] = results
  // `begin` resolves after the function has, so there is one.
  return result as Result
}

function toPgQuery(client: PgClient): Query {
  // The statements of this folder select texts only.
  return async (text, values) => (await client.query(text, values)).rows as readonly Row[]
}

function toPostgresJsQuery(sql: Pick<PostgresJsTransaction, 'unsafe'>): Query {
  // As above. A copy: the list of postgres.js is a promise's relative with members of its own.
  return async (text, values) => [...(await sql.unsafe(text, values ?? []))] as Row[]
}
