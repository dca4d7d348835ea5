import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { loadConnector, openDuckDb, readDuckDb, runConnector, type SyncResult } from '@sluice/sdk/sync'
import { createClock, cut, rateLimited, type Answer, type Cut } from '@sluice/sdk/testing'
import { startPeopleAi, testCredentials, type PeopleAi, type PeopleAiOptions } from './src/testing.ts'

type Fault = NonNullable<PeopleAiOptions['fault']>

type Sync = { readonly result: SyncResult; readonly waits: readonly number[]; readonly said: readonly string[] }

/** A warehouse of its own for each test, and a sync into it. */
function useWarehouse(context: TestContext) {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-people-ai-'))
  context.after(() => rmSync(folder, { recursive: true, force: true }))
  const file = join(folder, 'warehouse.duckdb')
  const sync = async ({ url }: PeopleAi, configuration: Record<string, string> = {}): Promise<Sync> => {
    const clock = createClock()
    const said: string[] = []
    const result = await runConnector({
      connector: await loadConnector(import.meta.dirname),
      configuration: { ...testCredentials, base_url: url, page_size: '2', ...configuration },
      destination: (options) => openDuckDb({ file, ...options }),
      nowMs: clock.nowMs,
      sleep: clock.sleep,
      random: () => 0,
      onLog: (level, message) => said.push(`${level} ${message}`),
    })
    return { result, waits: clock.waits, said }
  }
  const rows = async (table: string, column: string): Promise<(string | null)[]> =>
    (await readDuckDb(file, `tester.${table}`))
      .map((row) => row[column] ?? null)
      .toSorted((left, right) => String(left).localeCompare(String(right)))
  return { sync, rows }
}

const activities = ['a1', 'a2', 'a3'].map((uid) => ({ uid, subject: `about ${uid}` }))
const participants = [{ uid: 'a1', email: 'x@example.com', subject: 's' }, { uid: 'a1', email: null }, { uid: 'a2' }]
const start = (options: Partial<PeopleAiOptions> = {}): Promise<PeopleAi> =>
  startPeopleAi({ ...options, rows: { activities, participants, ...options.rows } })
/** Answers the requests with these numbers instead of the service; 1 is the first token. */
const at = (numbers: readonly number[], reply: Answer | Cut): Fault => {
  return (_, number) => (numbers.includes(number) ? reply : undefined)
}

test('a clean sync: tables, operations, places', async (context) => {
  const { sync, rows } = useWarehouse(context)
  await using peopleAi = await start()
  const { result, waits } = await sync(peopleAi)
  assert.equal(result.error, undefined)
  assert.deepEqual(result.operations, {
    upserts: 6,
    updates: 0,
    deletes: 0,
    truncates: 0,
    schema_changes: 2,
    checkpoints: 5,
  })
  assert.deepEqual(result.tables, { activity: { rows: 3 }, participants: { rows: 3 } })
  assert.deepEqual(waits, [])
  assert.deepEqual(peopleAi.requests, [
    'POST /auth/v1/tokens',
    'GET /v0/public/activities offset=0',
    'GET /v0/public/activities offset=2',
    'GET /v0/public/activities offset=3',
    'GET /v0/public/activities/participants offset=0',
    'GET /v0/public/activities/participants offset=2',
    'GET /v0/public/activities/participants offset=3',
  ])
  // Defect 5: each table has a place of its own, and a complete sync has none.
  assert.deepEqual(result.state, { activity_offset: 0, participants_offset: 0 })
  assert.deepEqual(await rows('activity', 'api_subject'), ['about a1', 'about a2', 'about a3'])
})

test('subject is api_subject in every table', async (context) => {
  const { sync, rows } = useWarehouse(context)
  await using peopleAi = await start({ rows: { meeting: [{ uid: 'm', subject: 'weekly' }] } })
  await sync(peopleAi, { activity_types: 'participants, meeting' })
  assert.deepEqual(await rows('participants', 'api_subject'), [null, null, 's'])
  assert.deepEqual(await rows('meeting', 'api_subject'), ['weekly'])
})

test('defect 1: the connector of the folder can be loaded', async () => {
  assert.equal((await loadConnector(import.meta.dirname)).name, 'people_ai')
})

test('defect 2: the next sync sees changes of rows that it has read before', async (context) => {
  const { sync, rows } = useWarehouse(context)
  await using before = await start()
  await sync(before)
  await using after = await start({ rows: { activities: [{ uid: 'a1', subject: 'changed' }, ...activities.slice(1)] } })
  await sync(after)
  assert.deepEqual(await rows('activity', 'api_subject'), ['about a2', 'about a3', 'changed'])
})

for (const [status, kind] of [
  [503, 'remote'],
  [404, 'remote'],
  [403, 'auth'],
] as const) {
  test(`defect 3: a table that ends with ${status} is no success, and the next table does not begin`, async (context) => {
    const { sync } = useWarehouse(context)
    const fault: Fault = ({ query }) => (query.get('offset') === '2' ? { status, text: 'no' } : undefined)
    await using peopleAi = await start({ fault })
    const { result } = await sync(peopleAi)
    assert.equal(result.status, 'failed')
    assert.equal(result.error?.kind, kind)
    // What was committed stays, and the next sync goes on there.
    assert.deepEqual(result.state, { activity_offset: 2 })
    assert.deepEqual(result.tables['activity'], { rows: 2 })
    assert.ok(!peopleAi.requests.some((request) => request.includes('participants')))
  })
}

test('defect 3: no first token is a failure of the credentials', async (context) => {
  const { sync } = useWarehouse(context)
  await using peopleAi = await start()
  const { result } = await sync(peopleAi, { api_secret: 'another-secret' })
  assert.equal(result.status, 'failed')
  assert.equal(result.error?.kind, 'auth')
  assert.ok(!result.error?.message.includes('another-secret'))
})

test('an interrupted sync goes on where it was', async (context) => {
  const { sync, rows } = useWarehouse(context)
  const broken: Fault = ({ path }) => (path.endsWith('participants') ? { status: 400 } : undefined)
  await using first = await start({ fault: broken })
  await sync(first)
  await using second = await start()
  const { result } = await sync(second)
  assert.equal(result.status, 'succeeded')
  assert.deepEqual(second.requests.slice(0, 3), [
    'POST /auth/v1/tokens',
    'GET /v0/public/activities offset=3',
    'GET /v0/public/activities/participants offset=0',
  ])
  assert.deepEqual(await rows('activity', 'uid'), ['a1', 'a2', 'a3'])
})

test('defect 4: the token after a 401 is that of all later requests', async (context) => {
  const { sync } = useWarehouse(context)
  await using peopleAi = await start({ requestsOfToken: 3 })
  const { result, waits } = await sync(peopleAi)
  assert.equal(result.status, 'succeeded')
  assert.equal(peopleAi.tokens(), 2)
  // Six pages, and one of them twice.
  assert.equal(peopleAi.requests.length, 2 + 7)
  assert.deepEqual(waits, [])
})

test('a second 401 for the same request ends the sync', async (context) => {
  const { sync } = useWarehouse(context)
  await using peopleAi = await start({ requestsOfToken: 0 })
  const { result } = await sync(peopleAi)
  assert.equal(result.error?.kind, 'auth')
  assert.equal(peopleAi.tokens(), 2)
})

test('defect 6: a key with a null in it is a key', async (context) => {
  const { sync, rows } = useWarehouse(context)
  await using peopleAi = await start()
  await sync(peopleAi)
  await sync(peopleAi)
  assert.deepEqual(await rows('participants', 'email'), [null, null, 'x@example.com'])
})

test('a row without any key is refused: all of them would be one', async (context) => {
  const { sync } = useWarehouse(context)
  await using peopleAi = await start({ rows: { activities: [{ subject: 'whose?' }] } })
  const { result } = await sync(peopleAi)
  assert.equal(result.error?.kind, 'remote')
  assert.match(result.error?.message ?? '', /table activity: a row has no key; uid is null or missing/)
})

test('defect 7: lists and objects in a row are kept as JSON', async (context) => {
  const { sync, rows } = useWarehouse(context)
  await using peopleAi = await start({ rows: { activities: [{ uid: 'a', tags: ['x', { y: [1] }], who: { id: 1 } }] } })
  const { result } = await sync(peopleAi)
  assert.equal(result.status, 'succeeded')
  assert.deepEqual(await rows('activity', 'tags'), ['["x",{"y":[1]}]'])
  assert.deepEqual(await rows('activity', 'who'), ['{"id":1}'])
})

test('defect 8: an API that ignores the offset ends the sync, and not as a success', async (context) => {
  const { sync } = useWarehouse(context)
  await using peopleAi = await start({ ignoresOffset: true })
  const { result } = await sync(peopleAi)
  assert.equal(result.status, 'failed')
  assert.equal(result.error?.kind, 'remote')
  assert.match(result.error?.message ?? '', /the same page came twice/)
})

test('defect 9: pages have 1,000 rows unless somebody wants another number', async (context) => {
  const { sync } = useWarehouse(context)
  const limits: (string | null)[] = []
  const fault: Fault = ({ query, method }) => {
    if (method === 'GET') limits.push(query.get('limit'))
    return undefined
  }
  await using peopleAi = await start({ fault })
  await sync(peopleAi, { page_size: '' })
  assert.deepEqual(new Set(limits), new Set(['1000']))
})

test('an API that gives fewer rows than it is asked for, and ends on a full page', async (context) => {
  const { sync, rows } = useWarehouse(context)
  await using peopleAi = await start({ pageCap: 1 })
  const { result } = await sync(peopleAi)
  assert.equal(result.status, 'succeeded')
  assert.deepEqual(await rows('activity', 'uid'), ['a1', 'a2', 'a3'])
})

test('5xx and broken connections are tried again after 2, 4, 8, 16 and 32 s', async (context) => {
  const { sync } = useWarehouse(context)
  const faults = [cut(), { status: 503 }, { status: 500 }, cut({ json: {} }), { status: 599 }]
  await using peopleAi = await start({ fault: (_, number) => faults[number - 2] })
  const { result, waits, said } = await sync(peopleAi)
  assert.equal(result.status, 'succeeded')
  assert.deepEqual(waits, [2000, 4000, 8000, 16_000, 32_000])
  assert.equal(said.filter((line) => line.includes('trying again')).length, 5)
})

test('the sixth failure is the last', async (context) => {
  const { sync } = useWarehouse(context)
  await using peopleAi = await start({ fault: at([2, 3, 4, 5, 6, 7], cut()) })
  const { result, waits } = await sync(peopleAi)
  assert.equal(result.error?.kind, 'remote')
  assert.equal(waits.length, 5)
})

test('the request for a token is tried again, too', async (context) => {
  const { sync } = useWarehouse(context)
  await using peopleAi = await start({ fault: at([1, 2], { status: 502 }) })
  const { result, waits } = await sync(peopleAi)
  assert.equal(result.status, 'succeeded')
  assert.deepEqual(waits, [2000, 4000])
})

test('429 waits as long as it says, by the delays where it does not, and not for ever', async (context) => {
  const { sync } = useWarehouse(context)
  await using patient = await start({ fault: (_, number) => [rateLimited(7), rateLimited()][number - 2] })
  const waited = await sync(patient)
  assert.equal(waited.result.status, 'succeeded')
  assert.deepEqual(waited.waits, [7000, 4000])
  await using never = await start({ fault: (_, number) => (number > 1 ? rateLimited(1) : undefined) })
  const { result } = await sync(never)
  assert.equal(result.error?.kind, 'rate_limit')
})

for (const [what, answer] of Object.entries({
  'a page that is HTML': { text: '<html>busy</html>', headers: { 'content-type': 'text/html' } },
  'JSON that breaks off': { text: '{"data":[{"uid":"a', headers: { 'content-type': 'application/json' } },
  'an object without rows': { json: { error: 'nothing here' } },
  'rows that are none': { json: { data: ['a1'] } },
  'an empty answer': { text: '' },
})) {
  test(`${what} is no success`, async (context) => {
    const { sync } = useWarehouse(context)
    await using peopleAi = await start({ fault: at([3], answer) })
    const { result } = await sync(peopleAi)
    assert.equal(result.status, 'failed')
    assert.equal(result.error?.kind, 'remote')
    assert.deepEqual(result.state, { activity_offset: 2 })
  })
}

test('rows that stand twice in a page are one', async (context) => {
  const { sync, rows } = useWarehouse(context)
  await using peopleAi = await start({
    rows: {
      activities: [
        { uid: 'a', n: 1 },
        { uid: 'a', n: 2 },
      ],
    },
  })
  await sync(peopleAi)
  assert.deepEqual(await rows('activity', 'n'), ['2'])
})

test('a placeholder, a blank or a missing credential ends it before anything is asked', async (context) => {
  const { sync } = useWarehouse(context)
  const example = JSON.parse(readFileSync(join(import.meta.dirname, 'configuration.json'), 'utf8')) as Record<
    string,
    string
  >
  await using peopleAi = await start()
  for (const configuration of [example, { api_key: ' ' }]) {
    const { result } = await sync(peopleAi, configuration)
    assert.equal(result.error?.kind, 'configuration')
    assert.match(result.error?.message ?? '', /\/api_key: is (still a placeholder|blank)/)
  }
  assert.deepEqual(peopleAi.requests, [])
})
