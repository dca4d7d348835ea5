import assert from 'node:assert/strict'
import { test } from 'node:test'
import { median, percentile, toFigure, toRatios, toVerdict } from './figure.ts'

test('the median of an odd and of an even number of rounds', () => {
  assert.equal(median([5, 1, 3]), 3)
  assert.equal(median([4, 1, 3, 2]), 2.5)
})

test('a percentile is one of the values, the highest at most', () => {
  const values = Array.from({ length: 100 }, (_, index) => index + 1)
  assert.equal(percentile(values, 0.99), 100)
  assert.equal(percentile(values, 0.5), 51)
  assert.equal(percentile([7], 0.99), 7)
})

test('ratios pair the rounds; the median of the ratios counts', () => {
  assert.deepEqual(toRatios([10, 30], [20, 20]), [0.5, 1.5])
  const figure = { path: 'p', against: 'r', unit: '×', details: [] }
  assert.equal(toFigure({ ...figure, rounds: [0.5, 1.5, 0.7] }).value, 0.7)
})

test('a bar is reached from its side', () => {
  const higher = { must: 0.6, aim: 0.9, better: 'higher' } as const
  assert.deepEqual(
    [0.59, 0.6, 0.89, 0.9].map((value) => toVerdict({ value, bar: higher })),
    ['missed', 'met', 'met', 'aim'],
  )
  const lower = { must: 20, aim: 5, better: 'lower' } as const
  assert.deepEqual(
    [21, 20, 5].map((value) => toVerdict({ value, bar: lower })),
    ['missed', 'met', 'aim'],
  )
  assert.equal(toVerdict({ value: 1 }), 'info')
})
