import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { createConfig, lintFromString } from '@redocly/openapi-core'
import { toOpenapi } from './openapi.ts'
import { routes } from './routes.ts'

const document = toOpenapi('1.2.3', 'http://127.0.0.1:8000')

/** Every member of the document named `name`, wherever it stands. */
function collect(value: unknown, name: string): unknown[] {
  if (typeof value !== 'object' || value === null) return []
  return Object.entries(value).flatMap(([key, item]) => [...(key === name ? [item] : []), ...collect(item, name)])
}

describe('OpenAPI document', () => {
  it('is accepted by a public linter, by its recommended rules, without a warning', async () => {
    const config = await createConfig({ extends: ['recommended'] })
    const found = await lintFromString({ source: JSON.stringify(document), absoluteRef: 'openapi.json', config })
    assert.deepEqual(
      found.map(({ ruleId, message, location }) => `${ruleId}: ${message} at ${location[0]?.pointer}`),
      [],
    )
  })

  it('is noticed by that linter when it is broken', async () => {
    const config = await createConfig({ extends: ['recommended'] })
    const source = JSON.stringify({ ...document, components: {} })
    const found = await lintFromString({ source, absoluteRef: 'openapi.json', config })
    assert.ok(found.some(({ ruleId }) => ruleId === 'no-unresolved-refs'))
  })

  it('has every route under its name', () => {
    assert.deepEqual(collect(document, 'operationId').map(String).toSorted(), Object.keys(routes).toSorted())
  })

  it('says where it is reached and which version it describes', () => {
    assert.deepEqual(document['servers'], [{ url: 'http://127.0.0.1:8000' }])
    assert.ok(collect(document, 'version').includes('1.2.3'))
  })

  it('describes a payload as an object, and refuses unknown members where the hub does', () => {
    const schemas = collect(document, 'NewEvent')
    assert.equal(schemas.length, 1)
    const text = JSON.stringify(schemas[0])
    assert.match(text, /"payload":\{"type":"object"\}/)
    assert.match(text, /"additionalProperties":false/)
  })
})
