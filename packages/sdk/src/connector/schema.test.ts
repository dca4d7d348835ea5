import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseSchema, type NameOptions } from './schema.ts'

const names: NameOptions = { naming: 'fivetran', reserved: ['_fivetran_synced', '_fivetran_deleted', '_fivetran_id'] }

test('a table has its names, types and policies', () => {
  const [table] = parseSchema(
    [{ table: 'userData', primary_key: ['id'], columns: { id: 'long', total: 'DECIMAL(10,2)' }, nested: 'flatten' }],
    names,
  )
  assert.equal(table?.name, 'user_data')
  assert.deepEqual(
    table?.types,
    new Map([
      ['id', 'LONG'],
      ['total', 'DECIMAL(10,2)'],
    ]),
  )
  assert.deepEqual(table?.contract, { columns: 'evolve', types: 'evolve' })
})

const faults: readonly (readonly [unknown, RegExp])[] = [
  ['orders', /must answer a list/],
  [[{}], /"table" is missing/],
  [['orders'], /a table must be an object/],
  [[{ table: 'a', primary_keys: ['id'] }], /a: "primary_keys" is no member/],
  [[{ table: 'a' }, { table: 'a' }], /Table already defined: a/],
  [[{ table: 'userData' }, { table: 'user.data' }], /tables userData and user\.data would both be user_data/],
  [[{ table: '漢字' }], /nothing is left of the name/],
  [[{ table: 'a', primary_key: 'id' }], /primary_key must be a list/],
  [[{ table: 'a', primary_key: ['id', 'id'] }], /primary_key must be a list of column names, each once/],
  [[{ table: 'a', columns: { x: 'DECIMAL' } }], /column x: DECIMAL needs precision/],
  [
    [{ table: 'a', columns: { userData: 'STRING', user_data: 'STRING' } }],
    /columns userData and user_data would both be user_data/,
  ],
  [[{ table: 'a', columns: { _fivetran_id: 'STRING' } }], /which the destination keeps for itself/],
  [[{ table: 'a', nested: 'maybe' }], /nested must be one of json, flatten, child_tables/],
  [[{ table: 'a', contract: { types: 'no' } }], /contract must be one of evolve/],
  [[{ table: 'a', max_delete_share: 2 }], /max_delete_share must be a number from 0 to 1/],
]

for (const [schema, message] of faults) {
  test(`${JSON.stringify(schema)} is refused`, () => {
    assert.throws(() => parseSchema(schema, names), { kind: 'bug', message })
  })
}
