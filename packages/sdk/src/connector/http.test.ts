import assert from 'node:assert/strict'
import { after, before, beforeEach, test } from 'node:test'
import { createClock, createVendor, hold, rateLimited, type Clock, type Vendor } from '../testing.ts'
import { apiKey, basicAuth, bearerToken, oauth2ClientCredentials } from './http-auth.ts'
import { toCreateHttp, type CreateHttp } from './http.ts'
import { createLog } from './log.ts'
import { createTally } from './tally.ts'

let vendor: Vendor
let clock: Clock
let http: CreateHttp
let said: string[]
const controller = new AbortController()

before(async () => {
  vendor = await createVendor()
})
after(() => vendor.close())
beforeEach(() => {
  clock = createClock()
  said = []
  const way = {
    signal: controller.signal,
    nowMs: clock.nowMs,
    sleep: clock.sleep,
    random: () => 1,
    dispatcher: undefined,
  }
  http = toCreateHttp({ ...way, log: createLog((_, text) => said.push(text), ['s3cret']), tally: createTally().http })
})

const fieldOf = (name: string): unknown => vendor.requests.at(-1)?.headers[name]

test('paths are below the base, with what all requests have', async () => {
  vendor.on('GET /v2/users', { json: [] })
  const api = http({ baseUrl: `${vendor.url}/v2/`, headers: { 'x-all': 'yes' } })
  await api.get('/users', { params: { tag: ['a', 'b'] } })
  await api.get('users')
  assert.equal(fieldOf('x-all'), 'yes')
  assert.equal(vendor.requests.at(-2)?.query.getAll('tag').join(), 'a,b')
  assert.throws(() => http({ baseUrl: 'ftp://x' }), { kind: 'configuration' })
})

test('who it is: bearer, basic, a key in a field or in the query', async () => {
  vendor.on('GET /a', { json: [] })
  await http({ baseUrl: vendor.url, auth: bearerToken('t') }).get('/a')
  assert.equal(fieldOf('authorization'), 'Bearer t')
  await http({ baseUrl: vendor.url, auth: basicAuth('me', 'p:w') }).get('/a')
  assert.equal(fieldOf('authorization'), `Basic ${btoa('me:p:w')}`)
  await http({ baseUrl: vendor.url, auth: apiKey({ header: 'X-Api-Key', key: 'k' }) }).get('/a')
  assert.equal(fieldOf('x-api-key'), 'k')
  await http({ baseUrl: vendor.url, auth: apiKey({ param: 'key', key: 'k' }) }).get('/a')
  assert.equal(vendor.requests.at(-1)?.query.get('key'), 'k')
})

test('the proof stays with its service: another origin gets none', async () => {
  await using other = await createVendor()
  other.on('GET /a', { json: [] })
  await http({ baseUrl: vendor.url, auth: bearerToken('t') }).get(`${other.url}/a`)
  assert.equal(other.requests[0]?.headers['authorization'], undefined)
})

test('delays are as they are set, halved at most by jitter; Retry-After is heeded', async () => {
  vendor.on('GET /a', { status: 500 }, { status: 503, headers: { 'retry-after': '3' } }, rateLimited(5), { json: [] })
  await http({ baseUrl: vendor.url, retryDelaysMs: [100, 200, 300] }).get('/a')
  assert.deepEqual(clock.waits, [100, 3000, 5250])
  assert.equal(said.length, 3)
  vendor.on('GET /b', { status: 500 }, { json: [] })
  await http({ baseUrl: vendor.url, retryDelaysMs: [100], jitter: true }).get('/b')
  assert.ok((clock.waits.at(-1) ?? 0) >= 50)
})

test('a rate limit spreads requests before the service has to', async () => {
  vendor.on('GET /a', { json: [] })
  const api = http({ baseUrl: vendor.url, rateLimit: { requests: 2, perMs: 1000 } })
  for (let count = 0; count < 5; count += 1) await api.get('/a')
  assert.deepEqual(clock.waits, [1000, 1000])
  assert.throws(() => http({ baseUrl: vendor.url, rateLimit: { requests: 0, perMs: 1 } }), RangeError)
})

const credentials = () => ({ tokenUrl: `${vendor.url}/token`, clientId: 'c', clientSecret: 's3cret' })
const token = (name: string, expiresIn?: number) => ({
  json: { access_token: name, token_type: 'bearer', ...(expiresIn !== undefined && { expires_in: expiresIn }) },
})
const asked = (path: string): number => vendor.requests.filter((request) => request.path === path).length

test('many requests that need a token ask for one, and a refused one is replaced once', async () => {
  const before = asked('/token')
  const slow = hold(token('t1'))
  vendor.on('POST /token', slow.reply, token('t2'))
  vendor.on('GET /a', ({ headers }) => (headers['authorization'] === 'Bearer t2' ? { json: [] } : { status: 401 }))
  const api = http({ baseUrl: vendor.url, auth: oauth2ClientCredentials(credentials()) })
  const all = Promise.all([1, 2, 3, 4].map(() => api.get('/a')))
  await slow.reached
  slow.release()
  await all
  assert.equal(asked('/token') - before, 2)
  const form = new URLSearchParams(vendor.requests.find(({ path }) => path === '/token')?.text)
  assert.deepEqual([form.get('grant_type'), form.get('client_secret')], ['client_credentials', 's3cret'])
})

test('a token is replaced before it ends', async () => {
  const before = asked('/token')
  vendor.on('POST /token', token('t1', 100), token('t2', 100))
  vendor.on('GET /a', { json: [] })
  const api = http({ baseUrl: vendor.url, auth: oauth2ClientCredentials(credentials()) })
  await api.get('/a')
  clock.advance(49_000)
  await api.get('/a')
  assert.equal(asked('/token') - before, 1)
  clock.advance(2000)
  await api.get('/a')
  assert.equal(asked('/token') - before, 2)
  assert.equal(fieldOf('authorization'), 'Bearer t2')
})

for (const [answer, kind] of [
  [{ status: 401, json: { error: 'invalid_client' } }, 'auth'],
  [{ status: 400, json: { error: 'invalid_scope' } }, 'auth'],
  [{ status: 500 }, 'remote'],
  [{ status: 429, json: { error: 'slow_down' } }, 'rate_limit'],
] as const) {
  test(`a token endpoint that answers ${answer.status} is a failure of kind ${kind}, without the secret`, async () => {
    vendor.on('POST /token', answer)
    const api = http({ baseUrl: vendor.url, auth: oauth2ClientCredentials(credentials()), retryDelaysMs: [10] })
    await assert.rejects(api.get('/a'), (error: Error & { kind?: string }) => {
      assert.equal(error.kind, kind)
      assert.ok(!`${error.message} ${said.join()}`.includes('s3cret'))
      return true
    })
  })
}
