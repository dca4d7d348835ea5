import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createRateBudgets as createStored } from '../../store/sqlite/rate-budgets.ts'
import type { RateBudgets as Stored } from '../../store/rate-budgets.ts'
import { createRateBudgets, type Asking } from './rate-budgets.ts'

const limit = { requests: 20, perMs: 60_000 }
const ada: Asking = { workspaceId: 1, connection: 'main', declared: limit, rank: 0, user: 'ada' }
const bulk: Asking = { ...ada, rank: 3, user: 'bulk' }

function open() {
  let now = 0
  let takes = 0
  const kept = createStored(() => now)
  const store: Stored = {
    ...kept,
    take: (...order) => {
      takes += 1
      return kept.take(...order)
    },
  }
  const node = () => createRateBudgets(store, () => now)
  return { node, store, takes: () => takes, advance: (ms: number) => void (now += ms) }
}

const refused = { code: 'rate-limit-exceeded' }
const soon = { withinMs: 1000 }

test('leave is given until it is used up; then whoever would wait too long is told how long', async () => {
  const { node, advance } = open()
  const budgets = node()
  for (let count = 0; count < 20; count += 1) await budgets.ask(ada, soon)
  advance(41_000)
  await assert.rejects(budgets.ask(ada, soon), { ...refused, retryAfterSeconds: 20 })
  advance(20_000)
  await budgets.ask(ada, soon)
})

test('two nodes together give no more leave than one', async () => {
  const { node } = open()
  const nodes = [node(), node()]
  let given = 0
  const ask = (): Promise<void>[] => nodes.map((budgets) => budgets.ask(ada, soon).then(() => void (given += 1)))
  await Promise.allSettled(Array.from({ length: 30 }, ask).flat())
  assert.ok(given <= 20 && given >= 18, String(given))
})

test('not each request costs a question to the store', async () => {
  const { node, takes } = open()
  const budgets = node()
  const many = { ...ada, declared: { requests: 10_000, perMs: 60_000 } }
  for (let count = 0; count < 1000; count += 1) await budgets.ask(many, soon)
  assert.ok(takes() < 30, String(takes()))
  const free = { ...ada, connection: 'free', declared: undefined }
  for (let count = 0; count < 1000; count += 1) await budgets.ask(free, soon)
  assert.ok(takes() < 60, String(takes()))
})

test('bulk cannot starve a person: what it has used up leaves something, and who waits goes first', async () => {
  const { node } = open()
  const budgets = node()
  const outcomes = await Promise.allSettled(Array.from({ length: 100 }, () => budgets.ask(bulk, soon)))
  assert.equal(outcomes.filter(({ status }) => status === 'fulfilled').length, 16)
  for (let count = 0; count < 4; count += 1) await budgets.ask(ada, soon)
})

test('users of one rank take turns, whoever asked for more', async () => {
  const { node } = open()
  const budgets = node()
  const one = { ...ada, declared: { requests: 1000, perMs: 1000 } }
  const order: string[] = []
  const ask = (user: string): Promise<unknown> => budgets.ask({ ...one, user }, soon).then(() => order.push(user))
  await Promise.all([...Array.from({ length: 50 }, () => ask('eager')), ask('bob'), ask('eve')])
  assert.ok(Math.max(order.indexOf('bob'), order.indexOf('eve')) < 4, order.join(' '))
})

test('whoever gives up leaves the line, and what was not used is for others', async () => {
  const { node, store } = open()
  await store.learn(1, 'main', { holdMs: 50_000 })
  const budgets = node()
  const gone = new AbortController()
  const waiting = budgets.ask(ada, { withinMs: 60_000, signal: gone.signal })
  gone.abort(new Error('enough'))
  await assert.rejects(waiting, /enough/)
  budgets.giveBack({ ...ada, connection: 'other' })
  await budgets.ask({ ...ada, connection: 'other' }, soon)
})

test('a refusal of the service takes back the leave that a node holds', async () => {
  const { node } = open()
  const budgets = node()
  const many = { ...ada, declared: { requests: 10_000, perMs: 60_000 } }
  for (let count = 0; count < 10; count += 1) await budgets.ask(many, soon)
  await budgets.learn(many, { holdMs: 30_000 })
  await assert.rejects(budgets.ask(many, soon), { ...refused, retryAfterSeconds: 30 })
})

test('leave that is given back wakes who waits', { timeout: 900 }, async () => {
  const { node, takes } = open()
  const budgets = node()
  const one = { ...ada, declared: { requests: 1, perMs: 60_000 } }
  const long = { withinMs: 100_000 }
  await budgets.ask(one, long)
  const others = ['bob', 'eve', 'joe'].map((user) => budgets.ask({ ...one, user }, long))
  // The clock stands still: nothing else comes free.
  for (const waiting of others) {
    budgets.giveBack(one)
    await waiting
  }
  assert.ok(takes() < 6, String(takes()))
})

test('leave that is given back while the store is asked is seen before anybody is refused', async () => {
  const { node, store } = open()
  const budgets = node()
  const one = { ...ada, declared: { requests: 1, perMs: 60_000 } }
  await budgets.ask(one, soon)
  const asIs = { ...store }
  store.take = async (...order) => {
    const taken = await asIs.take(...order)
    budgets.giveBack(one)
    return taken
  }
  await budgets.ask({ ...one, user: 'bob' }, soon)
})
