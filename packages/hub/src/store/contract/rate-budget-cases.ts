import assert from 'node:assert/strict'
import { grantMs, type Rank, type TakeOrder } from '../rate-budgets.ts'
import type { ContractCases, Stage } from './stage.ts'

const minuteMs = 60_000
const spanMs = minuteMs + grantMs
const declared = { requests: 10, perMs: minuteMs }
const wide = { requests: 100, perMs: minuteMs }

const take = ({ store, id }: Stage, order: Partial<TakeOrder> = {}, connection = 'main') =>
  store.rateBudgets.take(id, connection, { want: 1, rank: 0, declared, ...order })

export const rateBudgetCases: ContractCases = {
  'no more is granted in any span than its requests, however they are taken': async (stage) => {
    const taken = await Promise.all([4, 4, 4].map((want) => take(stage, { want })))
    assert.equal(
      taken.reduce((sum, { granted }) => sum + granted, 0),
      10,
    )
    stage.advance(spanMs / 2)
    const { granted, waitMs } = await take(stage)
    assert.equal(granted, 0)
    assert.ok(waitMs > 0 && waitMs <= spanMs / 2 + 1, String(waitMs))
    stage.advance(waitMs)
    assert.equal((await take(stage, { want: 99 })).granted, 10)
  },

  'what comes free with time is granted again, no sooner': async (stage) => {
    await take(stage, { want: 6 })
    stage.advance(minuteMs / 2)
    await take(stage, { want: 4 })
    stage.advance(minuteMs / 2 + grantMs)
    assert.equal((await take(stage, { want: 99 })).granted, 6)
    assert.equal((await take(stage)).granted, 0)
  },

  'accounts have their own, and without a limit there is none': async (stage) => {
    await take(stage, { want: 10 })
    assert.equal((await take(stage, {}, 'other')).granted, 1)
    assert.equal((await take(stage, { want: 1000, declared: undefined }, 'free')).granted, 1000)
    const { workspace } = await stage.store.ensureWorkspace('rate-neighbour')
    const order = { want: 1, rank: 0, declared } as const
    assert.equal((await stage.store.rateBudgets.take(workspace.id, 'main', order)).granted, 1)
  },

  'the less urgent leave something to the more urgent': async (stage) => {
    const granted = []
    for (const rank of [3, 2, 1, 0] as const satisfies readonly Rank[]) {
      granted.push((await take(stage, { want: 1000, rank, declared: wide })).granted)
    }
    assert.deepEqual(granted, [80, 10, 5, 5])
  },

  'nobody is granted anything while somebody more urgent waits': async (stage) => {
    const small = { requests: 2, perMs: 1000 }
    await take(stage, { want: 2, declared: small })
    assert.equal((await take(stage, { declared: small })).granted, 0)
    stage.advance(1900)
    assert.equal((await take(stage, { rank: 3, declared: small })).granted, 0)
    stage.advance(200)
    assert.equal((await take(stage, { rank: 3, declared: small })).granted, 1)
  },

  'a refusal of the service holds everybody until its time': async (stage) => {
    await stage.store.rateBudgets.learn(stage.id, 'main', { holdMs: 30_000 })
    assert.deepEqual((await take(stage)).waitMs, 30_000)
    stage.advance(30_000)
    assert.equal((await take(stage)).granted, 1)
    await stage.store.rateBudgets.learn(stage.id, 'free', { left: { requests: 0, resetMs: 5000 } })
    assert.deepEqual(await take(stage, { declared: undefined }, 'free'), { granted: 0, waitMs: 5000, limit: undefined })
  },

  'what the service says of its limit goes before what is declared, and is shared': async (stage) => {
    await stage.store.rateBudgets.learn(stage.id, 'main', { limit: { requests: 3, perMs: minuteMs } })
    assert.equal((await take(stage, { want: 99 })).granted, 3)
  },

  'what others have used of the account counts until the service begins anew': async (stage) => {
    await take(stage, { want: 2, declared: undefined })
    const left = { requests: 4, resetMs: 20_000 }
    await stage.store.rateBudgets.learn(stage.id, 'main', { limit: declared, left })
    assert.equal((await take(stage, { want: 99 })).granted, 4)
    stage.advance(20_000)
    assert.equal((await take(stage, { want: 99 })).granted, 6)
  },
}
