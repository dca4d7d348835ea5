import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { appendFile, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { createSluice, type DeadLetterRecord } from '@sluice/client'
import { createAdmin } from '@sluice/client/admin'
import { jsonlFile } from '@sluice/client/node'
import { useHub } from '../../../scripts/use-hub.ts'

const command = new URL('../bin/sluice.js', import.meta.url).pathname
const { hub, folder } = await useHub()

type Ran = { readonly status: number | null; readonly stdout: string; readonly stderr: string }

async function run(args: readonly string[], url = hub.url): Promise<Ran> {
  const env = { PATH: process.env['PATH'], SLUICE_URL: url, SLUICE_API_KEY: hub.apiKey ?? '' }
  const child = spawn(process.execPath, [command, 'dead-letters', 'send', ...args], { cwd: folder, env })
  let stdout = ''
  let stderr = ''
  child.stdout.on('data', (text: Buffer) => (stdout += text.toString()))
  child.stderr.on('data', (text: Buffer) => (stderr += text.toString()))
  const [status] = await once(child, 'close')
  return { status, stdout, stderr }
}

const stored = async (type: string): Promise<number> =>
  (await createAdmin({ baseUrl: hub.url, apiKey: hub.apiKey ?? '' }).searchEvents({ event_type: type, limit: 200 }))
    .events.length

test('what the SDK gave up is sent once, however often the command runs', async () => {
  let isLost = true
  const sluice = createSluice({
    baseUrl: hub.url,
    apiKey: hub.apiKey ?? '',
    maxRetries: 0,
    source: 'shop',
    deadLetter: jsonlFile(join(folder, 'letters.jsonl')),
    // The first is stored and its answer lost; the others do not arrive.
    fetch: async (url, init) => {
      if (isLost) await (await fetch(url, init)).text()
      isLost = false
      throw new TypeError('fetch failed')
    },
  })
  await assert.rejects(sluice.events.send('sdk.lost', { text: 'ü\u2028', n: 1.5 }, { identity: { id: 'u' } }))
  await assert.rejects(sluice.events.send('sdk.away', {}))
  await assert.rejects(sluice.events.sendBatch([1, 2].map((n) => ({ event_type: 'sdk.batch', payload: { n } }))))
  const counted = await run(['letters.jsonl', '--dry-run', '--json'])
  assert.deepEqual(
    [counted.status, JSON.parse(counted.stdout)],
    [0, { dry_run: true, pending: 4, sent_before: 0, torn: 0 }],
  )
  const sent = await run(['letters.jsonl', '--json'])
  assert.equal(sent.status, 0, sent.stderr)
  assert.deepEqual(JSON.parse(sent.stdout), { accepted: 4, duplicates: 1, failed: 0, errors: [], torn: 0 })
  assert.deepEqual([await stored('sdk.lost'), await stored('sdk.away'), await stored('sdk.batch')], [1, 1, 2])
  const again = await run(['letters.jsonl'])
  assert.deepEqual([again.status, again.stdout], [0, '0 sent, 0 of them were known to the hub, 0 failed\n'])
  assert.equal((await readFile(join(folder, 'letters.jsonl'), 'utf8')).trim().split('\n').length, 8)
})

function toRecord(id: string, type: string): DeadLetterRecord {
  return {
    dead_letter_id: id,
    at: '2026-01-31T12:00:00.000Z',
    url: 'http://gone.example/v1/events',
    event: { event_type: type, payload: {} },
    idempotency_key: `key-${id}`,
    attempts: 4,
    status: 503,
    error: { message: 'overloaded' },
  }
}

test('what is refused again stays, torn lines are told of, and the exit code says how it went', async () => {
  const path = join(folder, 'bad.jsonl')
  const file = jsonlFile(path)
  await file.write(toRecord('bad', ''))
  const none = await run(['bad.jsonl'])
  assert.equal(none.status, 1, none.stderr)
  assert.match(none.stderr, /line 1: validation-error: .*event_type.*\n/)
  await appendFile(path, '{"dead_letter_id":"torn","at":"2026')
  await file.write(toRecord('good', 'bad.good'))
  const some = await run(['bad.jsonl', '--json'])
  assert.equal(some.status, 5, some.stderr)
  assert.match(some.stderr, /line 2 is not whole/)
  const { errors, ...counts } = JSON.parse(some.stdout)
  assert.deepEqual(counts, { accepted: 1, duplicates: 0, failed: 1, torn: 1 })
  assert.deepEqual([errors.length, errors[0].line, errors[0].dead_letter_id], [1, 1, 'bad'])
  const left = await run(['bad.jsonl', '--dry-run', '--json'])
  assert.deepEqual(JSON.parse(left.stdout), { dry_run: true, pending: 1, sent_before: 1, torn: 1 })
})

test('CloudEvents go out as they are, between the others, and what is refused stays', async () => {
  const path = join(folder, 'cloud.jsonl')
  const sluice = createSluice({
    baseUrl: 'http://127.0.0.1:9',
    apiKey: hub.apiKey ?? '',
    maxRetries: 0,
    deadLetter: jsonlFile(path),
  })
  const event = { specversion: '1.0', id: 'c-1', source: '/shop', type: 'cloud.sent', data: ['any'] } as const
  await assert.rejects(sluice.events.send('cloud.before', {}))
  await assert.rejects(sluice.events.sendCloudEvent(event))
  await assert.rejects(sluice.events.sendCloudEvent({ ...event, source: 'no uri' }))
  await assert.rejects(sluice.events.send('cloud.after', {}))
  const sent = await run(['cloud.jsonl', '--json'])
  assert.equal(sent.status, 5, sent.stderr)
  const { errors, ...counts } = JSON.parse(sent.stdout)
  assert.deepEqual(counts, { accepted: 3, duplicates: 0, failed: 1, torn: 0 })
  assert.deepEqual([errors.length, errors[0].line, errors[0].error_code], [1, 3, 'validation-error'])
  assert.equal(await stored('cloud.*'), 3)
  const again = await run(['cloud.jsonl', '--json'])
  assert.deepEqual([again.status, JSON.parse(again.stdout).failed, await stored('cloud.*')], [1, 1, 3])
})

test('a hub that is away, a file that is not there', async () => {
  await jsonlFile(join(folder, 'away.jsonl')).write(toRecord('a', 'away'))
  const away = await run(['away.jsonl'], 'http://127.0.0.1:9')
  assert.equal(away.status, 3, away.stderr)
  assert.match(away.stderr, /cannot reach the hub/)
  const missing = await run(['none.jsonl'])
  assert.equal(missing.status, 2, missing.stderr)
  assert.match(missing.stderr, /cannot use none.jsonl/)
})
