import assert from 'node:assert/strict'
import { test } from 'node:test'
import { useHub } from '../../../scripts/use-hub.ts'
import { createAdmin } from './admin.ts'
import { createSluice } from './client.ts'

const { connection } = await useHub()
const sluice = createSluice(connection)
const admin = createAdmin(connection)

/** An inbox of its own with so many events, none of them looked at. */
async function fill(key: string, count: number): Promise<void> {
  await admin.putInbox(key, { filter: { event_types: [key] } })
  await sluice.events.sendBatch(Array.from({ length: count }, (_, n) => ({ event_type: key, payload: { n } })))
}

/** All that is left, with the attempt that each is at once it is handed out again. */
async function rest(key: string): Promise<[unknown, number][]> {
  const { events } = await sluice.inbox(key).lease({ limit: 100 })
  return events.map((event) => [event.payload['n'], event.attempt])
}

test('a leasing stream that is left keeps what was taken from it, and the rest was never handed out', async () => {
  await fill('left', 10)
  const stream = sluice.inbox('left').stream({ leaseSeconds: 300, limit: 10 })
  for await (const { event, lease_id: leaseId = '' } of stream) {
    if (event.payload['n'] !== 2) continue
    // The answer comes after what the hub has sent on the stream before.
    assert.equal((await admin.getInbox('left')).leased, 10)
    await sluice.inbox('left').ack(leaseId, [event.event_id])
    break
  }
  const { leased, waiting } = await admin.getInbox('left')
  assert.deepEqual([leased, waiting], [2, 7])
  assert.deepEqual(
    await rest('left'),
    Array.from({ length: 7 }, (_, n) => [n + 3, 1]),
  )
})

test('an abort gives back, too, whether the next event is waited for or one is in work', async () => {
  for (const key of ['waited', 'worked']) {
    await fill(key, 4)
    const stop = new AbortController()
    const stream = sluice.inbox(key).stream({ leaseSeconds: 300, limit: 4, signal: stop.signal })
    assert.equal((await stream.next()).value?.event.payload['n'], 0)
    assert.equal((await admin.getInbox(key)).leased, 4)
    if (key === 'worked') {
      stop.abort()
      assert.equal((await stream.next()).done, true)
    } else {
      for (let n = 1; n < 4; n += 1) assert.equal((await stream.next()).value?.event.payload['n'], n)
      const end = stream.next()
      stop.abort()
      assert.equal((await end).done, true)
    }
    assert.deepEqual((await rest(key)).length, key === 'worked' ? 3 : 0)
  }
})

test('a reader that throws loses nothing', async () => {
  await fill('thrown', 3)
  const reading = async (): Promise<void> => {
    for await (const _ of sluice.inbox('thrown').stream({ leaseSeconds: 300 })) {
      assert.equal((await admin.getInbox('thrown')).leased, 3)
      throw new Error('broken reader')
    }
  }
  await assert.rejects(reading(), { message: 'broken reader' })
  assert.deepEqual(await rest('thrown'), [
    [1, 1],
    [2, 1],
  ])
})
