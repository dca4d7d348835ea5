import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import type { EventTypeChange } from '../event-types.ts'
import type { QuarantineDraft, ReleaseDraft } from '../quarantine.ts'
import { assertSame, notFound, readAll, repeated, statusesOf, toDraft, type ContractCases } from './stage.ts'

function toChange(name: string, change: Partial<EventTypeChange> = {}): EventTypeChange {
  const content = { description: null, schema: null, category: null, entity: null, action: null }
  return { name, ...content, mode: 'warn', version: 0, expects: 0, ...change }
}

export const eventTypeCases: ContractCases = {
  'event types are made, found, changed and listed, and each schema is kept as a version': async (stage) => {
    const { store, id, advance } = stage
    const { eventTypes } = store
    const first = toChange('order.created', { schema: '{"type":"object"}', category: 'order', version: 1 })
    assert.equal(await eventTypes.save(id, [first, toChange('a'), toChange('z', { category: 'order' })]), true)
    const [made] = await eventTypes.find(id, ['order.created', 'nobody'])
    assert.ok(made)
    const { expects: _expects, ...content } = first
    assertSame(made, { ...content, revision: made.revision, createdMs: made.createdMs, updatedMs: made.createdMs })
    advance(1000)
    const second = {
      ...first,
      schema: '{}',
      version: 2,
      mode: 'reject',
      description: 'd',
      expects: made.revision,
    } as const
    assert.equal(await eventTypes.save(id, [second]), true)
    const [changed] = await eventTypes.find(id, ['order.created'])
    assert.deepEqual([changed?.schema, changed?.mode, changed?.description], ['{}', 'reject', 'd'])
    assert.ok(changed && changed.revision > made.revision && changed.updatedMs === made.createdMs + 1000)
    assert.equal(changed.createdMs, made.createdMs)
    assertSame(
      (await eventTypes.listVersions(id, 'order.created', 9)).map(({ version, schema }) => [version, schema]),
      [
        [2, '{}'],
        [1, '{"type":"object"}'],
      ],
    )
    assert.equal((await eventTypes.listVersions(id, 'order.created', 1)).length, 1)
    const names = async (page: { after?: string; limit?: number; category?: string }): Promise<string[]> =>
      (await eventTypes.list(id, { after: '', limit: 9, ...page })).map(({ name }) => name)
    assert.deepEqual(await names({}), ['a', 'order.created', 'z'])
    assert.deepEqual(await names({ after: 'a', limit: 1 }), ['order.created'])
    assert.deepEqual(await names({ category: 'order' }), ['order.created', 'z'])
    await stage.crash()
    assertSame(await stage.store.eventTypes.find(id, ['order.created']), [changed])
  },

  'a change that was made of an older state changes nothing, nor do those beside it': async ({ store, id }) => {
    const { eventTypes } = store
    await eventTypes.save(id, [toChange('a')])
    assert.equal(await eventTypes.save(id, [toChange('b'), toChange('a')]), false)
    assert.equal(await eventTypes.save(id, [toChange('c', { expects: 7 })]), false)
    assert.deepEqual(await eventTypes.find(id, ['b', 'c']), [])
    const [known] = await eventTypes.find(id, ['a'])
    const change = toChange('a', { mode: 'off', expects: known?.revision ?? 0 })
    const both = await Promise.all([eventTypes.save(id, [change]), eventTypes.save(id, [change])])
    assert.deepEqual(both.toSorted(), [false, true])
    await eventTypes.remove(id, 'a')
    assert.equal(await eventTypes.save(id, [toChange('a', { expects: known?.revision ?? 0 })]), false)
  },

  'every change counts up the revision of the workspace, and nothing else does': async ({ store, id, advance }) => {
    const revisionOf = async (): Promise<number | undefined> => {
      advance(501)
      return (await store.findWorkspaceById(id))?.eventTypesRevision
    }
    const { eventTypes } = store
    assert.equal(await revisionOf(), 0)
    await eventTypes.save(id, [toChange('a'), toChange('b')])
    assert.equal(await revisionOf(), 1)
    await eventTypes.save(id, [toChange('a')])
    assert.equal(await eventTypes.remove(id, 'nobody'), false)
    assert.equal(await revisionOf(), 1)
    assert.equal(await eventTypes.remove(id, 'a'), true)
    assert.equal(await revisionOf(), 2)
    assert.equal((await store.findWorkspaceById(id))?.unknownEventTypes, 'allow')
    await eventTypes.setUnknown(id, 'refuse')
    assert.equal(await revisionOf(), 3)
    assert.equal((await store.findWorkspaceById(id))?.unknownEventTypes, 'refuse')
    assert.deepEqual(await eventTypes.listVersions(id, 'a', 9), [])
  },

  'event types and quarantine are those of their workspace, and go with it': async ({ store, id }) => {
    const gone = (await store.ensureWorkspace('types-gone')).workspace.id
    for (const workspaceId of [id, gone]) {
      await store.eventTypes.save(workspaceId, [toChange('a', { version: 1, schema: '{}' })])
      await store.quarantine.add(workspaceId, [toKept(repeated)])
    }
    await store.deleteWorkspace('types-gone')
    assert.equal((await store.eventTypes.find(id, ['a'])).length, 1)
    assert.equal(await store.quarantine.count(id), 1)
    await assert.rejects(store.eventTypes.save(gone, [toChange('b')]), notFound)
    await assert.rejects(store.eventTypes.setUnknown(gone, 'warn'), notFound)
    await assert.rejects(store.quarantine.add(gone, [toKept()]), notFound)
    const again = (await store.ensureWorkspace('types-gone')).workspace
    assert.deepEqual([again.eventTypesRevision, await store.quarantine.count(again.id)], [0, 0])
    await store.deleteWorkspace('types-gone')
  },
}

function toKept(spec: Parameters<typeof toDraft>[0] = {}, more: Partial<QuarantineDraft> = {}): QuarantineDraft {
  return { ...toDraft(spec), id: randomUUID(), version: 1, faults: '[]', ...more }
}

/** As it came. */
const toReleased = ({ version: _version, faults: _faults, ...draft }: QuarantineDraft): ReleaseDraft => draft

export const quarantineCases: ContractCases = {
  'what is kept back is in no log, and is found as it came, oldest first': async (stage) => {
    const { store, id } = stage
    const { quarantine } = store
    const drafts = [
      toKept(
        { type: 'a', source: 's', subject: 'x', payload: { n: 1 } },
        { notes: '{"hops":1}', faults: '[{}]', version: 3 },
      ),
      toKept('b'),
      toKept({ type: 'a', ...repeated }),
    ]
    const outcomes = await quarantine.add(id, drafts)
    assertSame(
      outcomes,
      drafts.map((draft) => ({ status: 'added', id: draft.id, atMs: store.nowMs() })),
    )
    assert.deepEqual(await readAll(store, id), [])
    const all = await quarantine.list(id, { after: 0, limit: 9 })
    assertSame(
      all,
      drafts.map((draft, at) => ({ ...draft, place: all[at]?.place, atMs: store.nowMs() })),
    )
    const second = await quarantine.list(id, { after: all[0]?.place ?? 0, limit: 1 })
    assert.equal(second[0]?.id, drafts[1]?.id)
    const ofType = await quarantine.list(id, { after: 0, limit: 9, eventType: 'a' })
    assert.deepEqual(
      ofType.map((row) => row.id),
      [drafts[0]?.id, drafts[2]?.id],
    )
    assert.deepEqual([await quarantine.count(id), await quarantine.count(id, 'a')], [3, 2])
    assert.equal((await quarantine.find(id, [drafts[1]?.id ?? '', randomUUID()])).length, 1)
    await stage.crash()
    assertSame(await stage.store.quarantine.list(id, { after: 0, limit: 9 }), all)
  },

  'a repetition is kept once, until the first has gone': async ({ store, id }) => {
    const { quarantine } = store
    const [first, second] = [toKept(repeated), toKept(repeated)]
    const other = toKept({ dedup: [{ key: 'k', fingerprint: 'another' }] })
    const outcomes = await quarantine.add(id, [first, second, other, toKept()])
    assert.deepEqual(
      outcomes.map(({ status }) => status),
      ['added', 'repeated', 'mismatch', 'added'],
    )
    assert.equal(outcomes[1]?.status === 'repeated' && outcomes[1].id, first.id)
    const [again] = await quarantine.add(id, [second])
    assert.equal(again?.status === 'repeated' && again.id, first.id)
    assert.equal(await quarantine.remove(id, { ids: [first.id, first.id, randomUUID()] }), 1)
    assert.deepEqual(
      (await quarantine.add(id, [second])).map(({ status }) => status),
      ['added'],
    )
    assert.equal(await quarantine.remove(id, { eventType: 'order.created' }), 2)
    assert.equal(await quarantine.count(id), 0)
  },

  'events of the log are found by the keys of a draft': async ({ store, id, advance }) => {
    const [stored] = await store.appendEvents(id, [toDraft(repeated)])
    const other = toDraft({ dedup: [{ key: 'k', fingerprint: 'another' }] })
    const find = () => store.quarantine.findRepetitions(id, [toDraft(), toDraft(repeated), other])
    assertSame(await find(), [undefined, { ...stored, status: 'duplicate' }, { status: 'mismatch' }])
    advance(8 * 86_400_000)
    assertSame(await find(), [undefined, undefined, undefined], 'for as long as the log remembers them')
    assert.deepEqual(statusesOf(await store.appendEvents(id, [toDraft(repeated)])), ['stored'])
  },

  'what is kept is found by the keys of a draft, and stays as it is': async ({ store, id }) => {
    const { quarantine } = store
    const first = toKept(repeated)
    await quarantine.add(id, [first])
    const other = toDraft({ dedup: [{ key: 'k', fingerprint: 'another' }] })
    const found = await quarantine.findKept(id, [toDraft(), other, toDraft(repeated)])
    assertSame(found, [undefined, { status: 'mismatch' }, { status: 'repeated', id: first.id, atMs: store.nowMs() }])
    await quarantine.remove(id, { ids: [first.id] })
    assertSame(await quarantine.findKept(id, [toDraft(repeated)]), [undefined])
    assertSame(await quarantine.findKept(id, []), [])
  },

  'what is released is in the log, and in quarantine no more': async (stage) => {
    const { store, id } = stage
    const { quarantine } = store
    const [one, two] = [toKept({ type: 'a', ...repeated }), toKept({ type: 'b' })]
    await quarantine.add(id, [one, two])
    const woken: unknown[] = []
    const deafen = store.onWake((wake) => woken.push(wake))
    const fixed = { ...toDraft({ type: 'b', payload: { n: 2 } }), id: two.id }
    const none = { ...toDraft('c'), id: randomUUID() }
    const outcomes = await quarantine.release(id, [fixed, none, toReleased(one), fixed])
    deafen()
    assert.deepEqual(
      outcomes.map((outcome) => outcome?.status),
      ['stored', undefined, 'stored', undefined],
    )
    assert.equal(woken.length > 0, true)
    await stage.crash()
    assert.deepEqual(
      (await stage.store.readEvents(id, [1, 2])).map(({ eventType, body }) => [eventType, body]),
      [
        ['b', fixed.body],
        ['a', one.body],
      ],
    )
    assert.equal(await stage.store.quarantine.count(id), 0)
    assert.deepEqual(statusesOf(await stage.store.appendEvents(id, [toDraft(repeated)])), ['duplicate'])
    assert.deepEqual(await stage.store.quarantine.release(id, [toReleased(one)]), [undefined])
  },

  'a release whose key the log knows stores nothing: the same goes, another stays': async ({ store, id }) => {
    const { quarantine } = store
    const [same, other] = [toKept(repeated), toKept({ dedup: [{ key: 'other', fingerprint: 'f' }] })]
    await quarantine.add(id, [same, other])
    await store.appendEvents(id, [toDraft(repeated), toDraft({ dedup: [{ key: 'other', fingerprint: 'another' }] })])
    const outcomes = await quarantine.release(id, [toReleased(same), toReleased(other)])
    assert.deepEqual(
      outcomes.map((outcome) => outcome?.status),
      ['duplicate', 'mismatch'],
    )
    assert.equal((await readAll(store, id)).length, 2)
    assert.deepEqual(
      (await quarantine.list(id, { after: 0, limit: 9 })).map((row) => row.id),
      [other.id],
    )
  },

  'of releases and removals that come together one has the event': async ({ store, id }) => {
    const { quarantine } = store
    for (let round = 0; round < 10; round += 1) {
      const kept = Array.from({ length: 8 }, () => toKept())
      await quarantine.add(id, kept)
      const before = (await readAll(store, id)).length
      const drafts = kept.map(toReleased)
      const [first, removed, second] = await Promise.all([
        quarantine.release(id, drafts),
        quarantine.remove(id, { ids: kept.map((one) => one.id).toReversed() }),
        quarantine.release(id, drafts.toReversed()),
      ])
      const stored = [...first, ...second].filter((outcome) => outcome?.status === 'stored').length
      assert.equal(stored + removed, kept.length, `round ${round}`)
      assert.equal((await readAll(store, id)).length - before, stored)
      assert.equal(await quarantine.count(id), 0)
    }
  },
}
