import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createQueue, type Slot } from './queue.ts'

function open(slots: number, maxWaiting = 100) {
  const retired: string[] = []
  const queue = createQueue<string>({ slots, maxWaiting, idleMs: 60_000, retire: (name) => retired.push(name) })
  return { queue, retired }
}

test('what is given back is kept for the same key, and for no other', async () => {
  const { queue, retired } = open(2)
  const first = await queue.take('a')
  assert.equal(first.resource, undefined)
  first.give('worker of a')
  const other = await queue.take('b')
  assert.equal(other.resource, undefined)
  const again = await queue.take('a')
  assert.equal(again.resource, 'worker of a')
  again.give(undefined)
  other.give('worker of b')
  assert.equal((await queue.take('a')).resource, undefined)
  assert.deepEqual(retired, [])
})

test('no more is kept than there are places: the oldest goes', async () => {
  const { queue, retired } = open(2)
  for (const key of ['a', 'b', 'c']) (await queue.take(key)).give(`of ${key}`)
  assert.deepEqual(retired, ['of a'])
  await queue.close()
  assert.deepEqual(retired.toSorted(), ['of a', 'of b', 'of c'])
})

test('keys take turns, whoever asked for more', async () => {
  const { queue } = open(1)
  const running = await queue.take('x')
  const order: string[] = []
  const wait = (key: string): Promise<void> =>
    queue.take(key).then((slot) => {
      order.push(key)
      slot.give(undefined)
    })
  const all = ['a', 'a', 'a', 'b', 'c'].map(wait)
  running.give(undefined)
  await Promise.all(all)
  assert.deepEqual(order, ['a', 'b', 'c', 'a', 'a'])
})

test('a place that is given twice is free once', async () => {
  const { queue } = open(1)
  const slot = await queue.take('a')
  slot.give(undefined)
  slot.give(undefined)
  await queue.take('a')
  let second: Slot<string> | undefined
  void queue.take('a').then((taken) => (second = taken))
  await new Promise(setImmediate)
  assert.equal(second, undefined)
})

test('who gives up waiting leaves the line, and more than may wait are refused', async () => {
  const { queue } = open(1, 1)
  const running = await queue.take('a')
  const controller = new AbortController()
  const waiting = queue.take('a', controller.signal)
  await assert.rejects(queue.take('b'), { code: 'overloaded' })
  controller.abort(new Error('enough'))
  await assert.rejects(waiting, /enough/)
  const next = queue.take('b')
  running.give(undefined)
  ;(await next).give(undefined)
  await assert.rejects(queue.take('a', AbortSignal.abort(new Error('before'))), /before/)
})

test('closing waits for what runs, and lets nobody in', async () => {
  const { queue, retired } = open(1)
  const running = await queue.take('a')
  const closing = queue.close()
  await assert.rejects(queue.take('a'), { code: 'shutting-down' })
  running.give('worker')
  await closing
  assert.deepEqual(retired, ['worker'])
})
