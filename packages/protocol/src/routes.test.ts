import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { permissionsOf } from './key.ts'
import type { Route } from './route.ts'
import { routes } from './routes.ts'

const table = Object.entries<Route>(routes)

describe('route table', () => {
  it('has each address once, aliases included', () => {
    const addresses = table.flatMap(([, { method, path, alias }]) =>
      [path, ...(alias === undefined ? [] : [alias])].map((at) => `${method} ${at.replaceAll(/\{\w+\}/g, '{}')}`),
    )
    assert.deepEqual(
      addresses.filter((address, index) => addresses.indexOf(address) !== index),
      [],
    )
  })

  it('asks for a permission that some role has, or for none', () => {
    const known = new Set<string>(['open', ...Object.values(permissionsOf).flat()])
    for (const [name, { access }] of table) assert.ok(known.has(access), name)
  })

  it('leaves nothing under /v1 open, and no dialect', () => {
    for (const [name, { path, access, dialect }] of table)
      assert.equal(access === 'open', !path.startsWith('/v1/') && !dialect, name)
  })

  it('has addresses, names and answers as they should be', () => {
    for (const [name, { method, path, alias, dialect, outside, answers, body, bodyOptional, summary }] of table) {
      assert.match(name, /^[a-z]+([A-Z][a-z]+)*$/)
      assert.match(path, /^\/$|^(\/([a-z0-9.-]+|\{[a-z_]+\}))+$/, name)
      if (alias !== undefined && !dialect && !outside) assert.equal(path, `/v1${alias}`, name)
      assert.ok(summary.length > 0 && Object.keys(answers).length > 0, name)
      assert.ok(body === undefined || (method !== 'GET' && method !== 'DELETE'), name)
      assert.ok(!bodyOptional || body?.safeParse({}).success, `${name}: an empty body stands for {}`)
    }
  })

  it('answers a body unless it says 204, or to a notification of MCP, which has none', () => {
    for (const [name, { answers }] of table) {
      for (const [status, { schema, mediaType }] of Object.entries(answers))
        assert.equal(
          schema === undefined && mediaType === undefined,
          status === '204' || (name === 'callMcp' && status === '202'),
          `${name} ${status}`,
        )
    }
  })

  it('reads numbers in queries as numbers, within their limits', () => {
    const { query } = routes.peekInbox
    assert.equal(query.parse({})['limit'], 50)
    assert.equal(query.parse({ limit: '200' })['limit'], 200)
    for (const limit of ['0', '201', '1.5', 'many', '', '-1', '1e9'])
      assert.ok(!query.safeParse({ limit }).success, limit)
  })
})
