import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import { after, before, describe, it } from 'node:test'
import { gzipSync } from 'node:zlib'
import type { Event, Lease } from '@sluice/protocol'
import { jsonType, openTestSource, testSecret, type TestSource } from './test-webhooks-in.ts'

let t: TestSource

before(async () => {
  t = await openTestSource()
})
after(() => t.close())

describe('a body', () => {
  const cases: readonly [name: string, type: string | undefined, body: string | Uint8Array, kept: object][] = [
    [
      'an array',
      'application/json',
      '[1,{"a":2}]',
      { payload: [1, { a: 2 }], cloudevent: { datacontenttype: 'application/json' } },
    ],
    ['a text', 'application/json', '"a"', { payload: 'a', cloudevent: { datacontenttype: 'application/json' } }],
    ['null', 'application/json', 'null', { payload: null, cloudevent: { datacontenttype: 'application/json' } }],
    ['nothing', 'application/json', '', { cloudevent: { datacontenttype: 'application/json' } }],
    [
      'JSON of another name',
      'application/vnd.a+json',
      '{"ünï":"cödé \\ud83d\\ude00"}',
      { payload: { ünï: 'cödé 😀' } },
    ],
    ['JSON in lines', 'application/json', '{\r\n "a":\n1}', { payload: { a: 1 } }],
    [
      'no JSON after all',
      'application/json',
      '{"a":',
      { payload_base64: 'eyJhIjo=', cloudevent: { datacontenttype: 'application/json' } },
    ],
    [
      'JSON too deep',
      'application/json',
      '['.repeat(200) + ']'.repeat(200),
      { cloudevent: { datacontenttype: 'application/json' } },
    ],
    ['plain text', 'text/plain', 'hello', { payload: 'hello', cloudevent: { datacontenttype: 'text/plain' } }],
    ['XML', 'application/xml', '<a>ä</a>', { payload: '<a>ä</a>', cloudevent: { datacontenttype: 'application/xml' } }],
    [
      'bytes',
      'image/png',
      Uint8Array.from([0x89, 0x50, 0, 255]),
      { payload_base64: 'iVAA/w==', cloudevent: { datacontenttype: 'image/png' } },
    ],
    [
      'no UTF-8',
      'application/json',
      Uint8Array.from([0x22, 0xff, 0x22]),
      { payload_base64: 'Iv8i', cloudevent: { datacontenttype: 'application/json' } },
    ],
    [
      'a form',
      'application/x-www-form-urlencoded',
      'a=1&b=x+y&a=2&__proto__=%C3%A4',
      { payload: JSON.parse('{"a":["1","2"],"b":"x y","__proto__":"ä"}') },
    ],
    [
      'a form that holds JSON',
      'application/x-www-form-urlencoded',
      'payload=%7B%22zen%22%3A1%7D',
      { payload: { zen: 1 } },
    ],
    ['a type that is none', 'nonsense', '{}', { payload_base64: 'e30=', cloudevent: {} }],
  ]

  for (const [name, type, body, kept] of cases) {
    it(`that is ${name} is kept`, async () => {
      const key = await t.makeSource()
      const answer = await t.send(key, { body, headers: type === undefined ? {} : { 'content-type': type } })
      assert.equal(answer.status, 202, answer.text)
      const { payload, payload_base64, cloudevent } = await t.eventOf(answer)
      const seen = {
        ...(payload !== undefined && { payload }),
        ...(payload_base64 !== undefined && { payload_base64 }),
        ...(cloudevent && { cloudevent }),
      }
      if (name === 'JSON too deep') assert.equal(Buffer.from(payload_base64 ?? '', 'base64').toString(), body)
      else assert.deepEqual(seen, kept)
    })
  }

  it('that is packed is verified as it was sent, and kept unpacked', async () => {
    const key = await t.makeSource({ max_bytes: 1000 })
    const headers = { ...jsonType, 'content-encoding': 'gzip' }
    const answer = await t.send(key, { headers, body: gzipSync('{"a":1}') })
    assert.deepEqual((await t.eventOf(answer)).payload, { a: 1 })
    const signedUnpacked = createHmac('sha256', testSecret).update('{"a":1}').digest('hex')
    const wrong = { ...headers, 'x-hub-signature-256': `sha256=${signedUnpacked}` }
    assert.equal((await t.post(key, { headers: wrong, body: gzipSync('{"a":1}') })).status, 401)
    const bomb = await t.send(key, { headers, body: gzipSync(' '.repeat(100_000)) })
    assert.deepEqual([bomb.status, bomb.body.error_code], [413, 'payload-too-large'])
    assert.equal((await t.send(key, { headers, body: 'no gzip' })).status, 400)
    assert.equal((await t.send(key, { headers: { ...jsonType, 'content-encoding': 'br' } })).status, 415)
    assert.deepEqual((await t.report(key)).total, { accepted: 1, mismatch: 1, 'too-large': 1, unreadable: 2 })
  })

  it('of 5 MiB goes through lease and poll; one byte more is refused before it is read', async () => {
    const key = await t.makeSource()
    await t.call('PUT', '/v1/inboxes/large', { body: { filter: { sources: [key] } } })
    const body = JSON.stringify({ text: 'x'.repeat(5 * 1024 * 1024 - '{"text":""}'.length) })
    for (let n = 0; n < 5; n += 1) {
      const headers = { ...jsonType, 'x-github-delivery': `large-${n}` }
      assert.equal((await t.send(key, { body, headers })).status, 202)
    }
    const leased = await t.call<Lease>('POST', '/v1/inboxes/large/lease', { body: { limit: 5 } })
    assert.ok(
      leased.body.events.length >= 1 && leased.body.events.length < 5,
      `${leased.body.events.length} in one lease`,
    )
    assert.ok(leased.text.length < 24 * 1024 * 1024)
    const first = leased.body.events[0]
    assert.equal(JSON.stringify(first?.payload), body)
    const peeked = await t.call<{ events: Event[] }>('GET', '/v1/inboxes/large/events?limit=1')
    assert.equal(peeked.body.events[0]?.payload?.['text'], JSON.parse(body).text)
    const large = await t.send(key, { body: `${body} ` })
    assert.deepEqual([large.status, large.body.error_code], [413, 'payload-too-large'])
  })
})
