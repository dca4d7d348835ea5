import assert from 'node:assert/strict'
import { test } from 'node:test'
import { toColumnName, toShortName, toTableName } from './names.ts'

const vectors: readonly (readonly [name: string, column: string, table: string])[] = [
  ['userData', 'user_data', 'user_data'],
  ['user.data', 'user_data', 'user_data'],
  ['user-data', 'user_data', 'user_data'],
  ['API2Key', 'api_2_key', 'api_2_key'],
  ['HTTPServer', 'httpserver', 'httpserver'],
  ['Order ID', 'order_id', 'order_id'],
  ['_bool', '_bool', 'bool'],
  ['$id', '_id', 'id'],
  ['1st', '1_st', '1_st'],
  ['a  b', 'a_b', 'a_b'],
  ['naïve', 'naive', 'naive'],
  ['updatedAt', 'updated_at', 'updated_at'],
  ['Straße', 'strasse', 'strasse'],
  ['a1B2', 'a_1_b_2', 'a_1_b_2'],
  ['__x', '_x', 'x'],
  ['_1', '_1', '_1'],
]

for (const [name, column, table] of vectors) {
  test(`${name} is ${column}, and as a table ${table}`, () => {
    assert.equal(toColumnName(name, 'fivetran'), column)
    assert.equal(toTableName(name, 'fivetran'), table)
    // Whoever names a name again changes nothing.
    assert.equal(toColumnName(column, 'fivetran'), column)
  })
}

test('names of the source stay as they are', () => {
  assert.equal(toColumnName('userData', 'source'), 'userData')
  assert.equal(toTableName('_User Data', 'source'), '_User Data')
})

test('a long name is cut, and stays another than its neighbour', () => {
  const [left, right] = [`${'ü'.repeat(40)}a`, `${'ü'.repeat(40)}b`].map((name) => toShortName(name, 63))
  assert.ok(left && right && left !== right)
  assert.ok(Buffer.byteLength(left) <= 63)
  assert.equal(toShortName('short', 63), 'short')
  assert.equal(toShortName('x'.repeat(500), undefined).length, 500)
})
