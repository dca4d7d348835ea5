import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { createSluice } from '@sluice/client'
import { createAdmin } from '@sluice/client/admin'
import { startHub } from '../../../scripts/hub-process.ts'
import { usePostgres } from '../../../scripts/use-postgres.ts'

const sluice = new URL('../bin/sluice.js', import.meta.url).pathname
const postgres = await usePostgres()
const secret = { SLUICE_SECRET_KEY: '07'.repeat(32) }

function openFolder(context: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-moving-'))
  context.after(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

function run(args: readonly string[], cwd: string, input?: string) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [sluice, ...args], {
    cwd,
    env: { PATH: process.env['PATH'] },
    encoding: 'utf8',
    maxBuffer: 1e9,
    ...(input !== undefined && { input }),
  })
  return { status, stdout, stderr }
}

function json(args: readonly string[], cwd: string) {
  const ran = run([...args, '--json'], cwd)
  assert.equal(ran.status, 0, ran.stderr)
  return JSON.parse(ran.stdout)
}

test(
  'a half-finished inbox moves from SQLite to Postgres and back, and goes on where it was',
  { skip: postgres.skip },
  async (context) => {
    const folder = openFolder(context)
    const ids: string[] = []
    let apiKey = ''
    let acked: string[] = []
    {
      await using hub = await startHub({ data: join(folder, 'here') })
      apiKey = hub.apiKey ?? ''
      const client = createSluice({ baseUrl: hub.url, apiKey })
      const { results } = await client.events.sendBatch(
        Array.from({ length: 100 }, (_, n) => ({
          event_type: 'order.created',
          payload: { n },
          idempotency_key: `n-${n}`,
        })),
      )
      ids.push(...results.flatMap((result) => ('event_id' in result ? [result.event_id] : [])))
      const { call } = toCalls(hub.url, apiKey)
      await call('PUT', '/v1/inboxes/crm', { start: 'earliest', max_attempts: 3 })
      acked = (await call('POST', '/v1/inboxes/crm/lease', { lease_id: 'done', limit: 40 })).events.map(idOf)
      await call('POST', '/v1/inboxes/crm/ack', { lease_id: 'done' })
      // A worker that is still at it when the workspace moves.
      await call('POST', '/v1/inboxes/crm/lease', { lease_id: 'busy', limit: 10, lease_seconds: 3600 })
      await call('POST', '/v1/inboxes/crm/lease', { lease_id: 'back', limit: 5 })
      await call('POST', '/v1/inboxes/crm/release', { lease_id: 'back', reason: 'not yet' })
    }
    const file = join(folder, 'shop.ndjson')
    const exported = json(['export', file, '--data', 'here'], folder)
    assert.deepEqual([exported.counts.event, exported.counts.lease], [100, 1])
    assert.equal(statSync(file).mode & 0o777, 0o600)
    // A hub has been there before: its workspace is empty, and its key stays good.
    let keyThere = ''
    {
      await using hub = await startHub({ data: join(folder, 'there'), env: { ...secret, DATABASE_URL: postgres.url } })
      keyThere = hub.apiKey ?? ''
      const imported = json(['import', file, '--database-url', postgres.url], folder)
      assert.deepEqual([imported.workspace, imported.counts], ['default', exported.counts])
      const client = createSluice({ baseUrl: hub.url, apiKey })
      const { call } = toCalls(hub.url, apiKey)
      assert.equal((await toCalls(hub.url, keyThere).call('GET', `/v1/events/${ids[0]}`)).event_id, ids[0])
      const again = await client.events.send('order.created', { n: 3 }, { idempotencyKey: 'n-3' })
      assert.equal(again.event_id, ids[3], 'a retry after the move is still a duplicate')
      // The busy worker is heard, also here.
      const busy = await call('POST', '/v1/inboxes/crm/ack', { lease_id: 'busy' })
      acked.push(...busy.results.map(idOf))
      const first = await call('POST', '/v1/inboxes/crm/lease', { lease_id: 'half', limit: 20 })
      assert.deepEqual(
        first.events.slice(0, 6).map(({ attempt }: { attempt: number }) => attempt),
        [2, 2, 2, 2, 2, 1],
        'attempts are kept',
      )
      acked.push(...first.events.map(idOf))
      await call('POST', '/v1/inboxes/crm/ack', { lease_id: 'half' })
    }
    json(['export', 'back.ndjson', '--database-url', postgres.url], folder)
    json(['import', 'back.ndjson', '--data', 'back'], folder)
    {
      await using hub = await startHub({ data: join(folder, 'back') })
      assert.equal(hub.apiKey, null, 'the keys came along')
      const { call } = toCalls(hub.url, apiKey)
      for (;;) {
        const { events } = await call('POST', '/v1/inboxes/crm/lease', { lease_id: 'rest', limit: 50 })
        if (events.length === 0) break
        acked.push(...events.map(idOf))
        await call('POST', '/v1/inboxes/crm/ack', { lease_id: 'rest' })
      }
      assert.deepEqual(acked.toSorted(), ids.toSorted(), 'each event once: nothing came back, nothing is missing')
      const { verdicts } = await call('GET', `/v1/events/${ids[51]}/explain`)
      const verdict = verdicts.find(({ inbox }: { inbox: string }) => inbox === 'crm')
      assert.deepEqual([verdict.verdict, verdict.history[0].reason], ['acknowledged', 'not yet'])
      const deeds = (await createAdmin({ baseUrl: hub.url, apiKey }).listAudit()).entries.map(({ verb }) => verb)
      assert.ok(deeds.includes('workspace.import'))
    }
  },
)

const idOf = ({ event_id: id }: { event_id: string }): string => id

function toCalls(url: string, apiKey: string) {
  const call = async (method: string, path: string, body?: unknown) => {
    const response = await fetch(`${url}${path}`, {
      method,
      headers: { authorization: `Bearer ${apiKey}`, 'content-type': 'application/json' },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    })
    const text = await response.text()
    assert.ok(response.ok, `${method} ${path}: ${text}`)
    return JSON.parse(text)
  }
  return { call }
}

test('an export is taken beside a hub; an import is refused there, and damage is named by line', async (context) => {
  const folder = openFolder(context)
  {
    await using hub = await startHub({ data: join(folder, 'here') })
    const client = createSluice({ baseUrl: hub.url, apiKey: hub.apiKey ?? '' })
    await client.events.sendBatch(Array.from({ length: 700 }, (_, n) => ({ event_type: 'a', payload: { n } })))
    json(['export', 'file', '--data', 'here'], folder)
    const refused = run(['import', 'file', '--data', 'here', '--workspace', 'copy'], folder)
    assert.deepEqual([refused.status, refused.stdout], [1, ''])
    assert.match(refused.stderr, /another hub runs on the data folder/)
    const piped = run(['export', '-', '--data', 'here'], folder)
    assert.equal(piped.status, 0, piped.stderr)
    assert.match(piped.stderr, /700 events/)
    const copied = run(['import', '-', '--data', 'copy', '--workspace', 'copy', '--json'], folder, piped.stdout)
    assert.equal(copied.status, 0, copied.stderr)
    assert.equal(JSON.parse(copied.stdout).counts.event, 700)
  }
  const lines = readFileSync(join(folder, 'file'), 'utf8').trimEnd().split('\n')
  const cut = lines.slice(0, -100)
  writeFileSync(join(folder, 'cut'), `${cut.join('\n')}\n`)
  const there = ['--data', 'there', '--json']
  const truncated = run(['import', 'cut', ...there], folder)
  assert.deepEqual([truncated.status, truncated.stdout], [1, ''])
  assert.match(truncated.stderr, /ends before its last line/)
  assert.equal(run(['workspaces', 'list', '--data', 'there', '--json'], folder).stdout.match(/"events":0/g)?.length, 1)
  const whole = JSON.parse(run(['import', 'file', ...there], folder).stdout)
  assert.ok(whole.resumed > 0, 'it goes on')
  const damaged = lines.map((line) => line.replace('"n\\":350', '"n\\":351'))
  writeFileSync(join(folder, 'damaged'), `${damaged.join('\n')}\n`)
  const refused = run(['import', 'damaged', '--workspace', 'other', ...there, '--no-keys'], folder)
  assert.equal(refused.status, 1)
  assert.match(refused.stderr, /line \d+ does not fit lines \d+ to \d+: they were damaged/)
  for (const [args, words] of [
    [['export', 'file', '--data', 'there'], /is there already/],
    [['export', 'x', '--data', 'nowhere'], /there is no store in/],
    [['export', '-', '--json', '--data', 'there'], /stdout holds the summary/],
    [['import', 'nothing', '--data', 'there'], /nothing/],
    [['export', 'x', '--url', 'http://x'], /unknown option/],
  ] as const) {
    const ran = run(args, folder)
    assert.deepEqual([ran.status, ran.stdout], [2, ''], args.join(' '))
    assert.match(ran.stderr, words)
  }
  assert.equal(run(['export', 'x', '--data', 'there', '--workspace', 'nobody'], folder).status, 1)
})
