import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, afterEach, before, describe, it } from 'node:test'
import { createVendor, mockContext, type Vendor } from '../testing.ts'
import { createScrubber } from './scrub.ts'

let folder: string
let service: Vendor
before(async () => {
  folder = mkdtempSync(join(tmpdir(), 'sluice-cassettes-'))
  service = await createVendor()
})
after(async () => {
  await service.close()
  rmSync(folder, { recursive: true })
})
afterEach(() => {
  for (const name of ['SLUICE_CASSETTES', 'SLUICE_TEST_AUTH']) delete process.env[name]
})

function turn(mode: 'record' | 'replay', auth?: object): void {
  process.env['SLUICE_CASSETTES'] = mode
  if (auth) process.env['SLUICE_TEST_AUTH'] = JSON.stringify(auth)
}

const read = (name: string): string => readFileSync(join(folder, `${name}.json`), 'utf8')

describe('a cassette', () => {
  it('holds no secret, wherever it stood, and answers the same', async () => {
    const planted = { api_key: 'planted-key-a/b+c', password: 'planted "pass"', account: 4711001 }
    service.on('POST /login', ({ headers }) => ({
      headers: { 'set-cookie': 'sid=planted-cookie', 'x-echo': `key ${planted.api_key}` },
      json: {
        access_token: 'planted-access',
        refreshToken: 'planted-refresh',
        next_page_token: 'page-2',
        user: 'Ada',
        echo: headers['authorization'],
      },
    }))
    service.on('GET /bots/:key/items', ({ query }) => ({
      json: {
        items: [1],
        account: planted.account,
        file: 'https://files.example.com/a?X-Amz-Signature=planted-sig&part=1',
        page: query.get('page_token'),
      },
    }))
    service.on('GET /image', { bytes: Buffer.concat([Uint8Array.of(0xff, 0), Buffer.from(planted.api_key)]) })
    const run = async (auth: Record<string, unknown>): Promise<unknown[]> => {
      const { fetch, auth: given } = mockContext({ auth, cassette: join(folder, 'secrets') })
      const { api_key: key, password, account } = given.credentials
      const basic = Buffer.from(`ada:${String(password)}`).toString('base64')
      const login = await fetch<Record<string, string>>(`${service.url}/login`, {
        method: 'POST',
        params: { client_secret: 'planted-query', account: String(account) },
        json: { password, note: `for ${String(key)}` },
        headers: { Authorization: `Basic ${basic}`, 'X-Api-Key': String(key), Cookie: 'a=planted-cookie' },
      })
      const form = await fetch(`${service.url}/login`, {
        method: 'POST',
        data: { key, code: 'planted-code', token: login.data['access_token'] },
        contentType: 'application/x-www-form-urlencoded',
      })
      const items = await fetch(`${service.url}/bots/${encodeURIComponent(String(key))}/items`, {
        params: { access_token: login.data['access_token'], page_token: login.data['next_page_token'] },
      })
      const image = await fetch<Uint8Array>(`${service.url}/image`)
      return [login.data['user'], form.status, items.data, image.data.length]
    }
    turn('record', planted)
    const recorded = await run({ api_key: 'stand-in', password: 'stand-in-too', account: 'stand-in-3' })
    const text = read('secrets')
    assert.doesNotMatch(text, /planted|4711001/)
    const kept = JSON.parse(text) as { interactions: { body: { base64?: string } }[] }
    for (const { body } of kept.interactions)
      assert.doesNotMatch(Buffer.from(body.base64 ?? '', 'base64').toString('latin1'), /planted/)
    for (const form of [Buffer.from('ada:planted "pass"'), Buffer.from(planted.api_key)])
      assert.ok(!text.includes(form.toString('base64')))

    turn('replay')
    delete process.env['SLUICE_TEST_AUTH']
    const sent = service.requests.length
    const again = await run({ api_key: 'stand-in', password: 'stand-in-too', account: 'stand-in-3' })
    assert.equal(service.requests.length, sent)
    assert.deepEqual([again[0], again[1]], [recorded[0], recorded[1]])
    const { items, account, page } = again[2] as Record<string, unknown>
    assert.deepEqual([items, account, page], [[1], 0, 'page-2'])
  })

  it('answers in the order of the recording, errors too, and says what it does not have', async () => {
    service.on('GET /count', { json: 1 }, { status: 404, text: 'gone' })
    turn('record')
    const ask = () => mockContext({ cassette: join(folder, 'order') }).fetch(`${service.url}/count`)
    assert.equal((await ask()).data, 1)
    await assert.rejects(ask(), { status: 404 })
    turn('replay')
    assert.equal((await ask()).data, 1)
    await assert.rejects(ask(), { status: 404 })
    await assert.rejects(
      mockContext({ cassette: join(folder, 'order') }).fetch(`${service.url}/other`),
      /GET .*\/other is not in the cassette .*record it again/,
    )
    assert.throws(() => mockContext({ cassette: join(folder, 'nowhere') }), /there is no cassette/)
  })

  it('keeps no compressed answer, in which no secret can be found', async () => {
    service.on('GET /zip', { headers: { 'content-encoding': 'gzip' }, bytes: Uint8Array.of(1) })
    turn('record')
    await assert.rejects(
      mockContext({ cassette: join(folder, 'zip') }).fetch(`${service.url}/zip`),
      /no compressed answer/,
    )
    assert.throws(() => read('zip'), { code: 'ENOENT' })
  })
})

describe('scrubbing', () => {
  it('leaves what only sounds like a secret', () => {
    const { body, text, headers } = createScrubber()
    const json = '{"code":"not_found","key":"PROJ-1","next_page_token":"p2","session":"morning"}'
    assert.equal(body(json), json)
    assert.equal(
      text('https://a.example/x?page_token=p2&keyword=a&limit=3'),
      'https://a.example/x?page_token=p2&keyword=a&limit=3',
    )
    assert.deepEqual(
      headers({ etag: '"a"', 'Idempotency-Key': 'k', link: '<https://a.example/?key=s3cr>; rel="next"' }),
      {
        etag: '"a"',
        'idempotency-key': 'k',
        link: '<https://a.example/?key=SCRUBBED>; rel="next"',
      },
    )
  })

  it('knows a secret in every form, the longer one first', () => {
    const { learn, text } = createScrubber()
    learn({ a: 'pass word', b: ['pass word/2'], c: 'abc' })
    assert.equal(text('pass word/2 pass%20word pass+word pass word abc'), 'SCRUBBED SCRUBBED SCRUBBED SCRUBBED abc')
  })
})
