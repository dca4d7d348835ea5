import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { parseMarked, toCount, toEntries, toItems, toRecord, unmark } from './php-json.ts'

/** What texts and keys are made of, with all that could be taken for something else. */
const hostile = fc.constantFrom('"', '1', ':', ',', '{', '\\', ' ', 'a')

test('what is parsed and unmarked is what JSON.parse would give', () => {
  fc.assert(
    fc.property(fc.json({ stringUnit: hostile }), (text) => {
      assert.deepEqual(unmark(parseMarked(text)), JSON.parse(text))
    }),
  )
})

test('an object by id keeps its order, whatever the ids are and whatever the texts hold', () => {
  const ids = fc.uniqueArray(fc.nat(), { minLength: 1 })
  fc.assert(
    fc.property(ids, fc.string(), (keys, text) => {
      const printed = keys.map((key) => `"${key}":${JSON.stringify({ id: String(key), text, '7': text })}`)
      const items = toItems(parseMarked(`{${printed.join(', ')}}`))
      assert.deepEqual(
        items,
        keys.map((id) => ({ id, text, '7': text })),
      )
    }),
  )
})

test('a text that looks like a key stays a text', () => {
  const keys = { '"12': 1, ',"13': { '7': 2 }, '{ \\': '"8":' }
  const value = { note: '"12": and {"13":1}, "14":', list: ['14', '15'], keys }
  for (const space of [0, 2]) assert.deepEqual(unmark(parseMarked(JSON.stringify(value, null, space))), value)
})

test('what PHP prints for nothing', () => {
  assert.deepEqual(toItems([]), [])
  assert.deepEqual(toItems(null), [])
  assert.deepEqual(toRecord([]), {})
  assert.deepEqual(toEntries([{ id: '3' }]), [['0', { id: 3 }]])
  assert.deepEqual(toEntries(parseMarked('{"4":{"id":"3"}}')), [['4', { id: 3 }]])
  assert.deepEqual(['12', 12, '', 'x', -1, null].map(toCount), [12, 12, undefined, undefined, undefined, undefined])
})
