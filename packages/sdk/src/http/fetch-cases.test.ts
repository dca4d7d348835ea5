import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { createContext } from '../integration.ts'
import { createVendor, cut, drip, hold, mockContext, type Vendor } from '../testing.ts'

const api = 'https://api.example.com'
let vendor: Vendor
before(async () => {
  vendor = await createVendor()
})
after(() => vendor.close())

const authorizationOf = async (auth: Record<string, unknown>): Promise<unknown> => {
  vendor.on('GET /me', ({ headers }) => ({ json: headers['authorization'] ?? null }))
  return (await mockContext({ vendor, auth }).fetch(`${api}/me`)).data
}

describe('attempts', () => {
  it('the type of an answer that failed is not that of the next request', async () => {
    vendor.on('PUT /a', { status: 503, text: 'later' }, { status: 500, json: { later: true } }, { json: 1 })
    const { fetch } = mockContext({ vendor })
    await fetch(`${api}/a`, { method: 'PUT', data: { a: 1 }, contentType: 'application/x-www-form-urlencoded' })
    const sent = vendor.requests
      .filter(({ path }) => path === '/a')
      .map(({ headers, text }) => [headers['content-type'], text])
    assert.deepEqual(sent, Array(3).fill(['application/x-www-form-urlencoded', 'a=1']))
  })

  it('a POST that gets no answer in time is not sent twice', async () => {
    const slow = hold({ json: {} })
    vendor.on('POST /orders', slow.reply)
    await assert.rejects(mockContext({ vendor }).fetch(`${api}/orders`, { method: 'POST', json: {}, timeoutMs: 50 }))
    slow.release()
    // A machine that is busy may not even send it in that time.
    assert.ok(vendor.requests.filter(({ path }) => path === '/orders').length <= 1)
  })

  it('when every connection breaks, the last error is thrown after three more attempts', async () => {
    vendor.on('GET /broken', cut())
    const { fetch, clock } = mockContext({ vendor })
    await assert.rejects(fetch(`${api}/broken`), (error: Error) => error.name !== 'HTTPError')
    assert.equal(vendor.requests.filter(({ path }) => path === '/broken').length, 4)
    assert.deepEqual(clock.waits, [1000, 2000, 4000])
  })

  it('an answer that breaks off in its middle is asked for again, and one in small pieces is whole', async () => {
    vendor.on('GET /half', cut({ json: { text: 'x'.repeat(100) } }), drip({ json: { text: 'ü€😀' } }))
    assert.deepEqual((await mockContext({ vendor }).fetch(`${api}/half`)).data, { text: 'ü€😀' })
  })
})

describe('credentials by their type', () => {
  const credentials = { access_token: 't' }

  it('the tokens of the platform are sent: also those of PKCE and Teams, and where no type is said', async () => {
    for (const type of ['PlatformOauth2', 'PlatformTeams', 'oauth2_pkce'])
      assert.equal(await authorizationOf({ auth_type: type, credentials }), 'Bearer t', type)
    assert.equal(await authorizationOf({ credentials }), 'Bearer t')
  })

  it('nothing is sent where there is no token', async () => {
    assert.equal(await authorizationOf({ auth_type: 'PlatformOauth2', credentials: {} }), null)
    assert.equal(await authorizationOf({ auth_type: 'PlatformOauth2', credentials: { access_token: null } }), null)
  })

  it('two contexts share nothing', () => {
    const [one, other] = [createContext(), createContext()]
    assert.notEqual(one.auth, other.auth)
    assert.notEqual(one.auth.credentials, other.auth.credentials)
    assert.deepEqual([one.auth, one.metadata], [{ auth_type: 'Custom', credentials: {} }, {}])
  })
})

it('nothing is printed: neither answers nor errors', async (test) => {
  const writes = [process.stdout, process.stderr].map((stream) => test.mock.method(stream, 'write'))
  vendor.on('GET /private', { json: { planted: 1 } }, { status: 400, json: { planted: 2 } })
  const { fetch } = mockContext({ vendor })
  await fetch(`${api}/private`)
  await assert.rejects(fetch(`${api}/private`))
  const printed = writes.flatMap(({ mock }) => mock.calls.map(({ arguments: [text] }) => String(text)))
  assert.doesNotMatch(printed.join(), /planted/)
})
