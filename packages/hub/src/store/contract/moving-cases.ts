import assert from 'node:assert/strict'
import { HubError, inboxDefaults } from '@sluice/protocol'
import { newDoor } from '../doors.ts'
import type { MovedRow } from '../moving.ts'
import type { Store } from '../store.ts'
import { assertSame, dayMs, readAll, repeated, retention, statusesOf, toDraft, type ContractCases } from './stage.ts'

const conflict = (error: unknown): boolean => error instanceof HubError && error.code === 'conflict'

async function exportAll(store: Store, id: number): Promise<MovedRow[]> {
  const all: MovedRow[] = []
  await store.moving.exportRows(id, async (rows) => void all.push(...rows))
  return all
}

async function importAll(store: Store, workspace: string, rows: readonly MovedRow[]): Promise<number> {
  await store.moving.beginImport(workspace, 'file')
  await store.moving.importChunk(workspace, { number: 1, digest: 'd', rows })
  await store.moving.finishImport(workspace)
  return (await store.findWorkspace(workspace))?.id ?? assert.fail('the workspace is not there')
}

export const movingCases: ContractCases = {
  'a workspace goes on elsewhere where it was': async ({
    store,
    id,
    publish,
    makeInbox,
    take,
    ack,
    release,
    lease,
  }) => {
    await makeInbox()
    const [first, second, third, fourth] = await publish('a', 'b', 'c', 'd')
    await take('done', { limit: 1 })
    await ack('done')
    await take('back', { limit: 1 })
    await release('back', { reason: 'not\0 now', delayMs: 0 })
    await lease('held', { limit: 2 })
    const rows = await exportAll(store, id)
    assert.deepEqual([rows[0]?.kind, rows.at(-1)?.kind], ['log', 'lease'])
    const there = await importAll(store, 'there', rows)
    assert.deepEqual(await readAll(store, there), [first, second, third, fourth])
    const held = await store.leaseEvents(there, 'crm', { leaseId: 'held', limit: 9, leaseMs: 1000 })
    assert.deepEqual(
      held.events.map(({ position, attempt }) => [position, attempt]),
      [
        [second, 2],
        [third, 1],
      ],
    )
    const rest = await store.leaseEvents(there, 'crm', { leaseId: 'rest', limit: 9, leaseMs: 1000 })
    assert.deepEqual(
      rest.events.map(({ position }) => position),
      [fourth],
    )
    assert.deepEqual(await exportAll(store, id), rows, 'where it came from nothing has changed')
  },

  'what the hub delivers from an inbox, and what came of it, comes along': async (stage) => {
    const { store, id, publish, take } = stage
    const door = { ...newDoor, keyId: 'k1', reason: 'no', sealed: { id: 's', text: 'v1.a.b' } }
    await store.createInbox(id, 'crm', { settings: inboxDefaults, start: 1, door })
    await publish('a')
    await take('x')
    const note = { ms: 5, result: 'action' }
    await store.settleLease(id, 'crm', { leaseId: 'x', outcome: { kind: 'ack', note } })
    const there = await importAll(store, 'there', await exportAll(store, id))
    assert.deepEqual((await store.findInbox(there, 'crm'))?.door, door)
    assert.deepEqual(new Set((await store.listDoors()).map(({ workspaceId }) => workspaceId)), new Set([id, there]))
    const [attempt] = await store.listAttempts(there, 'crm', { before: Number.MAX_SAFE_INTEGER, limit: 9 })
    assert.deepEqual([attempt?.outcome, attempt?.ms, attempt?.result], ['delivered', 5, 'action'])
  },

  'a retry after the move is still a duplicate': async ({ store, id }) => {
    await store.appendEvents(id, [toDraft(repeated)])
    const there = await importAll(store, 'there', await exportAll(store, id))
    assert.deepEqual(statusesOf(await store.appendEvents(there, [toDraft(repeated), toDraft()])), [
      'duplicate',
      'stored',
    ])
    assert.deepEqual(await readAll(store, there), [1, 2])
  },

  'event types and quarantine come along, and a workspace that has some is not empty': async ({ store, id }) => {
    const content = { description: 'd', category: 'c', entity: 'E', action: 'A', mode: 'reject' } as const
    const change = { ...content, name: 'c.EA', schema: '{"type":"object"}', version: 1, expects: 0 }
    await store.eventTypes.save(id, [change])
    await store.eventTypes.setUnknown(id, 'refuse')
    const kept = { ...toDraft(repeated), id: 'kept', version: 1, faults: '[]' }
    await store.quarantine.add(id, [kept])
    const rows = await exportAll(store, id)
    const there = await importAll(store, 'there', rows)
    const moved = await store.findWorkspaceById(there)
    assert.deepEqual([moved?.unknownEventTypes, moved?.eventTypesRevision], ['refuse', 2])
    assertSame(await store.eventTypes.find(there, ['c.EA']), await store.eventTypes.find(id, ['c.EA']))
    assert.equal((await store.eventTypes.listVersions(there, 'c.EA', 9)).length, 1)
    const [again] = await store.quarantine.add(there, [{ ...kept, id: 'other' }])
    assert.deepEqual(again?.status === 'repeated' && again.id, 'kept')
    for (const key of ['types', 'quarantine'] as const) {
      const { workspace } = await store.ensureWorkspace(key)
      if (key === 'types') await store.eventTypes.save(workspace.id, [{ ...change, name: 'other' }])
      else await store.quarantine.add(workspace.id, [{ ...kept, id: 'third' }])
      await assert.rejects(store.moving.beginImport(key, 'file'), conflict, key)
    }
    await store.moving.beginImport('given-up', 'file')
    await store.moving.importChunk('given-up', { number: 1, digest: 'd', rows })
    await store.moving.discardImport('given-up')
    assert.equal((await store.eventTypes.find(id, ['c.EA'])).length, 1)
  },

  'what waits for its time comes along, is not due before the import is finished, and a workspace that has some is not empty':
    async (stage) => {
      const { store, id } = stage
      const waiting = { ...toDraft(repeated), id: 'waits', dueMs: store.nowMs() + dayMs }
      const schedule = { key: 'nightly', id: 's1', settings: '{}', nextMs: store.nowMs() + dayMs }
      await store.scheduled.add(id, [waiting])
      await store.schedules.put(id, schedule)
      const rows = await exportAll(store, id)
      await store.deleteWorkspace('stage')
      await store.moving.beginImport('there', 'file')
      await store.moving.importChunk('there', { number: 1, digest: 'd', rows })
      stage.advance(dayMs)
      assert.deepEqual([await store.scheduled.claimDue(9, dayMs), await store.schedules.listDue(9)], [[], []])
      await store.moving.finishImport('there')
      const there = (await store.findWorkspace('there'))?.id ?? assert.fail('the workspace is not there')
      const [again] = await store.scheduled.add(there, [{ ...waiting, id: 'other' }])
      assert.deepEqual(again?.status === 'repeated' && again.id, 'waits')
      const [due] = await store.scheduled.claimDue(9, dayMs)
      assertSame([due?.id, due?.workspaceId, due?.body, due?.dedup], ['waits', there, waiting.body, waiting.dedup])
      assertSame(
        (await store.schedules.listDue(9)).map(({ key, workspaceId }) => [key, workspaceId]),
        [['nightly', there]],
      )
      for (const key of ['waiting', 'schedules'] as const) {
        const { workspace } = await store.ensureWorkspace(key)
        if (key === 'waiting') await store.scheduled.add(workspace.id, [{ ...waiting, id: 'third' }])
        else await store.schedules.put(workspace.id, { ...schedule, id: 's2' })
        await assert.rejects(store.moving.beginImport(key, 'file'), conflict, key)
      }
    },

  'budgets come along, what runs have cost stays, and a workspace that has some is not empty': async ({
    store,
    id,
  }) => {
    const { spending } = store
    const what = {
      integration: 'a',
      action: 'b',
      connection: null,
      userId: 'u',
      keyId: null,
      door: 'http',
      type: 'action',
    }
    await spending.noteRun(id, { ...what, atMs: store.nowMs(), ms: 1, microUsd: 5 })
    await spending.putBudget(id, { key: 'all', settings: '{}' })
    await spending.markTold(id, 'all', { kind: 'near', fromDay: 7 })
    const before = await spending.findBudget(id, 'all')
    const there = await importAll(store, 'there', await exportAll(store, id))
    assertSame(await spending.findBudget(there, 'all'), before)
    assert.equal(await spending.sumCosts(there, { fromDay: 0, toDay: 1_000_000, match: {} }), 0)
    await assert.rejects(store.moving.beginImport('stage', 'file'), conflict)
    await store.moving.beginImport('given-up', 'file')
    await store.moving.discardImport('given-up')
    const { workspace } = await store.ensureWorkspace('budgets')
    await spending.putBudget(workspace.id, { key: 'all', settings: '{}' })
    await assert.rejects(store.moving.beginImport('budgets', 'file'), conflict)
  },

  'connections and polling triggers come along with what they remember, and a workspace that has some is not empty':
    async (stage) => {
      const { store, id } = stage
      const connection = {
        key: 'github',
        id: 'c1',
        integration: 'github',
        userId: 'ada',
        grant: { keys: ['k1'] },
        sealed: 'v1.x.y',
        method: 'oauth2',
        expiresMs: store.nowMs() + 2,
        refreshMs: store.nowMs() + 1,
      }
      const client = { integration: 'github', id: 'o1', clientId: 'app', sealed: 'v1.x.z' }
      await store.oauthClients.put(id, client)
      const trigger = { key: 'issues', id: 't1', settings: '{}', nextPollMs: store.nowMs() }
      await store.connections.put(id, connection)
      await store.connections.setAccount(id, 'github', { id: 'c1', account: null, error: 'gone' })
      const refresh = await store.connections.claimRefresh(id, 'github', { id: 'c1', generation: 0 }, 1)
      assert.ok(refresh && (await store.connections.noteSending(refresh, 1)))
      await store.triggers.put(id, trigger)
      const claimed = (await store.triggers.claim(id, 'issues', dayMs)) ?? assert.fail('it is claimed already')
      const startedMs = store.nowMs()
      const good = { seen: ['a', 'b'], state: '{"n":1}' }
      const end = { startedMs, ms: 5, found: 2, published: 2, error: null, nextPollMs: startedMs + dayMs, good }
      await store.triggers.finish(claimed, end)
      const rows = await exportAll(store, id)
      await store.moving.beginImport('there', 'file')
      await store.moving.importChunk('there', { number: 1, digest: 'd', rows })
      stage.advance(dayMs)
      const due = await store.triggers.claimDue(100, 1)
      assert.equal(due.filter(({ workspaceId, key }) => workspaceId !== id && key === 'issues').length, 0)
      const unseen = (await store.connections.listDue(100)).filter(({ workspaceId }) => workspaceId !== id)
      assert.deepEqual(unseen, [])
      await store.moving.finishImport('there')
      const there = (await store.findWorkspace('there'))?.id ?? assert.fail('the workspace is not there')
      const moved = await store.connections.find(there, 'github')
      assertSame({ ...moved, workspaceId: id }, await store.connections.find(id, 'github'))
      assertSame(await store.oauthClients.find(there, 'github'), await store.oauthClients.find(id, 'github'))
      const owners = new Set((await store.connections.listDue(100)).map(({ workspaceId }) => workspaceId))
      assert.deepEqual(owners, new Set([id, there]))
      const reclaimed = await store.connections.claimRefresh(there, 'github', { id: 'c1', generation: 0 }, 1)
      assert.equal(reclaimed?.unanswered, 1)
      assertSame(await store.triggers.find(there, 'issues'), await store.triggers.find(id, 'issues'))
      const again = (await store.triggers.claim(there, 'issues', 1)) ?? assert.fail('it is claimed already')
      assert.deepEqual(await store.triggers.findSeen(again, ['a', 'b', 'c']), ['a', 'b'])
      assert.equal((await store.triggers.listPolls(there, 'issues', { before: 1e9, limit: 9 })).length, 1)
      for (const key of ['connections', 'triggers'] as const) {
        const { workspace } = await store.ensureWorkspace(key)
        if (key === 'connections') await store.connections.put(workspace.id, connection)
        else await store.triggers.put(workspace.id, trigger)
        await assert.rejects(store.moving.beginImport(key, 'file'), conflict, key)
      }
      await store.moving.beginImport('given-up', 'file')
      await store.moving.importChunk('given-up', { number: 1, digest: 'd', rows })
      await store.moving.discardImport('given-up')
      assert.deepEqual((await store.connections.list(id, { after: '', limit: 9 })).length, 1)
      await store.deleteWorkspace('there')
    },

  'sources come along with their secrets, and a workspace that has some is not empty; their history stays': async ({
    store,
    id,
  }) => {
    const source = { key: 'github', id: 's1', settings: '{}', secrets: '[]' }
    await store.sources.create(id, source)
    const counts = [{ id: 's1', hourMs: store.nowMs(), outcome: 'accepted', count: 1 }] as const
    await store.sources.note(id, { counts, failures: [] })
    const there = await importAll(store, 'there', await exportAll(store, id))
    assertSame(await store.sources.find(there, 'github'), await store.sources.find(id, 'github'))
    assert.deepEqual((await store.sources.readReport(there, 's1', 0)).hours, [])
    const { workspace } = await store.ensureWorkspace('held')
    await store.sources.create(workspace.id, source)
    await assert.rejects(store.moving.beginImport('held', 'file'), conflict)
  },

  'an import replaces an empty workspace, whose keys and audit stay': async ({ store, id, publish }) => {
    await publish('a')
    const empty = (await store.ensureWorkspace('there')).workspace
    await store.appendAudit({ workspaceId: empty.id, actor: 'a', verb: 'v', target: 't', details: {} })
    const there = await importAll(store, 'there', await exportAll(store, id))
    assert.notEqual(there, empty.id)
    assert.equal(await store.findWorkspaceById(empty.id), undefined)
    assert.deepEqual(
      (await store.listAudit(there, { before: 1e9, limit: 9 })).map(({ verb }) => verb),
      ['v'],
    )
    assert.deepEqual(
      (await store.listInboxes(there, '', 9)).map(({ key }) => key),
      ['default'],
    )
  },

  'a workspace that holds something is not imported into': async ({ store, id, publish }) => {
    await publish('a')
    await assert.rejects(store.moving.beginImport('stage', 'file'), conflict)
    const rows = await exportAll(store, id)
    const { workspace } = await store.ensureWorkspace('there')
    await store.moving.beginImport('there', 'file')
    await store.moving.importChunk('there', { number: 1, digest: 'd', rows })
    await store.appendEvents(workspace.id, [toDraft()])
    await assert.rejects(store.moving.finishImport('there'), conflict, 'nor if it was empty at the beginning')
    assert.deepEqual(await readAll(store, workspace.id), [1])
  },

  'before its end an import is not seen, and upkeep leaves it alone': async (stage) => {
    const { store, id, publish, makeInbox, take, advance } = stage
    await makeInbox()
    await publish('a', 'b', 'c')
    await take('held', { limit: 2 })
    const rows = await exportAll(store, id)
    await store.moving.beginImport('there', 'file')
    await store.moving.importChunk('there', { number: 1, digest: 'd', rows })
    assert.equal(await store.findWorkspace('there'), undefined)
    assert.deepEqual(
      (await store.listWorkspaces('', 9)).map(({ key }) => key),
      ['default', 'stage'],
    )
    advance(dayMs)
    await store.ensureWorkspace('removed')
    await store.deleteWorkspace('removed')
    await store.expireLeases()
    await store.trimEvents(id, { ...retention, anywayMs: 0, passedMs: 0 })
    await store.moving.finishImport('there')
    const there = (await store.findWorkspace('there'))?.id ?? 0
    assert.deepEqual(await readAll(store, there), [1, 2, 3])
    const progress = await store.readProgress(there, 'crm')
    assert.deepEqual([progress.behind, progress.waiting], [1, 2], 'what the lease held waits')
  },

  'chunks come in their order, once, and an import is found again': async ({ store, id, publish }) => {
    await publish('a')
    const rows = await exportAll(store, id)
    const { moving } = store
    await assert.rejects(moving.importChunk('there', { number: 1, digest: 'd', rows }), conflict)
    await moving.beginImport('there', 'file')
    await assert.rejects(moving.beginImport('there', 'other'), conflict)
    await assert.rejects(moving.importChunk('there', { number: 2, digest: 'd', rows }), conflict)
    await moving.importChunk('there', { number: 1, digest: 'd', rows })
    await assert.rejects(moving.importChunk('there', { number: 1, digest: 'd', rows }), conflict)
    const { file, chunks, digest } = (await moving.findImport('there')) ?? assert.fail('it is not found')
    assert.deepEqual([file, chunks, digest], ['file', 1, 'd'])
    await moving.finishImport('there')
    assert.equal(await moving.findImport('there'), undefined)
  },

  'an import that is given up leaves nothing': async ({ store, id, publish, makeInbox }) => {
    await makeInbox()
    await publish('a')
    const rows = await exportAll(store, id)
    assert.equal(await store.moving.discardImport('there'), false)
    await store.moving.beginImport('there', 'file')
    await store.moving.importChunk('there', { number: 1, digest: 'd', rows })
    assert.equal(await store.moving.discardImport('there'), true)
    assert.equal(await store.moving.findImport('there'), undefined)
    assert.deepEqual(await readAll(store, await importAll(store, 'there', rows)), [1])
  },

  'renewed tags are those of events to come': async ({ store, id, publish }) => {
    const before = (await store.findWorkspace('stage'))?.tag
    await publish('a', 'b')
    await store.moving.renewTags()
    const once = (await store.findWorkspace('stage')) ?? assert.fail('it is gone')
    assert.deepEqual(once.earlierTags, [[2, before]])
    assert.notEqual(once.tag, before)
    await store.moving.renewTags()
    const twice = (await store.findWorkspaceById(id)) ?? assert.fail('it is gone')
    assert.deepEqual(twice.earlierTags, [[2, before]], 'a tag that no event has is not kept')
    assert.ok(twice.tag !== once.tag && twice.tag !== before)
    await importAll(store, 'there', await exportAll(store, id))
    const there = await store.findWorkspace('there')
    assert.deepEqual([there?.tag, there?.earlierTags], [twice.tag, twice.earlierTags])
  },
}
