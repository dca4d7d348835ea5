import { writeSync } from 'node:fs'
import { request as httpRequest } from 'node:http'
import { text } from 'node:stream/consumers'
import type { DatabaseSync, SQLInputValue, StatementSync } from 'node:sqlite'
import type { Transport } from '@sluice/client'
import type { SqliteDatabase } from '@sluice/client/node'
import type { Pool, PoolClient } from 'pg'
import type { StepName } from './outbox-order.ts'

/** Called before, within and after whatever can be interrupted. */
export type Step = (name: StepName) => void

/** Kills this process at the given step, after saying on stdout which one that was. */
export function createStep(dieAt: number | null): Step {
  let count = 0
  return (name) => {
    count += 1
    if (count !== dieAt) return
    writeSync(1, `${JSON.stringify({ diedAt: name })}\n`)
    process.kill(process.pid, 'SIGKILL')
  }
}

/** `insert into "sluice_outbox"`, or as much as tells statements apart. */
function toLabel(sql: string): string {
  const words = sql.trim().split(/\s+/)
  return words.slice(0, words[0] === 'insert' || words[0] === 'delete' ? 3 : 2).join(' ')
}

export function watchSqlite(database: DatabaseSync, step: Step): SqliteDatabase {
  const around = <Result>(sql: string, run: () => Result): Result => {
    step(`${toLabel(sql)} before`)
    const result = run()
    step(`${toLabel(sql)} after`)
    return result
  }
  return {
    get isTransaction() {
      return database.isTransaction
    },
    exec: (sql) => around(sql, () => database.exec(sql)),
    prepare: (sql) => {
      const statement = database.prepare(sql)
      const watched = {
        run: (...values: SQLInputValue[]) => around(sql, () => statement.run(...values)),
        get: (...values: SQLInputValue[]) => around(sql, () => statement.get(...values)),
        all: (...values: SQLInputValue[]) => around(sql, () => statement.all(...values)),
      }
      // Of a statement nothing else is used.
      return watched as unknown as StatementSync
    },
  }
}

type WatchedClient = Pick<PoolClient, 'release' | 'getTransactionStatus'> & {
  readonly query: (sql: string, values?: unknown[]) => Promise<{ readonly rows: readonly Record<string, unknown>[] }>
}

export type WatchedPool = { readonly totalCount: number; readonly connect: () => Promise<WatchedClient> }

/** `sent`: the statement is on its way, and nobody will read what the server says. */
export function watchPool(pool: Pool, step: Step): WatchedPool {
  return {
    totalCount: 0,
    connect: async () => {
      const client = await pool.connect()
      return {
        getTransactionStatus: () => client.getTransactionStatus(),
        release: (error) => client.release(error),
        query: async (sql, values) => {
          step(`${toLabel(sql)} before`)
          const answer = client.query<Record<string, unknown>>(sql, values)
          // Where the step is the last one, nobody waits for it.
          answer.catch(() => undefined)
          step(`${toLabel(sql)} sent`)
          const result = await answer
          step(`${toLabel(sql)} after`)
          return result
        },
      }
    },
  }
}

/** The request of a relay, over a socket of its own. */
export function watchTransport(step: Step): Transport {
  return async ({ url, method, headers, body = '', signal }) => {
    step('request before')
    const { status, fields, content } = await new Promise<HttpAnswer>((resolve, reject) => {
      // A step may throw, and a callback of the socket is no place for that.
      const within = (name: StepName): void => {
        try {
          step(name)
        } catch (error) {
          reject(error)
        }
      }
      const sending = httpRequest(url, { method, headers: { ...headers }, signal }, (response) => {
        within('request answered')
        const answer = { status: response.statusCode ?? 0, fields: response.headers }
        text(response).then((content) => resolve({ ...answer, content }), reject)
      })
      sending.on('error', reject)
      sending.end(body, () => within('request sent'))
    })
    step('request after')
    const header = (name: string): string | null => String(fields[name] ?? '') || null
    return { status, header, text: async () => content, stream: () => null }
  }
}

type HttpAnswer = {
  readonly status: number
  readonly fields: Readonly<Record<string, string | string[] | undefined>>
  readonly content: string
}
