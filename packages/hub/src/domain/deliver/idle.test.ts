import assert from 'node:assert/strict'
import { test } from 'node:test'
import { inboxDefaults, type InboxStatus } from '@sluice/protocol'
import { newDoor } from '../../store/doors.ts'
import { eventually } from '../../test-eventually.ts'
import { openTestHub } from '../../test-hub.ts'

test('a thousand inboxes that want nothing of what comes are not looked at, and one that does is', async () => {
  await using t = await openTestHub({ roles: ['deliver'] })
  const { store } = t.hub
  const { workspace: here } = await store.ensureWorkspace('default')
  const { workspace: elsewhere } = await store.ensureWorkspace('elsewhere')
  const make = async (id: number, name: string): Promise<void> => {
    const action = { integration: 'nothing', action: 'nothing' }
    const settings = { ...inboxDefaults, filter: { event_types: [`test.${name}`] }, action }
    // A key that does not exist: whoever looks at the inbox stops it.
    await store.createInbox(id, name, { settings, start: 1, door: { ...newDoor, keyId: '0'.repeat(16) } })
  }
  const publish = async (id: number, ...types: string[]): Promise<void> => {
    const event = (eventType: string) => ({ eventType, source: null, subject: null, notes: null, dedup: [] })
    await store.appendEvents(
      id,
      types.map((type) => ({ ...event(type), body: JSON.stringify({ event_type: type, payload: {} }) })),
    )
  }
  const statusOf = async (id: number, name: string): Promise<InboxStatus | undefined> =>
    (await store.findInbox(id, name))?.status
  const stopped = (id: number, name: string): Promise<unknown> =>
    eventually(
      () => statusOf(id, name),
      (status) => status === 'disabled',
    )

  for (let n = 0; n < 1000; n += 1) await make(here.id, `idle-${n}`)
  await make(elsewhere.id, 'last')
  await publish(elsewhere.id, 'test.last')
  // Inboxes are listed in their order: from here on all of them are known.
  await stopped(elsewhere.id, 'last')
  await publish(here.id, ...Array.from({ length: 500 }, () => 'test.other'), 'test.idle-7')
  await stopped(here.id, 'idle-7')
  const statuses = await Promise.all(Array.from({ length: 1000 }, (_, n) => statusOf(here.id, `idle-${n}`)))
  const idle = statuses.filter((status) => status === 'active').length
  // One that is listed in the moment that it is made is looked at once.
  assert.ok(idle > 900, `${1000 - idle} were looked at`)
})
