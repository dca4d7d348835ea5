import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import { mkdtemp, readFile, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import type { KeyWithSecret } from '@sluice/protocol'
import { startHub } from '../../../scripts/hub-process.ts'
import { usePostgres } from '../../../scripts/use-postgres.ts'
import { openLocalAdmin } from './local-admin.ts'
import { openTestHub, type TestHub } from './test-hub.ts'

const postgres = await usePostgres()

async function inFolder(act: (folder: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'sluice-hmac-'))
  try {
    await act(folder)
  } finally {
    await rm(folder, { recursive: true })
  }
}

test('a secret that is planted stands in no file of the store and in no line of the log', async () => {
  await inFolder(async (data) => {
    const hub = await startHub({ data, env: { SLUICE_LOG_LEVEL: 'trace' } })
    const call = (path: string, body: string, headers: Record<string, string>): Promise<Response> =>
      fetch(hub.url + path, { method: 'POST', body, headers: { 'content-type': 'application/json', ...headers } })
    const bearer = { authorization: `Bearer ${hub.apiKey}` }
    const made = await call('/v1/keys', '{"user_id":"u","hmac":true}', bearer)
    const { key_id: id, hmac_secret: secret = '' } = (await made.json()) as KeyWithSecret
    const event = '{"event_type":"a","payload":{}}'
    const timestamp = String(Math.floor(Date.now() / 1000))
    const sign = (body: string): Record<string, string> => ({
      'x-sluice-key-id': id,
      'x-sluice-timestamp': timestamp,
      'x-sluice-signature': `sha256=${createHmac('sha256', secret).update(`POST\n/v1/events\n${timestamp}\n${body}`).digest('hex')}`,
    })
    assert.equal((await call('/v1/events', event, sign(event))).status, 201)
    assert.equal((await call('/v1/events', event, sign(''))).status, 401)
    assert.equal((await call('/v1/events', '{', sign('{'))).status, 400)
    await hub.stop()
    assert.ok(secret.length > 40 && hub.log().includes('answered'), hub.log())
    const files = await readdir(data)
    const texts = await Promise.all(files.map((file) => readFile(join(data, file), 'latin1')))
    for (const text of [hub.log(), ...texts]) assert.ok(!text.includes(secret.slice(4)))
  })
})

test('beside a database, no secret is sealed with a key that no hub has', { skip: postgres.skip }, async () => {
  await inFolder(async (data) => {
    const admin = await openLocalAdmin({ data, databaseUrl: postgres.url, exclusive: false })
    try {
      const refused = admin.createKey({ user_id: 'u', hmac: true })
      await assert.rejects(refused, { code: 'conflict', message: /SLUICE_SECRET_KEY/ })
      const { key_id: id } = await admin.createKey({ user_id: 'u' })
      await assert.rejects(admin.rotateKey(id, { hmac: true }), { code: 'conflict' })
    } finally {
      await admin.close()
    }
  })
})

test('nodes on one database take a signed request once between them', { skip: postgres.skip }, async () => {
  const database = { url: postgres.url }
  const clock = (): number => Date.now()
  const nodes = [await openTestHub({ database, clock }), await openTestHub({ database, clock })] as const
  try {
    const [first, second] = nodes
    const wanted = { user_id: 'u', role: 'admin', hmac: true }
    const admin = await openLocalAdmin({ data: tmpdir(), databaseUrl: postgres.url, exclusive: false })
    const { api_key: adminKey } = await admin.createKey({ user_id: 'admin', role: 'admin' })
    await admin.close()
    const made = await first.call<KeyWithSecret>('POST', '/v1/keys', { body: wanted, key: adminKey })
    assert.equal(made.status, 201, made.text)
    const timestamp = String(Math.floor(Date.now() / 1000))
    const send = (node: TestHub, path: string, body: string) => {
      const hmac = createHmac('sha256', made.body.hmac_secret ?? '').update(`POST\n${path}\n${timestamp}\n${body}`)
      const headers = {
        'x-sluice-key-id': made.body.key_id,
        'x-sluice-timestamp': timestamp,
        'x-sluice-signature': `sha256=${hmac.digest('hex')}`,
      }
      return node.call<{ event_id?: string; status?: string; error_code?: string }>('POST', path, {
        body,
        headers,
        key: null,
      })
    }
    const event = '{"event_type":"a","payload":{}}'
    const [one, other] = [await send(first, '/v1/events', event), await send(second, '/v1/events', event)]
    assert.deepEqual([one.status, other.status, other.body.event_id], [201, 200, one.body.event_id])
    const key = '{"user_id":"once"}'
    assert.equal((await send(first, '/v1/keys', key)).status, 201)
    assert.equal((await send(second, '/v1/keys', key)).body.error_code, 'conflict')
  } finally {
    for (const node of nodes) await node.close()
  }
})
