import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Wake } from '../store/store.ts'
import { createNotifier, type Notifier, type Waiter } from './notifier.ts'

/** A notifier, and what a store would tell it. */
function open(): { notifier: Notifier; tell: (wake: Wake) => void } {
  let listener: ((wake: Wake) => void) | undefined
  const notifier = createNotifier({
    onWake: (given) => {
      listener = given
      return () => undefined
    },
  })
  return { notifier, tell: (wake) => listener?.(wake) }
}

const never = new AbortController().signal
const longMs = 1_000_000
const place = { workspaceId: 1, inbox: 'a', filter: {} }
const appended = (eventType: string, workspaceId = 1): Wake => ({
  workspaceId,
  appended: [{ eventType, source: null, subject: null }],
})

/** Who has been woken so far, in order. */
function watch(waiters: readonly Pick<Waiter, 'wait'>[]): number[] {
  const woken: number[] = []
  for (const [index, waiter] of waiters.entries()) void waiter.wait(longMs, never).then(() => woken.push(index))
  return woken
}

const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

test('a wake-up goes to the one who has waited longest, and who passes it on wakes the next', async () => {
  const { notifier, tell } = open()
  const waiters = [notifier.join(place), notifier.join(place), notifier.join(place)]
  const woken = watch(waiters)
  await settle()
  tell({ workspaceId: 1, inbox: 'a' })
  await settle()
  assert.deepEqual(woken, [0])
  waiters[0]?.begin()
  waiters[0]?.pass()
  await settle()
  assert.deepEqual(woken, [0, 1])
  notifier.close()
  await settle()
  assert.deepEqual(woken, [0, 1, 2])
})

test('a wake-up that was given to one who leaves is handed on', async () => {
  const { notifier, tell } = open()
  const waiters = [notifier.join(place), notifier.join(place)]
  const woken = watch(waiters)
  await settle()
  tell({ workspaceId: 1, inbox: 'a' })
  await settle()
  waiters[0]?.leave()
  await settle()
  assert.deepEqual(woken, [0, 1])
  notifier.close()
})

test('a wake-up while looking is not missed', async () => {
  const { notifier, tell } = open()
  const waiter = notifier.join(place)
  waiter.begin()
  tell(appended('x'))
  await waiter.wait(longMs, never)
  notifier.close()
})

test('events wake only whom they concern', async () => {
  const { notifier, tell } = open()
  const filter = { event_types: ['order.*'] }
  const waiters = [
    notifier.join({ ...place, inbox: 'orders', filter }),
    notifier.join({ ...place, inbox: 'all' }),
    notifier.join({ ...place, workspaceId: 2, inbox: 'all' }),
    notifier.join({ ...place, inbox: 'sourced', filter: { sources: ['s'] } }),
  ]
  const followers = [notifier.follow(1, filter), notifier.follow(1, {})]
  const woken = watch([...waiters, ...followers])
  await settle()
  tell(appended('user.made'))
  await settle()
  assert.deepEqual(new Set(woken), new Set([1, 5]))
  tell(appended('order.made'))
  await settle()
  assert.deepEqual(new Set(woken), new Set([0, 1, 4, 5]))
  notifier.close()
})

test('an aborted wait ends, and an alarm wakes the head of the queue', async () => {
  const { notifier } = open()
  const gone = new AbortController()
  const waiter = notifier.join(place)
  const waiting = waiter.wait(longMs, gone.signal)
  gone.abort()
  await waiting
  waiter.leave()
  const later = notifier.join(place)
  const alarmed = later.wait(longMs, never)
  later.wakeIn(1)
  await alarmed
  later.leave()
  notifier.close()
  await notifier.join(place).wait(longMs, never)
})
