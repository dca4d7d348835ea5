import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readLimits } from './service-limits.ts'

const nowMs = Date.UTC(2026, 0, 1)
const read = (headers: Record<string, string>, status = 200) =>
  readLimits({ status, headers, bytes: Buffer.alloc(0) }, nowMs)

const cases: readonly (readonly [what: string, headers: Record<string, string>, limits: object | undefined])[] = [
  [
    'the fields of the standard',
    { 'ratelimit-policy': '"burst";q=100;w=60', ratelimit: '"burst";r=50;t=30' },
    { limit: { requests: 100, perMs: 60_000 }, left: { requests: 50, resetMs: 30_000 } },
  ],
  [
    'several policies: the shortest span paces, and what is left of the tightest counts',
    { 'ratelimit-policy': '"day";q=1000;w=86400, "burst";q=10;w=1', ratelimit: '"burst";r=9;t=1, "day";r=3;t=4000' },
    { limit: { requests: 10, perMs: 1000 }, left: { requests: 3, resetMs: 4_000_000 } },
  ],
  [
    'an earlier draft',
    { 'ratelimit-policy': '100;w=60', ratelimit: 'limit=100, remaining=7, reset=12' },
    { limit: { requests: 100, perMs: 60_000 }, left: { requests: 7, resetMs: 12_000 } },
  ],
  [
    'fields of their own, in seconds',
    { 'ratelimit-remaining': '0', 'ratelimit-reset': '5' },
    { left: { requests: 0, resetMs: 5000 } },
  ],
  [
    'the common ones, with a time',
    { 'x-ratelimit-remaining': '4', 'x-ratelimit-reset': String(nowMs / 1000 + 90) },
    { left: { requests: 4, resetMs: 90_000 } },
  ],
  [
    'a time that is over',
    { 'x-ratelimit-remaining': '4', 'x-ratelimit-reset': '1700000000' },
    { left: { requests: 4, resetMs: 0 } },
  ],
  ['nothing', { 'content-type': 'text/plain', 'retry-after': '5' }, undefined],
  ['what is none', { 'ratelimit-policy': 'soon', ratelimit: 'x;r=-1', 'x-ratelimit-remaining': 'a' }, undefined],
  ['a policy of nothing', { 'ratelimit-policy': '0;w=60, 5;w=0' }, undefined],
]
for (const [what, headers, limits] of cases)
  test(`limits are read from ${what}`, () => assert.deepEqual(read(headers), limits))

test('a refusal holds for as long as it says, or for a minute', () => {
  assert.deepEqual(read({ 'retry-after': '7' }, 429), { holdMs: 7000 })
  assert.deepEqual(read({}, 429), { holdMs: 60_000 })
  const left = { 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': '9' }
  assert.equal(read(left, 429)?.holdMs, 9000)
})
