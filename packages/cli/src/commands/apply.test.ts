import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { createAdmin } from '@sluice/client/admin'
import { useHub } from '../../../../scripts/use-hub.ts'

const sluice = new URL('../../bin/sluice.js', import.meta.url).pathname
const integrations = new URL('../../../hub/src/test-integrations', import.meta.url).pathname
const { hub, connection, folder } = await useHub({ integrations })
const admin = createAdmin(connection)

async function apply(text: string, args: readonly string[] = []) {
  writeFileSync(join(folder, 'sluice.yaml'), text)
  const env = { PATH: process.env['PATH'], SLUICE_URL: hub.url, SLUICE_API_KEY: hub.apiKey ?? '', TEAM: 'ops' }
  const child = spawn(process.execPath, [sluice, 'apply', 'sluice.yaml', '--json', ...args], { cwd: folder, env })
  let [stdout, stderr] = ['', '']
  child.stdout.on('data', (part: Buffer) => (stdout += part.toString()))
  child.stderr.on('data', (part: Buffer) => (stderr += part.toString()))
  const [status] = await once(child, 'close')
  const steps: { kind: string; key: string; change: string; members: string[]; error?: string }[] =
    stdout === '' ? [] : JSON.parse(stdout).steps
  return {
    status,
    stderr,
    steps: steps.map(({ kind, key, change, members }) => [kind, key, change, ...members]),
    raw: steps,
  }
}

const file = `
event_types:
  order.created:
    description: an order was made
    schema: { type: object, required: [total] }
inboxes:
  crm:
    filter: { event_types: [order.*] }
    owner: \${TEAM}
    max_attempts: 5
triggers:
  words: { integration: echo, polling_trigger: new_word, connection: main, interval_seconds: 60 }
schedules:
  nightly: { cron: 0 3 * * *, event: { event_type: report.due, payload: { n: 1 } } }
`

test('a plan changes nothing; the same file makes the hub as it says, and once more finds nothing to do', async () => {
  await admin.putConnection('main', { integration: 'echo', credentials: { api_key: 'k' } })
  const planned = await apply(file, ['--dry-run'])
  const created = [
    ['event_types', 'order.created', 'create'],
    ['inboxes', 'crm', 'create'],
    ['triggers', 'words', 'create'],
    ['schedules', 'nightly', 'create'],
  ]
  assert.deepEqual([planned.status, planned.steps], [0, created], planned.stderr)
  assert.equal((await admin.listSchedules()).schedules.length, 0)
  assert.deepEqual((await apply(file)).steps, created)
  const inbox = await admin.getInbox('crm')
  assert.deepEqual([inbox.owner, inbox.max_attempts, inbox.filter], ['ops', 5, { event_types: ['order.*'] }])
  const again = await apply(file)
  assert.deepEqual([again.status, new Set(again.steps.map(([, , change]) => change))], [0, new Set(['same'])])
})

test('what differs is changed, and nothing else', async () => {
  const { status, steps } = await apply(`
inboxes:
  crm: { filter: { sources: [shop] }, max_attempts: 5 }
triggers:
  words: { integration: echo, polling_trigger: new_word, connection: main, interval_seconds: 90 }
schedules:
  nightly: { cron: 0 4 * * *, event: { event_type: report.due, payload: {} } }
`)
  assert.deepEqual(
    [status, steps],
    [
      0,
      [
        ['inboxes', 'crm', 'change', 'filter'],
        ['triggers', 'words', 'change', 'interval_seconds'],
        ['schedules', 'nightly', 'change', 'cron', 'event'],
      ],
    ],
  )
  const inbox = await admin.getInbox('crm')
  assert.deepEqual([inbox.filter, inbox.owner], [{ sources: ['shop'] }, 'ops'])
  assert.equal((await admin.getSchedule('nightly')).cron, '0 4 * * *')
})

test('a source is made with its secret, and changed in what is shown', async () => {
  const file = (prefix: string): string => `
sources:
  github: { scheme: github, secret: hush, event_type_prefix: ${prefix} }
`
  const run = async (prefix: string) => (await apply(file(prefix))).steps
  assert.deepEqual(await run('a.'), [['sources', 'github', 'create']])
  assert.deepEqual(await run('a.'), [['sources', 'github', 'same']])
  assert.deepEqual(await run('b.'), [['sources', 'github', 'change', 'event_type_prefix']])
  const { secrets, event_type_prefix: prefix } = await admin.getSource('github')
  assert.deepEqual([prefix, secrets.length], ['b.', 1])
})

test('every fault of a file is named with its line, and nothing is changed', async () => {
  const { status, stderr } = await apply(`inboxes:
  new-one: {}
  Wrong Key: {}
  bad:
    max_attempts: many
    owner: \${NOBODY}
things: {}
schedules:
  a: { cron: 0 0 * * * }
`)
  assert.equal(status, 2)
  for (const line of [
    /:3 inboxes\.Wrong Key: must have/,
    /:5 inboxes\.bad\.max_attempts/,
    /:6 inboxes\.bad\.owner: the environment has no NOBODY/,
    /:7 things: unknown; there are event_types, inboxes/,
    /:9 schedules\.a\.event/,
  ])
    assert.match(stderr, line)
  assert.equal(
    (await admin.listInboxes()).inboxes.some(({ key }) => key === 'new-one'),
    false,
  )
  assert.match((await apply('inboxes: [')).stderr, /sluice\.yaml: .*line 1/)
  assert.match((await apply('inboxes:\n  a: {}\n  a: {}\n')).stderr, /unique/)
})

test('what cannot change is said before anything is done; what the hub refuses does not keep back the others', async () => {
  const fixed = await apply('inboxes:\n  crm: { start: earliest }\n  later: {}\n')
  assert.deepEqual([fixed.status, /inbox crm: start: .*seek it instead/.test(fixed.stderr)], [1, true])
  const partly = await apply(
    'triggers:\n  other: { integration: nothing, polling_trigger: x }\nschedules:\n  b: { cron: 0 0 * * *, event: { event_type: a, payload: {} } }\n',
  )
  assert.equal(partly.status, 5)
  assert.match(partly.raw[0]?.error ?? '', /integration "nothing"/)
  assert.equal((await admin.getSchedule('b')).status, 'active')
})
