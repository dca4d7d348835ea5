import { createHash } from 'node:crypto'
import { HubError } from '@sluice/protocol/error'
import pg from 'pg'

/** What a parameter of a statement may be. */
export type Value = string | number | boolean | null | readonly (string | number | null)[]

/** One connection, or a transaction on one. Statements sent without waiting go out together and run in order. */
export type Connection = {
  readonly query: <Row>(text: string, values?: readonly Value[]) => Promise<Row[]>
}

export type Client = Connection & {
  /** As `query`, for statements that mean something else each time: never prepared. */
  readonly queryOnce: <Row>(text: string, values?: readonly Value[]) => Promise<Row[]>
  /** Answers the command that was carried out: `commit` of a failed transaction answers `ROLLBACK`. */
  readonly command: (text: string, timeoutMs?: number) => Promise<string>
  readonly isAlive: () => boolean
}

export type Connections = Connection & {
  /** A connection for one use; given back afterwards, or closed if it broke. */
  readonly use: <Value>(work: (client: Client) => Promise<Value>) => Promise<Value>
  /** Reads that belong together: they see one state. */
  readonly look: <Value>(work: (client: Client) => Promise<Value>) => Promise<Value>
  readonly close: () => Promise<void>
}

export type ConnectionOptions = {
  readonly url: string
  /** connections at most */
  readonly max: number
  /** the address is a pooler's, which may give each transaction another connection: nothing is kept on them */
  readonly pooled: boolean
}

/** A statement may take this long; whatever takes longer is stuck. */
const statementTimeoutMs = 10_000
/** The server may take this long to answer; then the connection is given up: it may lead nowhere. */
const answerTimeoutMs = 12_000
/** A transaction whose node has gone silent is ended by the server after this long, and its lock is free again. */
const silenceTimeoutMs = 5000
const connectTimeoutMs = 5000
/** A connection that nobody has used for so long is closed. */
const idleMs = 300_000

/**
 * The server is to ask after a node that has gone silent in the middle of a message, where none of its other limits run: it would keep
 * the lock of its transaction for two hours, as systems are set by themselves.
 */
const session = `${synced(false)}; set tcp_keepalives_idle = 5; set tcp_keepalives_interval = 2; set tcp_keepalives_count = 3;
  set tcp_user_timeout = 15000`

// What Postgres gives as text because it may not fit into a number does fit: positions, times and counts stay below 2^53.
const int8 = 20
const types = {
  getTypeParser: (oid: number, format?: 'text' | 'binary') =>
    oid === int8 ? Number : pg.types.getTypeParser(oid, format as 'text'),
}

/** The limits of each transaction, where they cannot be set for a connection once. */
const limits = `set local statement_timeout = ${statementTimeoutMs}; set local idle_in_transaction_session_timeout = ${silenceTimeoutMs};
  ${synced(true)}`

/** Accepted means on disk, also where the server, the database or the role is set up otherwise. Stricter settings stay. */
function synced(local: boolean): string {
  return `select set_config('synchronous_commit', 'on', ${local}) where current_setting('synchronous_commit') = 'off'`
}

export const beginText = (pooled: boolean): string => (pooled ? `begin; ${limits}` : 'begin')

/** The connection on which a node listens for the others, as the server's list of activity shows it. */
export const listenerName = 'sluice listener'

export function toClientConfig({ url, pooled }: Pick<ConnectionOptions, 'url' | 'pooled'>): pg.ClientConfig {
  return {
    connectionString: url,
    application_name: 'sluice',
    connectionTimeoutMillis: connectTimeoutMs,
    query_timeout: answerTimeoutMs,
    keepAlive: true,
    keepAliveInitialDelayMillis: 10_000,
    types,
    ...(!pooled && {
      statement_timeout: statementTimeoutMs,
      idle_in_transaction_session_timeout: silenceTimeoutMs,
    }),
  }
}

/** A pool of connections that send statements without waiting for the answers of those before. */
export function openConnections({ url, max, pooled }: ConnectionOptions): Connections {
  const config = { ...toClientConfig({ url, pooled }), max, pipeline: true, idleTimeoutMillis: idleMs }
  const pool = new pg.Pool(config)
  if (!pooled) pool.on('connect', (client) => void client.query(session).catch(() => {}))
  // A connection that breaks while nobody uses it is replaced by the next use.
  pool.on('error', () => {})
  const names = new Map<string, string>()
  const nameOf = (text: string): string => {
    const known = names.get(text)
    if (known) return known
    const name = createHash('sha256').update(text).digest('base64url').slice(0, 22)
    names.set(text, name)
    return name
  }
  const use: Connections['use'] = async (work) => {
    const found = await pool.connect().catch((error: unknown) => {
      throw toStoreError(error)
    })
    const client = toClient(found, pooled ? undefined : nameOf)
    let broken: Error | undefined
    const onError = (error: Error): void => void (broken = error)
    found.on('error', onError)
    try {
      return await work({ ...client, isAlive: () => broken === undefined })
    } catch (error) {
      if (isLost(error)) broken ??= error instanceof Error ? error : new Error(String(error))
      throw toStoreError(error)
    } finally {
      found.off('error', onError)
      found.release(broken ?? false)
    }
  }
  return {
    use,
    query: (text, values) => use((client) => client.query(text, values)),
    look: (work) =>
      use(async (client) => {
        await client.command(`begin isolation level repeatable read read only${pooled ? `; ${limits}` : ''}`)
        try {
          return await work(client)
        } finally {
          await client.command('rollback').catch(() => {})
        }
      }),
    close: () => pool.end(),
  }
}

function toClient(client: pg.PoolClient, nameOf: ((text: string) => string) | undefined): Omit<Client, 'isAlive'> {
  // A failed transaction refuses what was sent behind the failure, and says nothing of its reason: that is the first one.
  let first: unknown
  const explain = (error: unknown): never => {
    first ??= error
    throw codeOf(error) === '25P02' ? first : error
  }
  return {
    query: async <Row>(text: string, values: readonly Value[] = []) => {
      const name = nameOf?.(text)
      const statement = { text, values: values.map(clean), ...(name !== undefined && { name }) }
      const { rows } = await client.query(statement).catch(explain)
      return rows as Row[] // the SQL beside the call and the type must agree, which the contract suite sees to
    },
    queryOnce: async <Row>(text: string, values: readonly Value[] = []) =>
      (await client.query({ text, values: values.map(clean) }).catch(explain)).rows as Row[],
    command: async (text, timeoutMs) => {
      // The types know no timeout of a single statement.
      const statement = timeoutMs === undefined ? { text } : { text, query_timeout: timeoutMs }
      return (await client.query(statement).catch(explain)).command
    },
  }
}

/** Postgres keeps no NUL in a text. Names and ids have none; a reason that a consumer gave might. */
function clean(value: Value): Value {
  return typeof value === 'string' && value.includes('\0') ? value.replaceAll('\0', '\u{fffd}') : value
}

/** Classes of SQLSTATE that speak of the server and not of the statement: connection, login, database, resources, operator, system. */
const serverClasses = new Set(['08', '28', '3D', '53', '57', '58'])
/** Of other classes: lock not available, deadlock, serialization, read-only server, transaction ended by a timeout. */
const serverCodes = new Set(['55P03', '40P01', '40001', '25006', '25P03', '25P04', 'XX000', 'XX001', 'XX002'])

function codeOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined
}

// Each has a digit, which tells them from EPIPE and its like.
const isSqlState = (code: string): boolean => /^(?=.*\d)[0-9A-Z]{5}$/.test(code)

/** A fault of ours, that no other server would cure. */
const isOurs = (error: unknown): boolean =>
  error instanceof TypeError ||
  error instanceof RangeError ||
  error instanceof ReferenceError ||
  error instanceof SyntaxError

/** The connection is of no use any more. */
export function isLost(error: unknown): boolean {
  if (error instanceof HubError || isOurs(error)) return false
  const code = codeOf(error)
  return code === undefined || !isSqlState(code) || code.startsWith('08') || /^57P0|^25P0[34]/.test(code)
}

/** What a caller of the store is told. A fault of ours stays what it is. */
export function toStoreError(error: unknown): unknown {
  if (error instanceof HubError || isOurs(error)) return error
  const code = codeOf(error)
  if (code !== undefined && isSqlState(code) && !serverClasses.has(code.slice(0, 2)) && !serverCodes.has(code)) {
    return error
  }
  // What the driver says names hosts and users: that is for the log.
  return new HubError('storage-unavailable', 'the database is not available; send it again in a second', {
    cause: error,
    retryAfterSeconds: 1,
  })
}
