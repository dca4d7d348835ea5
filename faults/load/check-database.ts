import type { PostgresServer } from '../../scripts/postgres-server.ts'

// What must hold of the rows, whatever was killed: each query answers how many break it.
const rules = {
  'positions of a log that are missing or too many': `
    select coalesce(sum(abs(log.head - log.trimmed_to - there.count)), 0)::int as found from log, lateral
      (select count(*) as count from event where event.workspace_id = log.workspace_id and position > trimmed_to) as there`,
  'events beyond the head of their log': `
    select count(*)::int as found from event join log using (workspace_id) where position > head`,
  'times of acceptance that go back': `
    select count(*)::int as found from (select accepted_ms < lag(accepted_ms)
      over (partition by workspace_id order by position) as back from event) as times where back`,
  'idempotency keys of events that are not there': `
    select count(*)::int as found from dedup where not exists (select 1 from event
      where event.workspace_id = dedup.workspace_id and event.position = dedup.position)`,
}

/** `ok`, or what is wrong with the rows and, where the server has the means to check them, the indexes of a database. */
export async function checkDatabase(postgres: PostgresServer, url: string): Promise<string> {
  const wrong: string[] = []
  for (const [rule, sql] of Object.entries(rules)) {
    const [row] = await postgres.exec(sql, url)
    if (row?.['found'] !== 0) wrong.push(`${rule}: ${String(row?.['found'])}`)
  }
  const indexes = await checkIndexes(postgres, url).catch((error: unknown) => String(error))
  if (indexes !== undefined) wrong.push(indexes)
  return wrong.length === 0 ? 'ok' : wrong.join('; ')
}

/** Each entry of each index against its table, and back. */
async function checkIndexes({ exec }: PostgresServer, url: string): Promise<string | undefined> {
  const found = await exec(`select 1 from pg_available_extensions where name = 'amcheck'`, url)
  if (found.length === 0) return undefined
  await exec('create extension if not exists amcheck', url)
  await exec(
    `select bt_index_check(pg_class.oid, true) from pg_class join pg_am on pg_am.oid = relam
     where relkind = 'i' and amname = 'btree' and relnamespace = 'public'::regnamespace`,
    url,
  )
  return undefined
}
