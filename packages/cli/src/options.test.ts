import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { toFutureTime, toPastTime, toPlaceInTime } from './options.ts'

const now = Date.parse('2026-01-31T12:00:00Z')

function stopClock(context: TestContext): void {
  context.mock.timers.enable({ apis: ['Date'], now })
}

test('a span is so long ago where a past time is meant, and so long from now where one to come is', (context) => {
  stopClock(context)
  assert.deepEqual(['45s', '90m', '1h', '30d'].map(toPastTime), [
    '2026-01-31T11:59:15.000Z',
    '2026-01-31T10:30:00.000Z',
    '2026-01-31T11:00:00.000Z',
    '2026-01-01T12:00:00.000Z',
  ])
  assert.equal(toFutureTime('30d'), '2026-03-02T12:00:00.000Z')
})

test('a time stays itself in both, and anything else is refused with what it must be', () => {
  for (const parse of [toPastTime, toFutureTime]) {
    assert.equal(parse('2026-12-31T23:59:59+01:00'), '2026-12-31T22:59:59.000Z')
    assert.equal(parse('2026-12-31'), '2026-12-31T00:00:00.000Z')
    for (const nonsense of ['', '90', '1w', '-1h', 'yesterday', '2026-13-01', '1h30m']) {
      assert.throws(() => parse(nonsense), { message: /must be a time, as 2026-12-31T23:59:59Z, or a span/ }, nonsense)
    }
  }
})

test('where a place may be told in other words, only spans are read', (context) => {
  stopClock(context)
  assert.deepEqual(['1h', 'latest', '2026-01-01T00:00:00Z'].map(toPlaceInTime), [
    '2026-01-31T11:00:00.000Z',
    'latest',
    '2026-01-01T00:00:00Z',
  ])
})
