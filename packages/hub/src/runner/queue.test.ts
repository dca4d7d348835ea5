import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createQueue, type Place, type Slot } from './queue.ts'

/** A group of its own for each. */
const of = (group: string): Place => ({ group, key: 'k' })

function open(slots: number, maxWaiting = 100) {
  const retired: string[] = []
  const queue = createQueue<string>({ slots, maxWaiting, idleMs: 60_000, retire: (name) => retired.push(name) })
  return { queue, retired }
}

test('what is given back is kept for the same key, and for no other', async () => {
  const { queue, retired } = open(4)
  const first = await queue.take(of('a'))
  assert.equal(first.resource, undefined)
  first.give('worker of a')
  const other = await queue.take(of('b'))
  assert.equal(other.resource, undefined)
  const again = await queue.take(of('a'))
  assert.equal(again.resource, 'worker of a')
  again.give(undefined)
  other.give('worker of b')
  assert.equal((await queue.take(of('a'))).resource, undefined)
  assert.deepEqual(retired, [])
})

test('no more is kept than there are places: the oldest goes', async () => {
  const { queue, retired } = open(2)
  for (const key of ['a', 'b', 'c']) (await queue.take(of(key))).give(`of ${key}`)
  assert.deepEqual(retired, ['of a'])
  await queue.close()
  assert.deepEqual(retired.toSorted(), ['of a', 'of b', 'of c'])
})

test('keys take turns, whoever asked for more', async () => {
  const { queue } = open(1)
  const running = await queue.take(of('x'))
  const order: string[] = []
  const wait = (key: string): Promise<void> =>
    queue.take(of(key)).then((slot) => {
      order.push(key)
      slot.give(undefined)
    })
  const all = ['a', 'a', 'a', 'b', 'c'].map(wait)
  running.give(undefined)
  await Promise.all(all)
  assert.deepEqual(order, ['a', 'b', 'c', 'a', 'a'])
})

test('in a group the most urgent go first, and users take turns, whoever asked for more', async () => {
  const { queue } = open(1)
  const running = await queue.take(of('x'))
  const order: string[] = []
  const wait = async (user: string, rank: number): Promise<void> => {
    const slot = await queue.take({ group: 'a', key: 'k', rank, user })
    order.push(`${user}${rank}`)
    slot.give(undefined)
  }
  const all = [
    wait('bulk', 3),
    wait('bulk', 3),
    wait('ada', 0),
    wait('ada', 0),
    wait('ada', 0),
    wait('bob', 0),
    wait('trigger', 2),
  ]
  running.give(undefined)
  await Promise.all(all)
  assert.deepEqual(order, ['ada0', 'bob0', 'ada0', 'ada0', 'trigger2', 'bulk3', 'bulk3'])
})

test('a user has half of what its group may have of the line', async () => {
  const { queue } = open(1, 16)
  const place = { group: 'a', key: 'k', rank: 0 }
  const slot = await queue.take({ ...place, user: 'ada' })
  const waiting = [queue.take({ ...place, user: 'ada' }), queue.take({ ...place, user: 'ada' })]
  await assert.rejects(queue.take({ ...place, user: 'ada' }), { code: 'overloaded' })
  const other = queue.take({ ...place, user: 'bob' })
  slot.give(undefined)
  // In whatever order they have their turn.
  await Promise.all([other, ...waiting].map(async (one) => (await one).give(undefined)))
})

test('a place that is given twice is free once', async () => {
  const { queue } = open(1)
  const slot = await queue.take(of('a'))
  slot.give(undefined)
  slot.give(undefined)
  await queue.take(of('a'))
  let second: Slot<string> | undefined
  void queue.take(of('a')).then((taken) => (second = taken))
  await new Promise(setImmediate)
  assert.equal(second, undefined)
})

test('who gives up waiting leaves the line, and more than may wait are refused', async () => {
  const { queue } = open(1, 1)
  const running = await queue.take(of('a'))
  const controller = new AbortController()
  const waiting = queue.take(of('a'), controller.signal)
  await assert.rejects(queue.take(of('b')), { code: 'overloaded' })
  controller.abort(new Error('enough'))
  await assert.rejects(waiting, /enough/)
  const next = queue.take(of('b'))
  running.give(undefined)
  ;(await next).give(undefined)
  await assert.rejects(queue.take(of('a'), AbortSignal.abort(new Error('before'))), /before/)
})

test('closing waits for what runs, and lets nobody in', async () => {
  const { queue, retired } = open(1)
  const running = await queue.take(of('a'))
  const closing = queue.close()
  await assert.rejects(queue.take(of('a')), { code: 'shutting-down' })
  running.give('worker')
  await closing
  assert.deepEqual(retired, ['worker'])
})

test('a group has half of the places and a quarter of the line at most; the others go on', async () => {
  const { queue } = open(4, 8)
  const first = await queue.take(of('a'))
  await queue.take(of('a'))
  const third = queue.take(of('a'))
  const fourth = queue.take(of('a'))
  await assert.rejects(queue.take(of('a')), { code: 'overloaded' })
  const other = await queue.take(of('b'))
  other.give(undefined)
  first.give(undefined)
  ;(await third).give(undefined)
  ;(await fourth).give(undefined)
})
