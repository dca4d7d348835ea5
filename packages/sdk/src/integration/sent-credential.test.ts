import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { Integration, createContext } from '../integration.ts'
import { createVendor, mockContext, type Vendor } from '../testing.ts'
import { checkConfig } from './config.ts'

let vendor: Vendor
before(async () => {
  vendor = await createVendor()
  vendor.on('GET /here', { json: {} })
  vendor.on('GET /away', { status: 302, headers: { location: 'https://elsewhere.example.com/here?of=theirs' } })
  vendor.on('GET /again', { status: 302, headers: { location: '/here' } })
})
after(() => vendor.close())

const api = 'https://api.example.com'

/** What a request carries, made with these credentials. */
async function sent(auth: unknown, credentials: Record<string, unknown>, url = `${api}/here`) {
  const { config, errors } = checkConfig({
    name: 'a',
    version: '1.0.0',
    description: 'b',
    actions: {},
    hosts: ['api.example.com'],
    auth,
  })
  assert.ok(config, JSON.stringify(errors))
  await mockContext({ vendor, auth: credentials, config }).fetch(url)
  const { headers, query } = vendor.requests.at(-1) ?? assert.fail()
  return { headers, query: Object.fromEntries(query) }
}

const basic = (text: string): string => `Basic ${Buffer.from(text).toString('base64')}`

describe('credentials that context.fetch sends by itself', () => {
  it('sends keys, tokens and passwords as the configuration says', async () => {
    const key = { api_key: 'k-1' }
    assert.equal((await sent({ type: 'api_key', name: 'X-Api-Key' }, key)).headers['x-api-key'], 'k-1')
    const prefixed = { type: 'api_key', name: 'Authorization', prefix: 'Token ' }
    assert.equal((await sent(prefixed, key)).headers['authorization'], 'Token k-1')
    assert.deepEqual((await sent({ type: 'api_key', in: 'query', name: 'key' }, key)).query, { key: 'k-1' })
    assert.equal((await sent({ type: 'bearer' }, { token: 't' })).headers['authorization'], 'Bearer t')
    const user = { username: 'ada', password: 'pä:ss' }
    assert.equal((await sent({ type: 'basic' }, user)).headers['authorization'], basic('ada:pä:ss'))
    assert.equal((await sent({ type: 'basic' }, { username: 'k' })).headers['authorization'], basic('k:'))
    const custom = { type: 'custom', fields: { type: 'object' } }
    assert.equal((await sent(custom, { token: 't' })).headers['authorization'], undefined)
  })

  it('sends by the method that is named, or that fits', async () => {
    const auth = {
      methods: {
        old: { type: 'api_key', name: 'X-Old' },
        new: { type: 'api_key', name: 'X-New' },
        app: { type: 'oauth2', provider: 'github' },
      },
    }
    const credentials = { api_key: 'k' }
    assert.equal((await sent(auth, credentials)).headers['x-old'], 'k')
    const named = await sent(auth, { auth_type: 'ApiKey', method: 'new', credentials })
    assert.deepEqual([named.headers['x-old'], named.headers['x-new']], [undefined, 'k'])
    const token = { auth_type: 'PlatformOauth2', method: 'app', credentials: { access_token: 't' } }
    assert.equal((await sent(auth, token)).headers['authorization'], 'Bearer t')
    assert.equal((await sent(auth, { auth_type: 'ApiKey', credentials })).headers['x-old'], 'k')
  })

  it('keeps what the handler has set itself', async () => {
    const auth = { type: 'api_key', in: 'query', name: 'key' }
    assert.deepEqual((await sent(auth, { api_key: 'k' }, `${api}/here?key=own`)).query, { key: 'own' })
  })

  it('sends no key to other hosts, nor along with a redirect', async () => {
    const auth = { type: 'api_key', in: 'query', name: 'key' }
    assert.deepEqual((await sent(auth, { api_key: 'k' }, 'https://elsewhere.example.com/here')).query, {})
    assert.deepEqual((await sent(auth, { api_key: 'k' }, `${api}/away`)).query, { of: 'theirs' })
    assert.deepEqual((await sent(auth, { api_key: 'k' }, `${api}/again`)).query, {})
    const named = { type: 'api_key', name: 'X-Whatever' }
    assert.equal((await sent(named, { api_key: 'k' }, `${api}/away`)).headers['x-whatever'], undefined)
  })
})

describe('running with one of several methods', () => {
  it('refuses credentials that are not those of the method', async () => {
    const open = { type: 'object' }
    const integration = Integration.from({
      name: 'a',
      version: '1.0.0',
      description: 'b',
      auth: { methods: { token: { type: 'bearer' }, app: { type: 'oauth2', provider: 'github' } } },
      actions: { who: { description: 'c', input_schema: open, output_schema: open } },
    })
    integration.action('who', (_, { auth }) => ({ data: { type: auth.auth_type, method: auth.method } }))
    const run = (auth: Record<string, unknown>) => integration.executeAction('who', {}, createContext({ auth }))
    const fine = await run({ auth_type: 'ApiKey', method: 'token', credentials: { token: 't' } })
    assert.deepEqual(fine.result, { data: { type: 'ApiKey', method: 'token' }, cost_usd: null })
    const swapped = await run({ auth_type: 'ApiKey', method: 'token', credentials: { access_token: 't' } })
    assert.equal(swapped.type, 'validation_error')
    assert.equal((await run({ access_token: 't' })).type, 'action')
  })
})
