import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Budget, Cost, Event, Run, RunResult } from '@sluice/protocol'
import { openTestHub, type CallOptions, type TestHub } from '../test-hub.ts'

const integrations = new URL('../test-integrations', import.meta.url).pathname
const dayMs = 86_400_000

async function openHub(): Promise<TestHub> {
  const t = await openTestHub({ integrations })
  for (const key of ['mine', 'other'])
    await t.call('PUT', `/v1/connections/${key}`, { body: { integration: 'echo', credentials: { api_key: 'k' } } })
  return t
}

const order = (word: string, connection = 'mine', options: CallOptions = {}): CallOptions => ({
  ...options,
  body: { inputs: { word }, connection },
})
const sayPath = '/v1/integrations/echo/actions/say'
const say = (t: TestHub, ...given: Parameters<typeof order>) => t.call<RunResult>('POST', sayPath, order(...given))
const costs = async (t: TestHub, query = ''): Promise<Cost[]> =>
  (await t.call<{ costs: Cost[] }>('GET', `/v1/costs?${query}`)).body.costs
const runs = async (t: TestHub, query = ''): Promise<Run[]> =>
  (await t.call<{ runs: Run[] }>('GET', `/v1/runs?${query}`)).body.runs
const putBudget = (t: TestHub, key: string, body: object) => t.call<Budget>('PUT', `/v1/budgets/${key}`, { body })
const daily = { period: 'day', on_exceeded: 'refuse' }

async function budgetEvents(t: TestHub): Promise<Event[]> {
  const { body } = await t.call<{ events: Event[] }>('GET', '/v1/events?limit=50')
  return body.events.filter(({ event_type: type }) => type.startsWith('sluice.budget.'))
}

test('runs are listed with what they were, and their costs are added up', async () => {
  await using t = await openHub()
  const bob = { key: await t.makeKey({ user_id: 'bob', role: 'creator' }) }
  await say(t, 'hello')
  await say(t, 'no', 'other')
  t.advance(dayMs)
  await say(t, 'hello', 'mine', bob)
  await t.call('POST', '/v1/integrations/echo/actions/crash', { body: { connection: 'mine' } })
  await t.call('POST', '/mcp', {
    body: {
      jsonrpc: '2.0',
      id: 1,
      method: 'tools/call',
      params: { name: 'echo_say', arguments: { word: 'a', connection: 'mine' } },
    },
  })
  const listed = await runs(t)
  assert.deepEqual(
    listed.map((run) => [run.door, run.action, run.connection, run.user_id, run.type, run.cost_usd]),
    [
      ['mcp', 'say', 'mine', 'admin', 'action', 0.001],
      ['http', 'crash', 'mine', 'admin', 'crashed', null],
      ['http', 'say', 'mine', 'bob', 'action', 0.001],
      ['http', 'say', 'other', 'admin', 'action_error', 0.01],
      ['http', 'say', 'mine', 'admin', 'action', 0.001],
    ],
  )
  assert.deepEqual([listed[4]?.at, listed[2]?.at], ['2026-01-01T00:00:00.000Z', '2026-01-02T00:00:00.000Z'])
  assert.deepEqual(
    (await runs(t, 'user=bob&type=action&limit=1')).map(({ user_id: user }) => user),
    ['bob'],
  )
  assert.deepEqual(await costs(t), [{ group: 'echo', runs: 5, unpriced: 1, cost_usd: 0.013 }])
  assert.deepEqual(await costs(t, 'group_by=connection'), [
    { group: 'mine', runs: 4, unpriced: 1, cost_usd: 0.003 },
    { group: 'other', runs: 1, unpriced: 0, cost_usd: 0.01 },
  ])
  assert.deepEqual(await costs(t, 'group_by=day&to=2026-01-01'), [
    { group: '2026-01-01', runs: 2, unpriced: 0, cost_usd: 0.011 },
  ])
  assert.deepEqual(await costs(t, 'group_by=user&from=2026-01-02&user=bob'), [
    { group: 'bob', runs: 1, unpriced: 0, cost_usd: 0.001 },
  ])
  assert.equal((await t.fail('GET', '/v1/costs?from=2026-02-01&to=2026-01-01')).error_code, 'validation-error')
})

test('pages of costs and runs follow one another', async () => {
  await using t = await openHub()
  for (const connection of ['mine', 'other', 'mine']) await say(t, 'a', connection)
  for (const [path, member] of [
    ['/v1/costs?group_by=connection&limit=1', 'costs'],
    ['/v1/runs?limit=2', 'runs'],
  ] as const) {
    type Listed = Record<string, object[]> & { pagination: { next_cursor: string } }
    const { body } = await t.call<Listed>('GET', path)
    const next = await t.call<Listed>('GET', `${path}&cursor=${body.pagination.next_cursor}`)
    assert.equal(next.body[member]?.length, 1)
    assert.notDeepEqual(next.body[member], body[member])
  }
})

test('sums are exact where sums of fractions are not', async () => {
  await using t = await openHub()
  await Promise.all(Array.from({ length: 10 }, () => say(t, 'a')))
  for (let count = 0; count < 3; count += 1) await say(t, 'no')
  assert.equal((await costs(t))[0]?.cost_usd, 0.04)
})

test('a budget refuses runs once it is used up, says when it opens again, and opens again', async () => {
  await using t = await openHub()
  assert.equal((await putBudget(t, 'all', { limit_usd: 0.01, ...daily })).status, 201)
  await say(t, 'no')
  const refused = await t.fail('POST', sayPath, order('a'))
  assert.deepEqual([refused.status, refused.error_code], [402, 'budget-exceeded'])
  assert.match(refused.detail ?? '', /budget "all" is used up: 0.01 of 0.01 USD a day; it opens again at 2026-01-02T00/)
  assert.equal((await runs(t)).length, 1)
  assert.equal((await t.call<Budget>('GET', '/v1/budgets/all')).body.state, 'exceeded')
  t.advance(dayMs)
  assert.equal((await say(t, 'a')).status, 200)
  assert.equal((await t.call<Budget>('GET', '/v1/budgets/all')).body.spent_usd, 0.001)
})

test('a budget counts the runs that it names, and no others', async () => {
  await using t = await openHub()
  const nobody = { limit_usd: 0, ...daily }
  const cases: readonly (readonly [match: object, isRefused: boolean])[] = [
    [{}, true],
    [{ integration: 'echo' }, true],
    [{ action: 'echo.say' }, true],
    [{ connection: 'mine', user: 'admin' }, true],
    [{ integration: 'vendor' }, false],
    [{ action: 'echo.crash' }, false],
    [{ action: 'say' }, false],
    [{ connection: 'other' }, false],
    [{ user: 'bob' }, false],
    [{ integration: 'vendor', action: 'echo.say' }, false],
  ]
  for (const [match, isRefused] of cases) {
    await putBudget(t, 'some', { ...nobody, match })
    assert.equal((await say(t, 'a')).status, isRefused ? 402 : 200, JSON.stringify(match))
  }
})

test('what was spent before a budget was made counts', async () => {
  await using t = await openHub()
  await say(t, 'no')
  const { body } = await putBudget(t, 'late', { limit_usd: 0.0125, period: 'month', on_exceeded: 'warn' })
  assert.deepEqual([body.spent_usd, body.state, body.opens_at], [0.01, 'near', '2026-02-01T00:00:00.000Z'])
})

test('near and exceeded are told once in a period each, also where nothing is refused', async () => {
  await using t = await openHub()
  await putBudget(t, 'warned', { limit_usd: 0.02, period: 'day', on_exceeded: 'warn' })
  await say(t, 'no')
  assert.deepEqual(await budgetEvents(t), [])
  for (let count = 0; count < 6; count += 1) await say(t, 'a')
  await say(t, 'no')
  await Promise.all([say(t, 'a'), say(t, 'a'), say(t, 'no')])
  const told = await budgetEvents(t)
  assert.deepEqual(
    told.map(({ event_type: type, payload }) => [type, payload['budget'], payload['spent_usd'], payload['limit_usd']]),
    [
      ['sluice.budget.exceeded', 'warned', 0.026, 0.02],
      ['sluice.budget.near', 'warned', 0.016, 0.02],
    ],
  )
  t.advance(dayMs)
  await say(t, 'no')
  await say(t, 'no')
  assert.equal((await budgetEvents(t)).length, 3)
})

test('budgets that mean nothing are refused, and changes are noted', async () => {
  await using t = await openHub()
  const budget = { limit_usd: 1, ...daily }
  const bad: readonly (readonly [change: object, pointer: string])[] = [
    [{ limit_usd: -1 }, '/limit_usd'],
    [{ limit_usd: 0.0000001 }, '/limit_usd'],
    [{ period: 'week' }, '/period'],
    [{ on_exceeded: undefined }, '/on_exceeded'],
    [{ match: { key: 'x' } }, '/match/key'],
  ]
  for (const [change, pointer] of bad) {
    const { errors } = await t.fail('PUT', '/v1/budgets/b', { body: { ...budget, ...change } })
    assert.deepEqual(
      errors?.map((fault) => fault.pointer),
      [pointer],
    )
  }
  assert.equal((await t.fail('PUT', '/v1/budgets/A%20b', { body: budget })).error_code, 'validation-error')
  assert.equal((await putBudget(t, 'b', budget)).status, 201)
  assert.equal((await putBudget(t, 'b', budget)).status, 200)
  assert.equal((await putBudget(t, 'b', { ...budget, limit_usd: 2 })).body.limit_usd, 2)
  await t.call('DELETE', '/v1/budgets/b')
  assert.equal((await t.fail('GET', '/v1/budgets/b')).status, 404)
  const { body } = await t.call<{ entries: { verb: string }[] }>('GET', '/v1/audit')
  assert.deepEqual(
    body.entries.map(({ verb }) => verb).filter((verb) => verb.startsWith('budget.')),
    ['budget.remove', 'budget.change', 'budget.create'],
  )
})
