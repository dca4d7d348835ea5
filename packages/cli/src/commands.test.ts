import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { useHub } from '../../../scripts/use-hub.ts'

const sluice = new URL('../bin/sluice.js', import.meta.url).pathname
const { hub, folder } = await useHub()

type Ran = { readonly status: number | null; readonly stdout: string; readonly stderr: string }

async function run(
  args: readonly string[],
  more: { input?: string; env?: Record<string, string | undefined> } = {},
): Promise<Ran> {
  const env = { PATH: process.env['PATH'], SLUICE_URL: hub.url, SLUICE_API_KEY: hub.apiKey ?? '', ...more.env }
  const child = spawn(process.execPath, [sluice, ...args], { cwd: folder, env })
  let stdout = ''
  let stderr = ''
  child.stdout.on('data', (text: Buffer) => (stdout += text.toString()))
  child.stderr.on('data', (text: Buffer) => (stderr += text.toString()))
  child.stdin.on('error', () => undefined)
  child.stdin.end(more.input ?? '')
  const [status] = await once(child, 'close')
  return { status, stdout, stderr }
}

/** The one JSON value on stdout of a command that went well. */
async function json(args: readonly string[], input?: string) {
  const ran = await run([...args, '--json'], input === undefined ? {} : { input })
  assert.equal(ran.status, 0, ran.stderr)
  return JSON.parse(ran.stdout)
}

test('send takes its payload as an argument, from a file, and from stdin', async () => {
  await writeFile(join(folder, 'payload.json'), '{"from":"file"}')
  const sent = [
    await json([
      'send',
      'payloads.sent',
      '{"from":"argument"}',
      '--source',
      's',
      '--entity',
      'order:7',
      '--idempotency-key',
      'k',
    ]),
    await json(['send', 'payloads.sent', '@payload.json']),
    await json(['send', 'payloads.sent', '--file', 'payload.json']),
    await json(['send', 'payloads.sent', '-'], '{"from":"stdin"}'),
    await json(['send', 'payloads.sent']),
  ]
  const found = await Promise.all(sent.map(({ event_id: id }) => json(['events', 'get', id])))
  assert.deepEqual(
    found.map(({ payload }) => payload.from),
    ['argument', 'file', 'file', 'stdin', undefined],
  )
  assert.deepEqual([found[0].source, found[0].entity], ['s', { type: 'order', id: '7' }])
  const words = await run([
    'send',
    'payloads.sent',
    '{"from":"argument"}',
    '--source',
    's',
    '--entity',
    'order:7',
    '--idempotency-key',
    'k',
  ])
  assert.equal(words.stdout, `${sent[0].event_id} duplicate\n`)
})

test('many events go in from stdin; what the hub refuses is named by line, and the exit code says partly', async () => {
  const lines = Array.from({ length: 1100 }, (_, n) =>
    JSON.stringify({ event_type: 'bulk.sent', payload: { n, text: '\u2028' } }),
  )
  const good = await run(['send', '--ndjson'], { input: lines.join('\n') })
  assert.deepEqual([good.status, good.stdout], [0, '1100 accepted, 0 failed\n'])
  assert.match(good.stderr, /1,100 accepted/)
  const mixed = await run(['send', '--ndjson', '--json'], {
    input: `${lines[0]}\n\nnonsense\n{"event_type":"","payload":{}}\n`,
  })
  assert.equal(mixed.status, 5)
  const summary = JSON.parse(mixed.stdout)
  assert.deepEqual(
    [summary.accepted, summary.failed, summary.errors.map(({ line }: { line: number }) => line)],
    [1, 2, [3, 4]],
  )
  assert.equal((await run(['send', '--ndjson'], { input: 'nonsense\n' })).status, 1)
  assert.equal((await run(['send', 'type', '--ndjson'])).status, 2)
})

test('a filter is tried on the past, and a time of the past is handed out again', async () => {
  for (const n of [1, 2, 3]) await json(['send', 'past.seen', `{"n":${n}}`])
  await json(['inboxes', 'create', 'past', '--start', 'latest', '--type', 'past.*'])
  const tried = await json([
    'events',
    'try',
    '--type',
    'past.*',
    '--compare',
    '{"event_types":["past.*"],"payload":[{"pointer":"/n","gt":2}]}',
  ])
  assert.deepEqual([tried.matched, tried.matched_other, tried.only_filter, tried.only_other], [3, 1, 2, 0])
  const counted = await json(['inboxes', 'replay', 'past', '--after', '1h', '--dry-run'])
  assert.deepEqual([counted.replayed, counted.dry_run], [3, true])
  const words = await run(['inboxes', 'replay', 'past', '--filter', '{"payload":[{"pointer":"/n","lt":3}]}'])
  assert.match(words.stdout, /^2 events are handed out again; \d+ looked at\.$/m)
  assert.equal((await json(['inboxes', 'show', 'past'])).waiting, 2)
})

test('a CloudEvent goes in from a file or stdin, its data may be anything, and tail shows it', async () => {
  const event = { specversion: '1.0', id: 'cli-1', source: '/cli', type: 'cloud.sent', data: ['any', 1] }
  await writeFile(join(folder, 'event.json'), JSON.stringify(event))
  const sent = await json(['send', '--cloudevent', 'event.json'])
  const again = await json(['send', '--cloudevent', '-'], JSON.stringify(event))
  assert.deepEqual([sent.status, again.status, again.event_id], ['accepted', 'duplicate', sent.event_id])
  const bytes = await json(
    ['send', '--cloudevent', '-'],
    JSON.stringify({ ...event, id: 'b', data: undefined, data_base64: 'AAE=' }),
  )
  const none = await json(['send', '--cloudevent', '-'], JSON.stringify({ ...event, id: 'n', data: undefined }))
  await json(['inboxes', 'create', 'clouds', '--start', 'earliest', '--type', 'cloud.*'])
  const shown = await run(['tail', '--inbox', 'clouds', '--from', 'earliest', '--limit', '3'])
  const words = shown.stdout
    .trim()
    .split('\n')
    .map((line) => line.split('cloud.sent  ')[1])
  assert.deepEqual(words, ['["any",1]', 'base64 AAE=', '-'], shown.stderr)
  assert.equal((await json(['events', 'get', bytes.event_id])).payload_base64, 'AAE=')
  assert.equal((await json(['events', 'get', none.event_id])).payload, undefined)
  const refused = await run(['send', '--cloudevent', '-'], { input: '{"specversion":"1.0"}' })
  assert.match(refused.stderr, /\/id/)
  assert.equal((await run(['send', '--cloudevent', 'event.json', '--source', 'x'])).status, 2)
})

test('poll pages, and acknowledges what it has shown when told to', async () => {
  const page = await json(['poll', '--limit', '2'])
  assert.equal(page.events.length, 2)
  const next = await json(['poll', '--limit', '2', '--cursor', page.pagination.next_cursor, '--ack'])
  const after = await json(['poll', '--limit', '200'])
  assert.ok(!after.events.some((event: { event_id: string }) => event.event_id === next.events[0].event_id))
})

test('tail follows, as lines of JSON or of words', async () => {
  const followed = await run(['tail', '--from', 'earliest', '--limit', '3', '--json'])
  assert.deepEqual(
    followed.stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line).event_type),
    ['payloads.sent', 'payloads.sent', 'payloads.sent'],
  )
  const words = await run(['tail', '--from', 'earliest', '--limit', '1'])
  assert.match(words.stdout, /^\S+Z {2}[0-9a-f-]{36} {2}payloads\.sent {2}\{"from":"argument"\}\n$/)
})

test('work runs a command for each event: exit code 0 acknowledges, others give back, until the event is dead', async () => {
  await json(['inboxes', 'create', 'jobs', '--type', 'job.*', '--max-attempts', '2'])
  await json(['send', 'job.good', '{"n":1}'])
  await json(['send', 'job.bad', '{"n":2}'])
  const command = 'read event; echo "$event" | grep -q \'"n":1\' || { echo "no $SLUICE_ATTEMPT" >&2; exit 7; }'
  const worked = await run(['work', '--inbox', 'jobs', '--drain', '--exec', command, '--json'])
  assert.equal(worked.status, 5, worked.stderr)
  const ended = worked.stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))
  assert.deepEqual(
    ended.map(({ event_type, attempt, outcome, exit_code }) => [event_type, attempt, outcome, exit_code]),
    [
      ['job.good', 1, 'acked', 0],
      ['job.bad', 1, 'released', 7],
      ['job.bad', 2, 'released', 7],
    ],
  )
  const { dead_letters: dead } = await json(['dead-letters', 'list', '--inbox', 'jobs'])
  assert.equal(dead[0].reason, 'the command exited with 7: no 2')
  assert.deepEqual(await json(['dead-letters', 'replay', '--inbox', 'jobs', '--type', 'job.*', '--dry-run']), {
    count: 1,
    dry_run: true,
  })
  const died = async (...when: string[]): Promise<number> =>
    (await json(['dead-letters', 'replay', '--inbox', 'jobs', '--dry-run', ...when])).count
  assert.deepEqual([await died('--after', '1h'), await died('--before', '1h')], [1, 0])
  assert.equal((await json(['dead-letters', 'replay', '--inbox', 'jobs', '--all'])).count, 1)
  const once = await run(['work', '--inbox', 'jobs', '--once', '--exec', 'cat'])
  assert.deepEqual([once.status, JSON.parse(once.stdout).event_type], [0, 'job.bad'])
  assert.equal((await run(['dead-letters', 'discard', '--inbox', 'jobs'])).status, 2)
})

test('a worker that is stopped finishes its command and exits well', async () => {
  await json(['inboxes', 'create', 'slow', '--type', 'slow.*'])
  const { event_id: id } = await json(['send', 'slow.started'])
  const child = spawn(
    process.execPath,
    [sluice, 'work', '--inbox', 'slow', '--exec', 'echo begun; read event; sleep 0.5; echo finished'],
    {
      env: { PATH: process.env['PATH'], SLUICE_URL: hub.url, SLUICE_API_KEY: hub.apiKey ?? '' },
      cwd: folder,
    },
  )
  let said = ''
  child.stdout.on('data', (text: Buffer) => {
    said += text.toString()
    if (said === 'begun\n') child.kill('SIGTERM')
  })
  const [code] = await once(child, 'close')
  assert.deepEqual([code, said], [0, 'begun\nfinished\n'])
  const { verdicts } = await json(['events', 'explain', id])
  assert.equal(verdicts.find(({ inbox }: { inbox: string }) => inbox === 'slow').verdict, 'acknowledged')
})

test('inboxes are made, shown, changed, paused, moved and deleted', async () => {
  const made = await json([
    'inboxes',
    'create',
    'crm',
    '--type',
    'a.*',
    '--type',
    'b.*',
    '--retry',
    '1,10',
    '--start',
    'earliest',
  ])
  assert.deepEqual([made.filter, made.retry], [{ event_types: ['a.*', 'b.*'] }, { schedule_seconds: [1, 10] }])
  assert.equal((await run(['inboxes', 'create', 'crm', '--type', 'c.*'])).status, 1)
  assert.equal((await json(['inboxes', 'update', 'crm', '--lease-seconds', '60'])).lease_seconds, 60)
  assert.equal((await json(['inboxes', 'pause', 'crm'])).status, 'paused')
  assert.equal((await json(['inboxes', 'resume', 'crm'])).status, 'active')
  assert.ok((await json(['inboxes', 'seek', 'crm', '1h'])).behind > 0)
  assert.equal((await json(['inboxes', 'seek', 'crm', 'latest'])).behind, 0)
  assert.ok((await json(['inboxes', 'list'])).inboxes.some(({ key }: { key: string }) => key === 'crm'))
  assert.match((await run(['inboxes', 'show', 'crm'])).stdout, /^lease_seconds +60$/m)
  assert.deepEqual(await json(['inboxes', 'delete', 'crm']), { key: 'crm', deleted: true })
  assert.equal((await run(['inboxes', 'show', 'crm'])).status, 1)
})

test('events are searched, explained and replayed', async () => {
  const { event_id: id } = await json(['send', 'found.once', '{"needle":"haystack-7"}'])
  assert.equal((await json(['events', 'search', '--type', 'found.*', '--text', 'haystack-7'])).events[0].event_id, id)
  const search = async (...times: string[]): Promise<number> =>
    (await json(['events', 'search', '--text', 'haystack-7', ...times])).events.length
  assert.deepEqual([await search('--after', '1h'), await search('--before', '1h')], [1, 0])
  assert.equal((await json(['events', 'replay', id])).status, 'already-waiting')
  assert.match((await run(['events', 'explain', id])).stdout, /^default +waiting/m)
})

test('keys and workspaces are managed over HTTP and in the folder alike', async () => {
  for (const where of [
    ['--data', join(folder, '.sluice')],
    ['--url', hub.url],
  ]) {
    const key = await json(['keys', 'create', '--user-id', 'u', '--expires', '30d', '--rate-limit', '100', ...where])
    assert.deepEqual([key.role, key.rate_limit, key.status], ['creator', 100, 'active'])
    assert.ok(Date.parse(key.expires_at) > Date.now())
    assert.equal(
      (await json(['keys', 'update', key.key_id, '--role', 'viewer', '--rate-limit', 'none', ...where])).rate_limit,
      null,
    )
    assert.notEqual((await json(['keys', 'rotate', key.key_id, ...where])).api_key, key.api_key)
    assert.equal((await json(['keys', 'deactivate', key.key_id, ...where])).status, 'inactive')
    assert.equal((await json(['keys', 'activate', key.key_id, ...where])).status, 'active')
    assert.equal((await json(['keys', 'revoke', key.key_id, ...where])).status, 'revoked')
    assert.equal((await run(['keys', 'activate', key.key_id, ...where])).status, 1)
    assert.equal((await json(['workspaces', 'create', 'team', ...where])).key, 'team')
  }
  assert.equal((await run(['workspaces', 'delete', 'team', '--data', join(folder, '.sluice')])).status, 1)
  assert.deepEqual(await json(['workspaces', 'delete', 'team']), { key: 'team', deleted: true })
  assert.deepEqual(
    (await json(['workspaces', 'list'])).workspaces.map(({ key }: { key: string }) => key),
    ['default'],
  )
})

test('exit codes say what kind of failure it was, and stdout stays empty', async () => {
  const cases: [number, readonly string[], Record<string, string>, RegExp][] = [
    [2, ['poll'], { SLUICE_API_KEY: '' }, /no API key: .*sluice keys create/],
    [2, ['poll', '--limit', 'many'], {}, /whole number from 1 to 200/],
    [2, ['send', 'a', '{"cut'], {}, /the payload is not JSON/],
    [2, ['nonsense'], {}, /unknown command/],
    [2, ['poll', '--url', 'localhost'], {}, /not the address of a hub/],
    [3, ['poll', '--url', 'http://127.0.0.1:1'], {}, /cannot reach the hub/],
    [4, ['poll', '--key', 'slk_wrong'], {}, /Invalid or missing API key/],
    [1, ['send', 'sluice.mine', '{}'], {}, /reserved for the hub/],
    [1, ['events', 'get', 'nonsense'], {}, /Not found/],
  ]
  for (const [code, args, env, words] of cases) {
    const ran = await run([...args, '--json'], { env })
    assert.deepEqual([ran.status, ran.stdout], [code, ''], args.join(' '))
    assert.match(ran.stderr, words)
  }
})

test('doctor finds nothing wrong here, and says what to do where there is', async () => {
  const checks: { name: string; status: string }[] = await json(['doctor'])
  assert.deepEqual(
    checks.map(({ name, status }) => `${name} ${status}`),
    ['node ok', 'data ok', 'secret key ok', 'store ok', 'secrets ok', 'hub ok', 'health ok', 'clock ok', 'key ok'],
  )
  const wrong = await run(['doctor', '--key', 'slk_wrong'])
  assert.equal(wrong.status, 1)
  assert.match(wrong.stdout, /fail {2}key[^]*-> make a new one/)
})

test('.env of the working folder is read, and the environment wins', async () => {
  await writeFile(join(folder, '.env'), `SLUICE_API_KEY=slk_wrong\nSLUICE_URL=${hub.url}\n`)
  const env = { SLUICE_URL: undefined }
  assert.equal((await run(['poll'], { env })).status, 0)
  await writeFile(join(folder, '.env'), '')
})
