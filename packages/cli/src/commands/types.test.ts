import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { createAdmin } from '@sluice/client/admin'
import { useHub } from '../../../../scripts/use-hub.ts'

const sluice = new URL('../../bin/sluice.js', import.meta.url).pathname
const { hub, connection, folder } = await useHub()
const admin = createAdmin(connection)

async function run(
  args: readonly string[],
  input = '',
): Promise<{ status: number | null; stdout: string; stderr: string }> {
  const env = { PATH: process.env['PATH'], SLUICE_URL: hub.url, SLUICE_API_KEY: hub.apiKey ?? '' }
  const child = spawn(process.execPath, [sluice, ...args], { cwd: folder, env })
  let stdout = ''
  let stderr = ''
  child.stdout.on('data', (text: Buffer) => (stdout += text.toString()))
  child.stderr.on('data', (text: Buffer) => (stderr += text.toString()))
  child.stdin.end(input)
  const [status] = await once(child, 'close')
  return { status, stdout, stderr }
}

async function json(args: readonly string[], expected = 0) {
  const ran = await run([...args, '--json'])
  assert.equal(ran.status, expected, ran.stderr)
  return JSON.parse(ran.stdout)
}

const topics = `
DefaultCategory: crm
Topics:
  - Entity: Contact
    Action: Created
    Description: Somebody new
    Schema:
      type: object
      required: [id]
      properties:
        id: { type: string }
`

test('a topic file is compared, taken in, and compared again', async () => {
  writeFileSync(join(folder, 'topics.yaml'), topics)
  const before = await json(['types', 'check', 'topics.yaml'])
  assert.deepEqual([before.dry_run, before.results[0].change], [true, 'new'])
  const planned = await run(['types', 'import', 'topics.yaml', '--dry-run'])
  assert.match(planned.stdout, /crm\.ContactCreated +new +1 +-\n1 new; nothing was changed\n/)
  const made = await json(['types', 'import', 'topics.yaml', '--mode', 'quarantine'])
  assert.deepEqual(made.results, [
    { name: 'crm.ContactCreated', change: 'new', version: 1, mode: 'quarantine', incompatible: [] },
  ])
  assert.equal((await json(['types', 'check', 'topics.yaml'])).results[0].change, 'same')
  writeFileSync(join(folder, 'narrower.yaml'), topics.replace('required: [id]', 'required: [id, name]'))
  const compared = await run(['types', 'check', 'narrower.yaml'])
  assert.equal(compared.status, 1)
  assert.match(compared.stdout, /incompatible +2 +\/required "name" has become required/)
  const refused = await run(['types', 'import', 'narrower.yaml'])
  assert.deepEqual([refused.status, /Incompatible schema/.test(refused.stderr)], [1, true])
  const taken = await json(['types', 'import', 'narrower.yaml', '--allow-incompatible'])
  assert.equal(taken.results[0].version, 2)
  const malformed = await run(['types', 'import', '-'], 'Topics: [{Entity: a}]')
  assert.deepEqual([malformed.status, /\/Topics\/0\/Entity/.test(malformed.stderr)], [1, true])
  assert.equal((await run(['types', 'import'])).status, 2)
  assert.equal((await run(['types', 'import', 'nowhere.yaml'])).status, 2)
  assert.equal((await run(['types', 'import', '-'], '- a')).status, 2)
})

test('the catalogue comes in whole, and every one of its schemas can be used', async () => {
  const { results } = await json(['types', 'import', '--catalogue'])
  assert.ok(results.length >= 225)
  const again = await json(['types', 'check', '--catalogue'])
  assert.ok(again.results.every(({ change }: { change: string }) => change === 'same'))
  const page = await json(['types', 'list', '--limit', '1', '--category', 'order'])
  assert.equal(page.event_types[0].category, 'order')
})

test('a mode that is not taken is told, and set for many at once', async () => {
  const again = await run(['types', 'import', '--catalogue', '--mode', 'reject'])
  assert.equal(again.status, 0)
  assert.match(
    again.stderr,
    /^The mode of \d+ event types stays warn: sluice types set '\*' --mode reject changes it\.\n$/,
  )
  assert.equal((await run(['types', 'import', '--catalogue', '--mode', 'warn'])).stderr, '')
  const set = await json(['types', 'set', 'order.*', '--mode', 'reject'])
  assert.ok(set.names.length > 5 && set.names.every((name: string) => name.startsWith('order.')))
  assert.equal((await json(['types', 'show', 'order.paid'])).mode, 'reject')
  assert.equal((await json(['types', 'show', 'invoice.paid'])).mode, 'warn')
  for (const args of [['--description', 'd'], ['--mode', 'warn', '--no-schema'], []])
    assert.equal((await run(['types', 'set', 'order.*', ...args])).status, 2)
  assert.equal((await run(['types', 'set', 'none.*', '--mode', 'warn'])).status, 1)
})

test('a list says that there is more', async () => {
  const { stdout, stderr } = await run(['types', 'list', '--limit', '2'])
  assert.equal(stdout.trimEnd().split('\n').length, 3)
  const [, cursor = ''] = /^There is more: --cursor (\S+)\n$/.exec(stderr) ?? assert.fail(stderr)
  const next = await run(['types', 'list', '--limit', '200', '--cursor', cursor])
  assert.doesNotMatch(next.stdout, new RegExp(stdout.split('\n')[1]?.split(' ')[0] ?? '', 'u'))
  assert.equal((await run(['types', 'list', '--limit', '2', '--json'])).stderr, '')
})

test('one event type is made, shown, changed and removed', async () => {
  const made = await run(['types', 'set', 'door.opened', '--schema', '{"required":["door"]}', '--mode', 'reject'])
  assert.deepEqual([made.status, made.stdout], [0, 'door.opened is new: version 1 of its schema, mode reject.\n'])
  await json(['types', 'set', 'door.opened', '--description', 'A door', '--entity', 'Door', '--action', 'Opened'])
  const shown = await json(['types', 'show', 'door.opened'])
  assert.deepEqual(
    [shown.mode, shown.description, shown.entity, shown.action, shown.versions.length],
    ['reject', 'A door', 'Door', 'Opened', 1],
  )
  assert.match((await run(['types', 'show', 'door.opened'])).stdout, /"required": \[\n/)
  const refused = await run(['send', 'door.opened', '{}'])
  assert.equal(refused.status, 1)
  assert.match(refused.stderr, /does not match.*\/payload\/door is required/)
  const without = await json(['types', 'set', 'door.opened', '--no-schema'])
  assert.deepEqual([without.schema, without.version, without.mode], [null, 2, 'reject'])
  assert.equal((await run(['types', 'remove', 'door.opened', '--yes'])).stdout, 'door.opened is removed.\n')
  assert.equal((await run(['types', 'show', 'door.opened'])).status, 1)
})

test('quarantined events are listed, shown, fixed, released and discarded', async () => {
  const ids: string[] = []
  await json(['types', 'set', 'lamp.lit', '--schema', '{"required":["lamp"]}', '--mode', 'quarantine'])
  for (const n of [1, 2, 3]) ids.push((await json(['send', 'lamp.lit', `{"n":${n}}`])).quarantine_id)
  const [first = '', second = '', third = ''] = ids
  const listed = await run(['quarantine', 'list', '--type', 'lamp.lit'])
  assert.match(listed.stdout, new RegExp(`${first}  lamp.lit  /payload/lamp is required\n`))
  assert.deepEqual((await json(['quarantine', 'show', first])).event, { event_type: 'lamp.lit', payload: { n: 1 } })
  const fixed = await json(['quarantine', 'fix', first, '{"lamp":"hall"}'])
  assert.equal(fixed.status, 'accepted')
  const kept = await run(['quarantine', 'release', second, third])
  assert.deepEqual([kept.status, kept.stderr.includes('2 stay')], [1, true])
  assert.deepEqual(await json(['quarantine', 'discard', third, '--yes']), { count: 1, dry_run: false })
  await json(['types', 'set', 'lamp.lit', '--mode', 'warn'])
  assert.equal((await json(['quarantine', 'release', '--type', 'lamp.lit', '--dry-run'])).released, 1)
  assert.equal((await run(['quarantine', 'release', '--type', 'lamp.lit'])).stdout, '1 released.\n')
  assert.equal((await run(['quarantine', 'list'])).stdout, 'There are none.\n')
  const found = await admin.searchEvents({ event_type: 'lamp.lit' })
  assert.deepEqual(
    found.events.map(({ payload }) => payload),
    [{ n: 2 }, { lamp: 'hall' }],
  )
  assert.equal((await run(['quarantine', 'release'])).status, 2)
  assert.equal((await run(['quarantine', 'release', first, '--type', 'lamp.lit'])).status, 2)
})

test('a workspace says what becomes of types that it does not know', async () => {
  const workspace = await json(['workspaces', 'create', 'strict', '--unknown-event-types', 'refuse'])
  assert.equal(workspace.unknown_event_types, 'refuse')
  assert.equal((await json(['workspaces', 'create', 'strict'])).unknown_event_types, 'refuse')
})
