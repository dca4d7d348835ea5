import { randomBytes } from 'node:crypto'
import { Client } from 'pg'

/** The databases of a Postgres server, whoever has started it. */
export type PostgresDatabases = {
  /** of its maintenance database, for a role that may create databases */
  readonly url: string
  readonly version: string
  /** makes an empty database and answers its url */
  readonly createDatabase: () => Promise<string>
  /** drops what `createDatabase` made, and ends the connections to it */
  readonly dropDatabase: (databaseUrl: string) => Promise<void>
  /** runs SQL over a connection of its own, in the maintenance database unless another is given; answers the rows */
  readonly exec: (sql: string, databaseUrl?: string) => Promise<readonly Record<string, unknown>[]>
}

export function openPostgres(url: string, version: string): PostgresDatabases {
  const exec: PostgresDatabases['exec'] = async (sql, databaseUrl = url) => {
    const client = new Client({ connectionString: databaseUrl })
    // A server that is killed is an error of the query that waits for it; alone, it would end this process.
    client.on('error', () => undefined)
    await client.connect()
    try {
      return (await client.query<Record<string, unknown>>(sql)).rows
    } finally {
      await client.end()
    }
  }
  return {
    url,
    version,
    exec,
    createDatabase: async () => {
      const databaseUrl = new URL(url)
      const name = `sluice_test_${randomBytes(6).toString('hex')}`
      databaseUrl.pathname = `/${name}`
      await exec(`create database ${name}`)
      return databaseUrl.href
    },
    dropDatabase: async (databaseUrl) => {
      const name = new URL(databaseUrl).pathname.slice(1)
      if (!/^sluice_test_[0-9a-f]+$/.test(name)) throw new Error(`database "${name}" was not made by createDatabase`)
      await exec(`drop database if exists ${name} with (force)`)
    },
  }
}
