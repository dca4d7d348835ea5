import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { after, before, describe, it, test } from 'node:test'
import type { Event, PutSource } from '@sluice/protocol'
import { signMessage } from '@sluice/protocol/webhooks'
import { vectors } from '@sluice/protocol/webhooks/test-vectors'
import { openTestHub } from '../test-hub.ts'
import { jsonType, openTestSource, testSecret, type Signing, type TestSource } from './test-webhooks-in.ts'

let t: TestSource

before(async () => {
  t = await openTestSource()
})
after(() => t.close())

/** Payloads that GitHub has sent. */
function readExamples(): { name: string; examples: object[] }[] {
  const folder = import.meta.resolve('@octokit/webhooks-examples/package.json')
  return JSON.parse(readFileSync(new URL('api.github.com/index.json', folder), 'utf8'))
}

describe('a webhook', () => {
  it('of each provider becomes an event, and a repetition the same one', async () => {
    const cases: readonly [Partial<PutSource>, Signing, type: string, id: string][] = [
      [
        { scheme: 'github' },
        { headers: { ...jsonType, 'x-github-event': 'push', 'x-github-delivery': 'd1' } },
        'push',
        'd1',
      ],
      [{ scheme: 'stripe' }, { body: '{"id":"evt_1","type":"charge.succeeded"}' }, 'charge.succeeded', 'evt_1'],
      [{ scheme: 'slack' }, { body: '{"event_id":"Ev1","event":{"type":"message"}}' }, 'message', 'Ev1'],
      [
        { scheme: 'shopify' },
        { headers: { ...jsonType, 'x-shopify-topic': 'orders/create', 'x-shopify-webhook-id': 'w1' } },
        'orders/create',
        'w1',
      ],
      [
        { scheme: 'standard-webhooks' },
        { body: '{"type":"user.created","data":{}}', id: 'msg_1' },
        'user.created',
        'msg_1',
      ],
      [{ scheme: 'esauti' }, { body: '{"type":"order.created","external_event_id":"e1"}' }, 'order.created', 'e1'],
    ]
    for (const [wanted, sent, type, id] of cases) {
      const key = await t.makeSource(wanted)
      const first = await t.send(key, { scheme: wanted.scheme, ...sent } as Signing)
      assert.deepEqual([first.status, first.body.status], [202, 'accepted'], `${wanted.scheme} ${first.text}`)
      const event = await t.eventOf(first)
      assert.deepEqual([event.event_type, event.source, event.external_event_id], [`${key}.${type}`, key, id])
      assert.deepEqual(event.payload, JSON.parse(typeof sent.body === 'string' ? sent.body : '{}'))
      t.advance(1000)
      const again = await t.send(key, { scheme: wanted.scheme, ...sent } as Signing)
      assert.deepEqual([again.status, again.body.status, again.body.event_id], [200, 'duplicate', first.body.event_id])
      assert.deepEqual((await t.report(key)).total, { accepted: 1, duplicate: 1 })
    }
  })

  it('that others have published is taken, and with a byte less is not', async () => {
    for (const [name, { scheme, secret: by, headers, body, nowMs: at }] of Object.entries(vectors)) {
      await using hub = await openTestHub({ clock: () => at })
      await hub.call('PUT', '/v1/sources/a', { body: { scheme, secret: by } })
      const taken = await hub.call('POST', '/in/a', {
        key: null,
        headers: { 'content-type': 'text/plain', ...headers },
        body,
      })
      assert.equal(taken.status, 202, `${name}: ${taken.text}`)
      const less = await hub.call('POST', '/in/a', { key: null, headers, body: body.subarray(1) })
      assert.equal(less.status, 401, name)
    }
  })

  it('of GitHub, of every kind there is, keeps its payload as it came', async () => {
    const key = await t.makeSource()
    let taken = 0
    for (const { name, examples: payloads } of readExamples()) {
      const [payload] = payloads
      taken += 1
      const body = JSON.stringify(payload, null, 2)
      const headers = {
        ...jsonType,
        'x-github-event': name,
        'x-github-delivery': `of-${name}`,
        'x-github-hook-id': '42',
      }
      const event = await t.eventOf(await t.send(key, { headers, body }))
      assert.equal(event.event_type, `${key}.${name}`)
      assert.deepEqual(event.payload, payload)
      assert.deepEqual(event.metadata, {
        headers: { 'x-github-delivery': `of-${name}`, 'x-github-event': name, 'x-github-hook-id': '42' },
      })
    }
    assert.ok(taken > 40, `${taken} kinds`)
  })

  it('goes to the workspace in its address, which is `default` if there is none', async () => {
    await t.call('PUT', '/v1/workspaces/tenant')
    const key = await t.makeKey({ workspace: 'tenant', role: 'admin' })
    await t.call('PUT', '/v1/sources/shared', { key, body: { scheme: 'github', secret: 'theirs' } })
    await t.call('PUT', '/v1/sources/shared', { body: { scheme: 'github', secret: 'ours' } })
    assert.equal((await t.send('shared', { secret: 'ours' })).status, 202)
    assert.equal((await t.send('shared', { secret: 'ours', path: '/in/default/shared' })).status, 202)
    assert.equal((await t.send('shared', { secret: 'ours', path: '/in/tenant/shared' })).status, 401)
    const there = await t.send('shared', { secret: 'theirs', path: '/in/tenant/shared' })
    assert.equal(there.status, 202)
    assert.equal((await t.call('GET', `/v1/events/${there.body.event_id}`)).status, 404)
    assert.equal((await t.call('GET', `/v1/events/${there.body.event_id}`, { key })).status, 200)
    for (const path of ['/in/none', '/in/none/shared', '/in/tenant/none', '/in/A%20b'])
      assert.equal((await t.send('shared', { path })).status, 404, path)
  })
})

describe('the type and the id', () => {
  it('are taken where the source says', async () => {
    const key = await t.makeSource({
      scheme: 'hmac',
      hmac: { header: 'X-Sig', encoding: 'base64' },
      event_type: { pointer: '/meta/a~1b' },
      id: { header: 'X-Id' },
      event_type_prefix: '',
    })
    const hmac = { header: 'X-Sig', encoding: 'base64' } as const
    const sent = {
      scheme: 'hmac',
      hmac,
      body: '{"meta":{"a/b":"order.paid"}}',
      headers: { ...jsonType, 'x-id': '7' },
    } as const
    const event = await t.eventOf(await t.send(key, sent))
    assert.deepEqual([event.event_type, event.external_event_id], ['order.paid', '7'])
    await t.call('PATCH', `/v1/sources/${key}`, { body: { event_type: { constant: 'fixed' }, id: { pointer: '/n' } } })
    const other = await t.eventOf(await t.send(key, { ...sent, body: '{"n":12345678901234567890}' }))
    assert.deepEqual([other.event_type, other.external_event_id], ['fixed', '12345678901234567890'])
    const neighbour = await t.send(key, { ...sent, body: '{"n":12345678901234567891}' })
    assert.equal(neighbour.status, 202, 'long numbers stay apart')
  })

  it('that are none do not lose the message', async () => {
    const key = await t.makeSource({ scheme: 'stripe', event_type_prefix: '' })
    for (const type of ['"sluice.inbox.broken"', '"a\\u0000b"', '{}', `"${'x'.repeat(300)}"`, 'true', '""']) {
      const event = await t.eventOf(await t.send(key, { scheme: 'stripe', body: `{"type":${type},"id":${type}}` }))
      assert.equal(event.event_type, 'received', type)
    }
  })

  it('that come again with another body make another event, once', async () => {
    const key = await t.makeSource({ scheme: 'stripe', id: { pointer: '/customer' } })
    const pay = (n: number) => t.send(key, { scheme: 'stripe', body: `{"customer":"c1","n":${n}}` })
    const [first, second] = [await pay(1), await pay(2)]
    assert.deepEqual([first.status, second.status], [202, 202])
    assert.notEqual(first.body.event_id, second.body.event_id)
    const event = await t.eventOf(second)
    assert.equal(event.external_event_id, undefined)
    assert.equal(event.metadata?.['reused_id'], 'c1')
    t.advance(1000)
    for (const [n, before] of [
      [1, first],
      [2, second],
    ] as const) {
      const again = await pay(n)
      assert.deepEqual([again.status, again.body.event_id], [200, before.body.event_id])
    }
  })

  it('where there is no id the same signature is the same message, if it holds the time', async () => {
    const slack = await t.makeSource({ scheme: 'slack' })
    const form = {
      scheme: 'slack',
      body: 'command=%2Fa',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
    } as const
    assert.deepEqual([(await t.send(slack, form)).status, (await t.send(slack, form)).status], [202, 200])
    t.advance(1000)
    assert.equal((await t.send(slack, form)).status, 202, 'said again')
    const github = await t.makeSource()
    assert.deepEqual(
      [(await t.send(github, {})).status, (await t.send(github, {})).status],
      [202, 202],
      'nothing tells them apart',
    )
  })

  it('where there is no id a message is the same whatever stands beside its signature', async () => {
    const hmac = { header: 'x-sig', timestamp_header: 'x-time', template: '{timestamp}.{body}' }
    const secrets = [testSecret, 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSx']
    const schemes = [
      [{ scheme: 'hmac', hmac }, 'x-sig', ['SIG OLD', 'SIG', 'OLD', 'SIG,', 'SIG zz', ' , SIG', 'SIG,a,b', 'zz OLD']],
      [
        { scheme: 'stripe' },
        'stripe-signature',
        ['TIME,SIG,OLD', 'TIME,OLD', 'SIG,TIME', 'TIME,v1=00,SIG,v0=1', 'a, TIME, SIG'],
      ],
      [
        { scheme: 'standard-webhooks', id: null },
        'webhook-signature',
        ['SIG OLD', 'OLD', 'SIG', 'v1,AAAA SIG', 'SIG  v2,x'],
      ],
      [{ scheme: 'slack' }, 'x-slack-signature', ['SIG', 'OLD']],
      [{ scheme: 'esauti' }, 'x-esauti-signature', ['SIG', 'OLD']],
    ] as const
    for (const [wanted, field, spellings] of schemes) {
      const key = await t.makeSource({ ...wanted, secrets, secret: undefined } as never)
      const message = {
        hmac: null,
        ...wanted,
        body: Buffer.from('{}'),
        nowMs: t.nowMs(),
        id: 'm1',
        target: `/in/${key}`,
      }
      const fields = await Promise.all(secrets.map((secret) => signMessage({ ...message, secrets: [secret] })))
      const [sig = '', old = ''] = fields.map((one) => one[field]?.replace(/^t=\d+,/, ''))
      const time = `t=${Math.floor(message.nowMs / 1000)}`
      const ids = new Set<string | undefined>()
      for (const spelling of spellings) {
        const text = spelling.replace('SIG', sig).replace('OLD', old).replace('TIME', time)
        const { status, body } = await t.post(key, {
          headers: { ...jsonType, ...fields[0], [field]: text },
          body: '{}',
        })
        assert.equal(status, ids.size === 0 ? 202 : 200, `${wanted.scheme} ${spelling}`)
        ids.add(body.event_id)
      }
      assert.equal(ids.size, 1, wanted.scheme)
    }
  })
})

describe('what is refused', () => {
  it('says the same to every stranger, and why to the owner', async () => {
    const key = await t.makeSource({ scheme: 'slack' })
    const body = '{"event_id":"1"}'
    const signed = await signMessage({
      scheme: 'slack',
      secrets: [testSecret],
      nowMs: t.nowMs(),
      body: Buffer.from(body),
    })
    const late = await signMessage({
      scheme: 'slack',
      secrets: [testSecret],
      nowMs: t.nowMs() - 301_000,
      body: Buffer.from(body),
    })
    const cases: readonly [Record<string, string>, sent: string, outcome: string, cause: string, reason: RegExp][] = [
      [{}, body, 'unsigned', 'wrong-header', /x-slack-signature is missing/],
      [{ ...signed, 'x-slack-signature': 'v0=zz' }, body, 'malformed', 'signature-encoding', /cannot be read/],
      [late, body, 'stale', 'clock', /301 seconds behind/],
      [signed, '{"event_id": "1"}', 'mismatch', 'body-reserialised', /raw bytes/],
      [signed, '{"event_id":"2"}', 'mismatch', 'secret-or-body', /SHA-256 [0-9a-f]{64}/],
    ]
    const answers = new Set<string>()
    for (const [headers, sent] of cases) {
      const { status, body: problem } = await t.post(key, { headers: { ...jsonType, ...headers }, body: sent })
      assert.equal(status, 401)
      answers.add(JSON.stringify({ ...problem, correlation_id: '', instance: '' }))
    }
    assert.equal(answers.size, 1)
    const { total, failures } = await t.report(key)
    assert.deepEqual(total, { unsigned: 1, malformed: 1, stale: 1, mismatch: 2 })
    for (const [index, [, , outcome, cause, reason]] of cases.toReversed().entries()) {
      assert.deepEqual([failures[index]?.outcome, failures[index]?.cause], [outcome, cause])
      assert.match(failures[index]?.reason ?? '', reason)
    }
    assert.ok(!JSON.stringify([...answers, failures]).includes(testSecret))
  })

  it('at the edge of the window is a second', async () => {
    const key = await t.makeSource({ scheme: 'standard-webhooks' })
    for (const [seconds, status] of [
      [300, 202],
      [-300, 202],
      [301, 401],
      [-301, 401],
    ] as const)
      assert.equal(
        (await t.send(key, { scheme: 'standard-webhooks', nowMs: t.nowMs() - seconds * 1000 })).status,
        status,
        String(seconds),
      )
  })

  it('a secret of one source signs nothing for another', async () => {
    const [one, other] = [await t.makeSource({ secret: 'one' }), await t.makeSource({ secret: 'other' })]
    assert.deepEqual(
      [(await t.send(one, { secret: 'one' })).status, (await t.send(other, { secret: 'one' })).status],
      [202, 401],
    )
  })

  it('a password is compared as a whole; a source without a signature takes everything', async () => {
    const basic = await t.makeSource({ scheme: 'basic', secret: 'ada:lövelace' })
    const login = (text: string): Record<string, string> => ({
      ...jsonType,
      authorization: `Basic ${Buffer.from(text).toString('base64')}`,
    })
    assert.equal((await t.post(basic, { headers: login('ada:lövelace'), body: '{}' })).status, 202)
    for (const text of ['ada:lovelace', 'ada:', 'ada', '', 'ada:lövelace '])
      assert.equal((await t.post(basic, { headers: login(text), body: '{}' })).status, 401, text)
    const open = await t.makeSource({ scheme: 'none', secret: undefined } as never)
    const event = await t.eventOf(
      await t.post(open, {
        headers: { ...jsonType, authorization: 'Bearer x', 'x-token': 'hush', 'x-a': 'b' },
        body: '{}',
      }),
    )
    assert.deepEqual(event.metadata, { headers: { 'x-a': 'b' } })
  })

  it('by its schema is told to the sender, kept back, or warned of', async () => {
    const key = await t.makeSource({ scheme: 'stripe' })
    const put = (mode: string) =>
      t.call('PUT', `/v1/event-types/${key}.a`, { body: { schema: { required: ['amount'] }, mode } })
    await put('reject')
    const refused = await t.send(key, { scheme: 'stripe', body: '{"type":"a","id":"1"}' })
    assert.deepEqual([refused.status, refused.body.error_code], [422, 'schema-mismatch'])
    await put('quarantine')
    const kept = await t.send(key, { scheme: 'stripe', body: '{"type":"a","id":"1"}' })
    assert.deepEqual([kept.status, kept.body.status], [202, 'quarantined'])
    assert.deepEqual((await t.report(key)).total, { refused: 1, quarantined: 1 })
  })

  it('many times over is told as an event, seldom', async () => {
    const key = await t.makeSource()
    await t.call('PUT', '/v1/inboxes/told', { body: { filter: { event_types: ['sluice.source.*'] }, start: 'latest' } })
    for (let n = 0; n < 30; n += 1) await t.post(key, { headers: { 'x-hub-signature-256': 'x' }, body: '{}' })
    const told = async (): Promise<unknown[]> =>
      (await t.call<{ events: Event[] }>('GET', '/v1/inboxes/told/events')).body.events.map(
        ({ event_type, subject, payload }) => [event_type, subject, payload['refused']],
      )
    assert.deepEqual(await told(), [['sluice.source.failing', key, 10]])
    assert.equal((await t.report(key)).total['malformed'], 30)
    assert.equal((await t.report(key)).failures.length, 20, 'of one writing')
    t.advance(3601000)
    await t.post(key, {})
    assert.equal((await told()).length, 2, 'an hour later it still fails')
    await t.send(key, {})
    for (let n = 0; n < 9; n += 1) await t.post(key, {})
    t.advance(3601000)
    assert.equal((await told()).length, 2, 'one that is right begins anew')
  })
})

describe('a handshake', () => {
  it('of Slack is answered, if it is signed', async () => {
    const key = await t.makeSource({ scheme: 'slack' })
    const body =
      '{"token":"t","challenge":"3eZbrw1aBm2rZgRNFdxV2595E9CY3gmdALWMmHkvFXO7tYXAYM8P","type":"url_verification"}'
    const { status, body: answer } = await t.send(key, { scheme: 'slack', body })
    assert.deepEqual([status, answer], [200, { challenge: JSON.parse(body).challenge }])
    assert.equal((await t.send(key, { scheme: 'slack', body, secret: 'other' })).status, 401)
    assert.deepEqual((await t.report(key)).total, { handshake: 1, mismatch: 1 })
  })

  it('with a challenge in the address gives it back as text, where that is agreed', async () => {
    const key = await t.makeSource({ handshake: 'challenge' })
    for (const name of ['challenge', 'hub.challenge', 'validationToken']) {
      const answer = await t.call<string>('GET', `/in/${key}?a=b&${name}=%3Cb%3E`, { key: null })
      assert.deepEqual([answer.status, answer.body], [200, '<b>'])
      assert.equal(answer.headers.get('content-type'), 'text/plain; charset=utf-8')
      assert.equal(answer.headers.get('x-content-type-options'), 'nosniff')
    }
    const none = await t.makeSource()
    for (const path of [`/in/${key}`, `/in/${none}?challenge=a`, `/in/${key}?challenge=${'x'.repeat(1001)}`])
      assert.equal((await t.call('GET', path, { key: null })).status, 405, path)
  })

  it('of CloudEvents names the origin that may send', async () => {
    const key = await t.makeSource({ handshake: 'cloudevents' })
    const headers = { 'webhook-request-origin': 'eventemitter.example.com' }
    const answer = await t.call('OPTIONS', `/in/${key}`, { key: null, headers })
    assert.equal(answer.status, 204)
    assert.equal(answer.headers.get('webhook-allowed-origin'), 'eventemitter.example.com')
    assert.equal(answer.headers.get('webhook-allowed-rate'), '*')
    assert.equal((await t.call('OPTIONS', `/in/${key}`, { key: null })).status, 405)
    assert.equal((await t.call('OPTIONS', `/in/${await t.makeSource()}`, { key: null, headers })).status, 405)
  })
})

test('metrics count by outcome, and by nothing that strangers can make up', async () => {
  const { text } = await t.call<string>('GET', '/metrics')
  const lines = text.split('\n').filter((line) => line.startsWith('sluice_source_requests_total'))
  assert.equal(lines.length, 12)
  assert.match(text, /^sluice_source_requests_total\{outcome="accepted"\} \d\d+$/m)
})
