import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { toSnapshot } from './snapshot.ts'

test('a snapshot is what JSON would carry, and shares nothing with the original', () => {
  fc.assert(
    fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (data) => {
      const { copy, faults } = toSnapshot(data)
      assert.deepEqual(faults, [])
      assert.equal(JSON.stringify(copy), JSON.stringify(data))
      for (const [key, value] of Object.entries(copy)) {
        if (typeof value === 'object' && value !== null) assert.notEqual(value, data[key])
      }
    }),
  )
})

test('dates are written, undefined is left out, and a member named __proto__ is only a member', () => {
  const data = {
    at: new Date(0),
    none: undefined,
    list: [undefined, 1],
    ...JSON.parse('{"__proto__":{"polluted":true}}'),
  }
  Object.defineProperty(data, '__proto__', { value: { polluted: true }, enumerable: true })
  const { copy, faults } = toSnapshot(data)
  assert.deepEqual(faults, [])
  assert.equal(JSON.stringify(copy), '{"at":"1970-01-01T00:00:00.000Z","list":[null,1],"__proto__":{"polluted":true}}')
  assert.equal(Reflect.get({}, 'polluted'), undefined)
})

test('what JSON would lose or change on the quiet is refused by place', () => {
  const holding: Record<string, unknown> = {}
  holding['self'] = holding
  const data = { n: NaN, big: 1n, list: [0, Infinity], deep: { map: new Map(), run: () => 1, sign: Symbol('x') } }
  assert.deepEqual(
    toSnapshot(data).faults.map(({ pointer }) => pointer),
    ['/n', '/big', '/list/1', '/deep/map', '/deep/run', '/deep/sign'],
  )
  assert.match(toSnapshot(holding).faults[0]?.detail ?? '', /nested deeper than 128, or holds itself/)
  for (const nothing of [null, undefined, [], 'text', 7]) assert.equal(toSnapshot(nothing).faults.length, 1)
})

test('128 levels are as deep as the hub goes', () => {
  const nest = (levels: number): object => (levels === 1 ? {} : { a: nest(levels - 1) })
  assert.deepEqual(toSnapshot(nest(128)).faults, [])
  assert.equal(toSnapshot(nest(129)).faults.length, 1)
})

test('a payload that the hub would not take is refused at once, to the byte', () => {
  const around = '{"text":""}'.length
  assert.deepEqual(toSnapshot({ text: 'x'.repeat(262_144 - around) }).faults, [])
  assert.match(toSnapshot({ text: 'x'.repeat(262_145 - around) }).faults[0]?.detail ?? '', /has 262145 bytes/)
  assert.match(toSnapshot({ text: 'ü'.repeat(131_072) }).faults[0]?.detail ?? '', /262,144/)
})
