import assert from 'node:assert/strict'
import { test } from 'node:test'
import { defineConnector, oauth2ClientCredentials, offsetPages } from '../connector.ts'
import { openDuckDb, runConnector } from '../sync.ts'
import { createVendor } from '../testing.ts'

test('pages of a service become a table, and its 64-bit integers stay exact', async () => {
  await using vendor = await createVendor()
  vendor.on('POST /auth/v1/tokens', { json: { access_token: 't1', token_type: 'bearer' } })
  vendor.on('GET /v0/users', ({ query, headers }) => {
    if (headers['authorization'] !== 'Bearer t1') return { status: 401 }
    const rows = Number(query.get('offset')) > 0 ? '' : '{"id":9007199254740993,"n":1},{"id":1,"n":2.5}'
    return { text: `{"data":[${rows}]}`, headers: { 'content-type': 'application/json' } }
  })
  const connector = defineConnector({
    name: 'tiny',
    configuration: { key: 'secret' },
    state: { offset: 0 },
    schema: () => [{ table: 'users', primary_key: ['id'] }],
    async update({ op, http, state, configuration }) {
      const tokens = { tokenUrl: `${vendor.url}/auth/v1/tokens`, clientId: 'a', clientSecret: configuration.key }
      const api = http({ baseUrl: vendor.url, auth: oauth2ClientCredentials(tokens) })
      for await (const { rows, nextOffset } of offsetPages(api, '/v0/users', { limit: 10, offset: state.offset })) {
        for (const row of rows) await op.upsert('users', row)
        await op.checkpoint({ offset: nextOffset })
      }
    },
  })
  const result = await runConnector({
    connector,
    configuration: { key: 'abcdef' },
    destination: (options) => openDuckDb({ file: ':memory:', ...options }),
  })
  assert.deepEqual(result, {
    status: 'succeeded',
    operations: { upserts: 2, updates: 0, deletes: 0, truncates: 0, schema_changes: 2, checkpoints: 1 },
    tables: { users: { rows: 2 } },
    state: { offset: 2 },
  })
})
