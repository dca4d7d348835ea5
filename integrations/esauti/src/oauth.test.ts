import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { createEsauti } from './esauti.ts'
import type { OAuthOptions, Tokens } from './oauth.ts'
import type { EsautiOptions } from './options.ts'
import { startInstance } from './testing.ts'

async function open(context: TestContext, oauth: Partial<OAuthOptions> = {}, options: Partial<EsautiOptions> = {}) {
  const instance = await startInstance()
  context.after(() => instance.close())
  let now = Date.parse('2026-01-31T12:00:00Z')
  const clock = { now: () => now, sleep: () => Promise.resolve() }
  const own = { clientId: 'client', clientSecret: 'secret', ...oauth }
  const esauti = createEsauti({ baseUrl: instance.url, oauth: own, clock, ...options })
  const asked = (): number => instance.seen.filter(({ target }) => target === '/oauth/v2/token').length
  return { instance, esauti, asked, pass: (ms: number) => (now += ms) }
}

test('one token serves all, also those that ask at the same time', async (context) => {
  const { instance, esauti, asked } = await open(context)
  await Promise.all(Array.from({ length: 10 }, () => esauti.api.tags.list()))
  await esauti.api.tags.list()
  assert.equal(asked(), 1)
  const [first] = instance.seen
  assert.equal(first?.headers['content-type'], 'application/x-www-form-urlencoded')
  assert.equal(first?.body.toString(), 'grant_type=client_credentials&client_id=client&client_secret=secret')
})

test('a token is renewed before its end, and once after a 401', async (context) => {
  const { instance, esauti, asked, pass } = await open(context)
  await esauti.api.tags.list()
  pass(3600_000 - 30_001)
  await esauti.api.tags.list()
  assert.equal(asked(), 1)
  pass(1)
  await esauti.api.tags.list()
  assert.equal(asked(), 2)
  instance.expireTokens()
  await Promise.all([esauti.api.tags.list(), esauti.api.tags.list(), esauti.api.tags.create({ tag: 'a' })])
  assert.equal(asked(), 3)
  instance.meet({ status: 401 }, { status: 401 })
  await assert.rejects(esauti.api.tags.list(), { status: 401 })
  assert.equal(asked(), 4)
})

test('a refresh token is used once, and the next one is told', async (context) => {
  const told: Tokens[] = []
  const onTokens = (tokens: Tokens): void => void told.push(tokens)
  const { instance, esauti } = await open(context, { refreshToken: 'refresh-0', onTokens })
  await esauti.api.tags.list()
  instance.expireTokens()
  await esauti.api.tags.list()
  assert.deepEqual(told, [
    { accessToken: 'access-1', refreshToken: 'refresh-1', expiresAt: '2026-01-31T13:00:00.000Z' },
    { accessToken: 'access-2', refreshToken: 'refresh-2', expiresAt: '2026-01-31T13:00:00.000Z' },
  ])
  assert.equal(instance.refreshToken(), 'refresh-2')
})

test('a refused client says why, and is not tried again', async (context) => {
  const { esauti, asked } = await open(context, { clientSecret: 'wrong' })
  await assert.rejects(esauti.api.tags.list(), {
    name: 'ApiError',
    status: 400,
    errorCode: 'invalid_client',
    message: /POST \/oauth\/v2\/token answered 400 invalid_client: The client credentials are invalid/,
  })
  assert.equal(asked(), 1)
})

test('who aborts leaves the token to the others', async (context) => {
  const { esauti, asked } = await open(context)
  const stop = new AbortController()
  const leaving = esauti.api.tags.list({}, { signal: stop.signal })
  const staying = esauti.api.tags.list()
  stop.abort(new Error('enough'))
  await assert.rejects(leaving, { message: 'enough' })
  assert.deepEqual(await staying, { total: 0, items: [] })
  assert.equal(asked(), 1)
})

test('tokens may come from another address; Basic needs none', async (context) => {
  const { instance: issuer } = await open(context)
  const { instance, esauti } = await open(context, { tokenUrl: `${issuer.url}/oauth/v2/token` })
  await assert.rejects(esauti.api.tags.list(), { status: 401 })
  assert.deepEqual([issuer.seen.length, instance.seen.length], [2, 2])
  const basic = { username: 'client', password: 'secret' }
  await esauti.with({ basic }).api.tags.list()
  assert.equal(instance.seen.at(-1)?.headers.authorization, 'Basic Y2xpZW50OnNlY3JldA==')
})
