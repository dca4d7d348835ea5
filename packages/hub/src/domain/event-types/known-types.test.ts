import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import type { EventTypeChange } from '../../store/event-types.ts'
import { openSqliteStore } from '../../store/sqlite/store.ts'
import type { Store, WorkspaceRow } from '../../store/store.ts'
import { createKnownTypes, type KnownTypes } from './known-types.ts'

const folder = mkdtempSync(join(tmpdir(), 'sluice-known-types-'))
let store: Store
before(async () => {
  store = await openSqliteStore({ path: folder })
})
after(async () => {
  await store.close()
  rmSync(folder, { recursive: true })
})

/** The known types of a new workspace, with the names that the store was asked for. */
async function open(key: string): Promise<{
  asked: string[]
  find: (...names: string[]) => Promise<Awaited<ReturnType<KnownTypes['find']>>>
  save: (...changes: Partial<EventTypeChange>[]) => Promise<void>
}> {
  const { workspace } = await store.ensureWorkspace(key)
  const asked: string[] = []
  const find: Store['eventTypes']['find'] = (id, names) => {
    asked.push(...names)
    return store.eventTypes.find(id, names)
  }
  const known = createKnownTypes({ eventTypes: { ...store.eventTypes, find } })
  const now = async (): Promise<WorkspaceRow> => (await store.findWorkspaceById(workspace.id)) ?? assert.fail(key)
  return {
    asked,
    find: async (...names) => known.find(await now(), new Set(names)),
    save: async (...changes) => {
      const content = { name: 'a', description: null, category: null, entity: null, action: null }
      const rest = { schema: '{"required":["id"]}', mode: 'warn', version: 1, expects: 0 } as const
      assert.ok(
        await store.eventTypes.save(
          workspace.id,
          changes.map((change) => ({ ...content, ...rest, ...change })),
        ),
      )
    },
  }
}

test('the store is asked once for each name, known or not, until something changes', async () => {
  const { asked, find, save } = await open('once')
  await save({ name: 'a' }, { name: 'b', schema: null })
  const [first, again] = [await find('a', 'b', 'none'), await find('none', 'a')]
  assert.deepEqual([...first.keys()].toSorted(), ['a', 'b'])
  assert.deepEqual([...again.keys()], ['a'])
  assert.deepEqual([first.get('b')?.validate, first.get('a')?.validate?.({}, 2).length], [undefined, 1])
  assert.deepEqual(asked.splice(0), ['a', 'b', 'none'])
  await save({ name: 'none', schema: null, mode: 'off' })
  assert.equal((await find('none')).get('none')?.mode, 'off')
  assert.deepEqual(asked, ['none'])
})

test('a schema that stays is not compiled again', async () => {
  const { find, save } = await open('compiled')
  await save({ name: 'a' })
  const before = (await find('a')).get('a')
  const [row] = await store.eventTypes.find((await store.findWorkspace('compiled'))?.id ?? 0, ['a'])
  await save({ name: 'a', mode: 'reject', expects: row?.revision ?? 0 })
  const later = (await find('a')).get('a')
  assert.deepEqual([before?.mode, later?.mode], ['warn', 'reject'])
  assert.equal(later?.validate, before?.validate)
})

test('names that publishers make up push out nothing, and many types stay right', async () => {
  const { asked, find, save } = await open('many')
  const names = Array.from({ length: 2500 }, (_, n) => `t${n}`)
  await save(...names.map((name) => ({ name, schema: null })))
  for (const at of [0, 1000, 2000])
    assert.equal((await find(...names.slice(at, at + 1000))).size, names.slice(at, at + 1000).length)
  for (let at = 0; at < 12; at += 1) await find(...Array.from({ length: 1000 }, (_, n) => `made-up-${at}-${n}`))
  asked.length = 0
  assert.equal((await find('t2499')).size, 1)
  assert.deepEqual(asked, [])
  assert.equal((await find('t0', 't2499')).size, 2, 'what was forgotten is asked for again')
  assert.deepEqual(asked, ['t0'])
})

test('a schema that cannot be used any more refuses, and says why', async () => {
  const { find, save } = await open('unusable')
  await save({ name: 'a', schema: '{"pattern":"(?=x)"}' })
  const faults = (await find('a')).get('a')?.validate?.('x', 1)
  assert.match(faults?.[0]?.detail ?? '', /cannot be checked.*look-around/)
})
