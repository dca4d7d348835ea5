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
