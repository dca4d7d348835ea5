import assert from 'node:assert/strict'
import { test } from 'node:test'
import { defineConnector } from './define.ts'

// What these hold is what the compiler says: each line that must not compile says so.
test('configuration, state and rows have the types of their declaration', () => {
  const connector = defineConnector({
    name: 'typed',
    configuration: {
      token: 'secret',
      size: { type: 'number', default: '1' },
      live: { type: 'boolean', optional: true },
      tags: 'list',
    },
    state: { offset: 0, from: '' },
    schema: ({ size }) => {
      size.toFixed(0)
      return [
        { table: 'orders', primary_key: ['id'], columns: { id: 'LONG', total: 'DECIMAL(10,2)', at: 'UTC_DATETIME' } },
        { table: 'people' },
      ]
    },
    async update({ configuration, state, op }) {
      const [token, live, tags]: [string, boolean | undefined, readonly string[]] = [
        configuration.token,
        configuration.live,
        configuration.tags,
      ]
      // @ts-expect-error -- nobody declared it
      assert.equal(configuration.other, undefined)
      await op.upsert('orders', { id: 1n, total: '1.50', at: new Date(), more: [token, live, tags] })
      await op.upsert('people', { anything: {} })
      // @ts-expect-error -- there is no such table
      await op.upsert('order', { id: 1 })
      // @ts-expect-error -- no id of that type
      await op.upsert('orders', { id: true })
      await op.update('orders', { id: 1, at: null })
      await op.checkpoint({ offset: state.offset + 1, from: state.from })
      // @ts-expect-error -- the state has both members
      await op.checkpoint({ offset: 1 })
    },
  })
  assert.equal(connector.name, 'typed')
})

test('tables that are known only when it runs may have any name', () => {
  defineConnector({
    name: 'open',
    configuration: { tables: 'list' },
    schema: ({ tables }) => tables.map((table) => ({ table })),
    update: async ({ op }) => op.upsert('whatever', { a: 1 }),
  })
})

test('a name that is none is refused at once', () => {
  for (const name of ['', 'People', 'people-ai', '1st'])
    assert.throws(() => defineConnector({ name, schema: () => [], update: async () => {} }), TypeError)
})
