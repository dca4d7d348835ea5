import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import pg from 'pg'
import { usePostgres } from '../../../../../scripts/use-postgres.ts'
import { positionsOf, toDraft } from '../contract/stage.ts'
import type { Store } from '../store.ts'
import { openPostgresStore } from './store.ts'

const postgres = await usePostgres()

// The classic fault of logs in databases: numbers are handed out in one order and become visible in another, and a reader with a
// cursor skips what appears behind it. A commit is made slow here by a trigger that waits at its end.
describe('a slow commit and a quick one', { skip: postgres.skip }, () => {
  let client: pg.Pool
  before(async () => {
    client = new pg.Pool({ connectionString: postgres.url, max: 5 })
    client.on('error', () => {})
    await client.query(`create function wait_at_commit() returns trigger language plpgsql as
      $$ begin if new.body like '%slow%' then perform pg_sleep(0.5); end if; return null; end $$`)
  })
  after(() => client.end())

  const slowAtCommit = (table: string): Promise<unknown> =>
    client.query(`create constraint trigger slow_${table} after insert on ${table} deferrable initially deferred
      for each row execute function wait_at_commit()`)

  it('a bare sequence: the reader loses an event', async () => {
    await client.query(`create table plain (position bigserial primary key, body text not null)`)
    await slowAtCommit('plain')
    const slow = client.query(`insert into plain (body) values ('slow')`)
    await new Promise((resolve) => setTimeout(resolve, 100))
    await client.query(`insert into plain (body) values ('quick')`)
    const seen = await readOn(client, 0)
    await slow
    assert.deepEqual([...seen, ...(await readOn(client, Math.max(...seen)))], [2], 'position 1 is never seen')
  })

  it('two nodes: the quick one waits, and the reader sees both in order', async () => {
    const nodes = await Promise.all([1, 2].map(() => openPostgresStore({ url: postgres.url })))
    const [one, two] = nodes as [Store, Store]
    try {
      await slowAtCommit('event')
      const { workspace } = await one.ensureWorkspace('ordered')
      const slow = one.appendEvents(workspace.id, [toDraft({ payload: { speed: 'slow' } })])
      await new Promise((resolve) => setTimeout(resolve, 100))
      let done = false
      const quick = two.appendEvents(workspace.id, [toDraft({ payload: { speed: 'quick' } })]).then(() => (done = true))
      const seen: number[] = []
      while (!done) seen.push(...(await follow(two, workspace.id, seen.at(-1) ?? 0)))
      await Promise.all([slow, quick])
      seen.push(...(await follow(two, workspace.id, seen.at(-1) ?? 0)))
      assert.deepEqual(seen, [1, 2])
    } finally {
      await Promise.all(nodes.map((store) => store.close()))
    }
  })

  it('many nodes at once: a reader never sees a smaller position later, and none is missing', async () => {
    const nodes = await Promise.all([1, 2, 3].map(() => openPostgresStore({ url: postgres.url })))
    const [reader] = nodes as [Store]
    try {
      const { workspace } = await reader.ensureWorkspace('many')
      let done = false
      const publish = Promise.all(
        nodes.flatMap((node) =>
          Array.from({ length: 40 }, () => node.appendEvents(workspace.id, [toDraft(), toDraft()])),
        ),
      ).then(() => (done = true))
      const seen: number[] = []
      while (!done) seen.push(...(await follow(reader, workspace.id, seen.at(-1) ?? 0)))
      await publish
      seen.push(...(await follow(reader, workspace.id, seen.at(-1) ?? 0)))
      assert.deepEqual(
        seen,
        Array.from({ length: 240 }, (_, index) => index + 1),
      )
    } finally {
      await Promise.all(nodes.map((store) => store.close()))
    }
  })
})

async function readOn(client: pg.Pool, after: number): Promise<number[]> {
  const { rows } = await client.query<{ position: string }>(
    `select position from plain where position > $1 order by position`,
    [after],
  )
  return rows.map(({ position }) => Number(position))
}

async function follow(store: Store, workspaceId: number, after: number): Promise<number[]> {
  const { events } = await store.scanEvents(workspaceId, { after, filter: {}, limit: 1000, rowBudget: 1000 })
  return positionsOf(events)
}
