import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it, test } from 'node:test'
import type { Problem, Source, SourceExample, SourceReport } from '@sluice/protocol'
import { signMessage } from '@sluice/protocol/webhooks'
import { openTestHub, type TestHub } from '../test-hub.ts'

const planted = 'planted-secret-that-nobody-may-see'
let t: TestHub

before(async () => {
  t = await openTestHub({ publicUrl: 'https://hub.example/base/' })
})
after(() => t.close())

const put = (key: string, body: object) => t.call<Source>('PUT', `/v1/sources/${key}`, { body })

async function faults(key: string, body: object, method = 'PUT'): Promise<string[]> {
  const problem = await t.fail(method, `/v1/sources/${key}`, { body })
  assert.equal(problem.error_code, 'validation-error')
  return (problem.errors ?? []).map(({ pointer }) => pointer)
}

async function trySecret(key: string, secret: string): Promise<number> {
  const body = Buffer.from('{}')
  const headers = await signMessage({ scheme: 'github', secrets: [secret], body, nowMs: 0 })
  return (await t.call('POST', `/in/${key}`, { key: null, headers, body })).status
}

describe('a source', () => {
  it('is made with what its scheme has, ensured again, and changed by PATCH alone', async () => {
    const made = await put('github', { scheme: 'github', secret: planted })
    assert.equal(made.status, 201)
    const { created_at: at, updated_at: _, ...source } = made.body
    assert.deepEqual(source, {
      key: 'github',
      address: '/in/github',
      scheme: 'github',
      hmac: null,
      event_type: { header: 'x-github-event' },
      id: { header: 'x-github-delivery' },
      event_type_prefix: 'github.',
      max_bytes: 5 * 1024 * 1024,
      handshake: 'none',
      secrets: [{ created_at: at, until: null }],
    })
    assert.equal((await put('github', { scheme: 'github' })).status, 200)
    assert.equal((await put('github', { scheme: 'github', secrets: [planted] })).status, 200)
    const differs = await put('github', { scheme: 'github', secret: 'other', max_bytes: 1 })
    const problem = differs.body as unknown as Problem
    assert.deepEqual([differs.status, problem.error_code], [409, 'source-differs'])
    assert.deepEqual(problem.details, { differs: ['max_bytes', 'secrets'] })
    const changed = await t.call<Source>('PATCH', '/v1/sources/github', {
      body: { max_bytes: 100, event_type_prefix: '' },
    })
    assert.deepEqual([changed.body.max_bytes, changed.body.event_type_prefix], [100, ''])
    assert.deepEqual((await t.call<Source>('GET', '/v1/sources/github')).body, changed.body)
  })

  it('is listed by key, and gone when it is removed, with its report', async () => {
    for (const key of ['list-b', 'list-a']) await put(key, { scheme: 'none' })
    const first = await t.call<{ sources: Source[]; pagination: { next_cursor: string } }>('GET', '/v1/sources?limit=2')
    const cursor = encodeURIComponent(first.body.pagination.next_cursor)
    const rest = await t.call<{ sources: Source[] }>('GET', `/v1/sources?cursor=${cursor}`)
    const keys = [...first.body.sources, ...rest.body.sources].map(({ key }) => key)
    assert.deepEqual(keys, keys.toSorted())
    assert.ok(keys.includes('list-a') && keys.includes('list-b'))
    await t.call('POST', '/in/list-a', { key: null, body: '{}' })
    assert.equal((await t.call('DELETE', '/v1/sources/list-a')).status, 204)
    for (const [method, path] of [
      ['GET', '/v1/sources/list-a'],
      ['DELETE', '/v1/sources/list-a'],
      ['PATCH', '/v1/sources/list-a'],
      ['GET', '/v1/sources/list-a/report'],
      ['POST', '/v1/sources/list-a/example'],
      ['POST', '/in/list-a'],
    ] as const)
      assert.equal((await t.fail(method, path, method === 'PATCH' ? { body: {} } : {})).error_code, 'not-found', path)
    await put('list-a', { scheme: 'none' })
    assert.deepEqual((await t.call<SourceReport>('GET', '/v1/sources/list-a/report')).body.total, {}, 'another one')
  })

  it('that could verify nothing is refused by member', async () => {
    assert.deepEqual(await faults('x', { scheme: 'github' }), ['/secret'])
    assert.deepEqual(await faults('x', {}), ['/scheme'])
    assert.deepEqual(await faults('x', { scheme: 'nobody' }), ['/scheme'])
    assert.deepEqual(await faults('x', { scheme: 'none', secret: 'a' }), ['/secrets/0'])
    assert.deepEqual(await faults('x', { scheme: 'basic', secret: 'nocolon' }), ['/secrets/0'])
    assert.deepEqual(await faults('x', { scheme: 'github', secret: 'a', secrets: ['b'] }), ['/secrets'])
    assert.deepEqual(await faults('x', { scheme: 'github', secret: 'a', hmac: { header: 'b' } }), ['/hmac'])
    assert.deepEqual(await faults('x', { scheme: 'hmac', secret: 'a' }), ['/hmac'])
    assert.deepEqual(
      await faults('x', { scheme: 'hmac', secret: 'a', hmac: { header: 's', template: '{timestamp}{body}' } }),
      ['/hmac/timestamp_header'],
    )
    assert.deepEqual(
      await faults('x', { scheme: 'hmac', secret: 'zz', hmac: { header: 's', secret_encoding: 'hex' } }),
      ['/secrets/0'],
    )
    assert.deepEqual(await faults('x', { scheme: 'hmac', secret: 'a', hmac: { header: 'a b' } }), ['/hmac/header'])
    for (const secret of ['whsec_!', 'whpk_AAAA', `whsk_${'A'.repeat(44)}`, 'no base64!'])
      assert.deepEqual(await faults('x', { scheme: 'standard-webhooks', secret }), ['/secrets/0'], secret)
    assert.deepEqual(await faults('x', { scheme: 'github', secret: 'a', event_type_prefix: 'sluice.a' }), [
      '/event_type_prefix',
    ])
    assert.deepEqual(await faults('x', { scheme: 'github', secret: 'a', max_bytes: 10 * 1024 * 1024 + 1 }), [
      '/max_bytes',
    ])
    assert.deepEqual(await faults('A b', { scheme: 'none' }), ['path.source'])
    await put('patched', { scheme: 'none' })
    assert.deepEqual(await faults('patched', { scheme: 'github' }, 'PATCH'), ['/secret'])
    assert.deepEqual(await faults('patched', { overlap_seconds: 5 }, 'PATCH'), ['/overlap_seconds'])
  })

  it('changes its secrets with an overlap, and says when an old one still comes', async () => {
    await put('rotated', { scheme: 'github', secret: 'first' })
    const patch = (body: object) => t.call<Source>('PATCH', '/v1/sources/rotated', { body })
    const { body } = await patch({ secret: 'second', overlap_seconds: 60 })
    assert.equal(body.secrets.length, 2)
    assert.deepEqual([await trySecret('rotated', 'first'), await trySecret('rotated', 'second')], [202, 202])
    t.advance(60_000)
    assert.deepEqual([await trySecret('rotated', 'first'), await trySecret('rotated', 'second')], [401, 202])
    const { failures } = (await t.call<SourceReport>('GET', '/v1/sources/rotated/report')).body
    assert.deepEqual([failures[0]?.outcome, failures[0]?.cause], ['mismatch', 'old-secret'])
    await patch({ secrets: ['third', 'fourth'] })
    const seen = await Promise.all(['second', 'third', 'fourth'].map((secret) => trySecret('rotated', secret)))
    assert.deepEqual(seen, [401, 202, 202])
    assert.equal((await t.call<Source>('GET', '/v1/sources/rotated')).body.secrets.length, 2)
  })

  it('of another scheme takes the rules of that one', async () => {
    await put('moved', { scheme: 'hmac', secret: 'a', hmac: { header: 'x' }, event_type_prefix: 'm/' })
    const { body } = await t.call<Source>('PATCH', '/v1/sources/moved', { body: { scheme: 'stripe' } })
    const { scheme, hmac, event_type: type, id, event_type_prefix: prefix } = body
    assert.deepEqual([scheme, hmac, type, id, prefix], ['stripe', null, { pointer: '/type' }, { pointer: '/id' }, 'm/'])
  })

  it('shows its secrets nowhere: answers, lists, audit, reports, rows', async () => {
    await put('quiet', { scheme: 'github', secret: planted })
    await t.call('PATCH', '/v1/sources/quiet', { body: { secret: `${planted}-2` } })
    await trySecret('quiet', 'wrong')
    const texts = await Promise.all(
      ['/v1/sources/quiet', '/v1/sources?limit=200', '/v1/audit?limit=200', '/v1/sources/quiet/report', '/metrics'].map(
        async (path) => (await t.call('GET', path)).text,
      ),
    )
    const [workspace] = await t.hub.store.listWorkspaces('', 1)
    texts.push((await t.call('POST', '/v1/sources/quiet/example')).text)
    texts.push((await put('quiet', { scheme: 'github', secret: 'else' })).text)
    texts.push(JSON.stringify(await t.hub.store.sources.find(workspace?.id ?? 0, 'quiet')))
    for (const text of texts) assert.ok(!text.includes(planted), text)
    assert.match(texts[2] ?? '', /source\.create.*source\.change|source\.change.*source\.create/)
  })

  it('of an hour is reported by hour', async () => {
    await put('hourly', { scheme: 'none' })
    for (const advance of [0, 0, 3_600_000]) {
      t.advance(advance)
      await t.call('POST', '/in/hourly', { key: null, body: '{}' })
    }
    const { body } = await t.call<SourceReport>('GET', '/v1/sources/hourly/report')
    assert.deepEqual(
      body.hours.map(({ outcomes }) => outcomes),
      [{ accepted: 1 }, { accepted: 2 }],
    )
    assert.deepEqual(body.total, { accepted: 3 })
    const last = await t.call<SourceReport>('GET', '/v1/sources/hourly/report?hours=1')
    assert.deepEqual(last.body.total, { accepted: 1 })
  })
})

test('a source whose secrets were sealed with another secret key tells its owner, and takes new ones', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'sluice-sealed-'))
  const open = (byte: number) => openTestHub({ data: folder, secretKeys: [new Uint8Array(32).fill(byte)] })
  const first = await open(1)
  await first.call('PUT', '/v1/sources/a', { body: { scheme: 'github', secret: 'hush' } })
  await first.hub.close()
  const second = await open(2)
  const key = first.adminKey
  const body = Buffer.from('{}')
  const headers = await signMessage({ scheme: 'github', secrets: ['hush'], body, nowMs: 0 })
  const refused = await second.fail('POST', '/in/a', { key: null, headers, body })
  assert.equal(refused.error_code, 'storage-unavailable')
  assert.doesNotMatch(JSON.stringify(refused), /SLUICE_SECRET_KEY/)
  const { body: report } = await second.call<SourceReport>('GET', '/v1/sources/a/report', { key })
  assert.match(report.failures[0]?.reason ?? '', /add that one to SLUICE_SECRET_KEY/)
  assert.equal((await second.call('PATCH', '/v1/sources/a', { key, body: { secret: 'hush' } })).status, 200)
  assert.equal((await second.call('POST', '/in/a', { key: null, headers, body })).status, 202)
  await second.hub.close()
  await rm(folder, { recursive: true })
})

describe('an example', () => {
  it('of every scheme goes through the door', async () => {
    const secrets: Record<string, object> = {
      'standard-webhooks': { secret: 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw' },
      hmac: {
        secret: 'a',
        hmac: { header: 'X-S', template: '{url}{path}{id}{body}', id_header: 'X-I' },
        event_type: { header: 'X-T' },
      },
      none: {},
    }
    for (const scheme of ['standard-webhooks', 'github', 'stripe', 'slack', 'shopify', 'esauti', 'hmac', 'none']) {
      const key = `of-${scheme}`
      await put(key, { scheme, ...(secrets[scheme] ?? { secret: 'a' }) })
      const { body: example } = await t.call<SourceExample>('POST', `/v1/sources/${key}/example`)
      const answer = await t.call('POST', example.address, { key: null, headers: example.headers, body: example.body })
      assert.equal(answer.status, 202, `${scheme} ${answer.text}`)
    }
  })

  it('is not made where that would need or show what it must not', async () => {
    await put('secretive', { scheme: 'basic', secret: 'ada:hush' })
    await put('public', { scheme: 'standard-webhooks', secret: 'whpk_1SiA4o9hyqTCpIqC5V9HUakiiaeACeqfZTInDBbOir4=' })
    for (const key of ['secretive', 'public']) {
      const problem = await t.fail('POST', `/v1/sources/${key}/example`)
      assert.equal(problem.error_code, 'conflict')
      assert.match(problem.detail, /--secret/)
    }
  })
})
