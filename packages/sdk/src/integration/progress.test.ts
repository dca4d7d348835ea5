import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createContext } from './context.ts'
import { createProgress, type ProgressReport } from './progress.ts'

function report() {
  const seen: ProgressReport[] = []
  let now = 0
  const progress = createProgress({ onProgress: (one) => void seen.push(one), nowMs: () => now })
  return { seen, progress, wait: (ms: number) => void (now += ms) }
}

test('a fraction, or so many of so many, with a message of a length that can be shown', () => {
  const { seen, progress, wait } = report()
  progress(0.5, 'half')
  wait(200)
  progress({ done: 3, total: 10 })
  wait(200)
  progress({ done: 7 }, 'x'.repeat(1000))
  assert.deepEqual(seen, [
    { done: 0.5, total: 1, message: 'half' },
    { done: 3, total: 10, message: null },
    { done: 7, total: null, message: 'x'.repeat(500) },
  ])
})

test('calls that follow each other closely are left out, but the last step comes through, once', () => {
  const { seen, progress } = report()
  for (let done = 0; done <= 1000; done += 1) progress({ done, total: 1000 })
  for (let again = 0; again < 3; again += 1) progress(1)
  assert.deepEqual(
    seen.map(({ done }) => done),
    [0, 1000],
  )
})

test('what is no place between 0 and the end is refused', () => {
  const { progress } = report()
  for (const at of [-0.1, 1.1, Number.NaN, Number.POSITIVE_INFINITY, { done: 11, total: 10 }, { done: Number.NaN }])
    assert.throws(() => progress(at), RangeError, JSON.stringify(at))
})

test('a context where nobody waits takes it, and does nothing', () => {
  createContext().progress(0.5, 'half')
})
