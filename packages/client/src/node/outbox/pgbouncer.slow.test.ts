import assert from 'node:assert/strict'
import { test } from 'node:test'
import { skipWithoutPgBouncer, startPgBouncer } from '../../../../../scripts/pgbouncer.ts'
import { usePostgres } from '../../../../../scripts/use-postgres.ts'
import { openPool, openPostgresJs, toEvents } from './open-stages.ts'

// Each transaction may run on another connection to the server: nothing of an outbox may outlive its transaction.

const database = await usePostgres()
const skip = database.skip || skipWithoutPgBouncer()

for (const [name, open] of [
  ['pg', openPool],
  ['postgres.js', (url: string) => openPostgresJs(url, false)],
] as const) {
  test(`${name}: an outbox works through a pooler of transactions`, { skip }, async () => {
    await using pooler = await startPgBouncer({ url: database.url })
    const { outbox, write, close } = await open(pooler.url)
    await Promise.all([1, 2, 3, 4].map(() => write(toEvents('outbox.pooled', 5, { subject: 's' }), 'commit')))
    const take = (token: string) => outbox.rows.claim({ token, limit: 12, leaseSeconds: 60 })
    const [first, second] = [await take('one'), await take('two')]
    assert.deepEqual([first.length, second.length], [12, 0])
    await outbox.rows.settle({ token: 'one', accepted: first.map(({ id }) => id), refused: [], again: [] })
    assert.equal((await take('three')).length, 8)
    const { waiting, claimed } = await outbox.status()
    assert.deepEqual([waiting, claimed], [8, 8])
    await close()
  })
}
