import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { HubError, inboxDefaults } from '@sluice/protocol'
import fc from 'fast-check'
import pg from 'pg'
import { usePostgres } from '../../../../../scripts/use-postgres.ts'
import { createModel, type ModelSettings } from '../../store/contract/model.ts'
import { checkWorld, type World } from '../../store/contract/model-check.ts'
import { runStep, step } from '../../store/contract/model-steps.ts'
import { createStage, followStore, toStage, type OpenedStore } from '../../store/contract/stage.ts'
import { openPostgresStore } from '../../store/postgres/store.ts'
import { openSqliteStore } from '../../store/sqlite/store.ts'
import type { MovedRow } from '../../store/moving.ts'
import type { Store } from '../../store/store.ts'
import { exportWorkspace } from './export-workspace.ts'
import { createLinePrinter } from './lines.ts'
import { importWorkspace, type Imported, type ImportOrder } from './import-workspace.ts'

const postgres = await usePostgres()
const admin = new pg.Pool({ connectionString: postgres.skip ? '' : postgres.url, max: 1 })
admin.on('error', () => {})
after(() => admin.end())

let nowMs = 1_800_000_000_000
let schemas = 0

async function openStore(kind: 'sqlite' | 'postgres'): Promise<OpenedStore> {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-moving-'))
  const url = new URL(kind === 'postgres' ? postgres.url : 'postgres://none')
  const schema = `moving_${(schemas += 1)}`
  if (kind === 'postgres') await admin.query(`create schema ${schema}`)
  url.searchParams.set('options', `-c search_path=${schema}`)
  const clock = (): number => nowMs
  const open = (): Promise<Store> =>
    kind === 'sqlite' ? openSqliteStore({ path: folder, clock }) : openPostgresStore({ url: url.href, clock })
  let store = await open()
  const reopen = async (): Promise<Store> => {
    await store.close()
    return (store = await open())
  }
  return followStore({
    store,
    advance: (ms) => {
      nowMs += ms
    },
    reopen,
    crash: reopen,
    close: async () => {
      await store.close()
      if (kind === 'postgres') await admin.query(`drop schema ${schema} cascade`)
      rmSync(folder, { recursive: true })
    },
  })
}

async function toFile(store: Store, key: string): Promise<string> {
  const workspace = (await store.findWorkspace(key)) ?? assert.fail(`no workspace ${key}`)
  let file = ''
  await exportWorkspace(store, { workspace, version: '0.0.0', write: async (text) => void (file += text) })
  return file
}

async function* toSource(file: string): AsyncGenerator<Uint8Array> {
  const bytes = Buffer.from(file)
  for (let from = 0; from < bytes.length; from += 7777) yield bytes.subarray(from, from + 7777)
}

const fromFile = (store: Store, file: string, more: Partial<ImportOrder> = {}): Promise<Imported> =>
  importWorkspace(store, { source: toSource(file), withKeys: true, restart: false, ...more })

const kinds: readonly ModelSettings[] = [
  { ordering: 'none', onDead: 'continue', maxAttempts: 3 },
  { ordering: 'key', onDead: 'block', maxAttempts: 2 },
]

for (const [from, to] of [
  ['sqlite', 'sqlite'],
  ['sqlite', 'postgres'],
  ['postgres', 'sqlite'],
  ['postgres', 'postgres'],
] as const) {
  describe(`from ${from} to ${to}`, { skip: from + to !== 'sqlitesqlite' && postgres.skip }, () => {
    it('a random history goes on after the move as if there had been none', async () => {
      const [here, there] = await Promise.all([openStore(from), openStore(to)])
      try {
        let count = 0
        const part = fc.array(step, { minLength: 1, maxLength: 40, size: 'max' })
        const property = fc.asyncProperty(part, part, fc.constantFrom(...kinds), async (before, afterwards, of) => {
          const key = `history-${(count += 1)}`
          const stage = await createStage(here, key)
          const world: World = { stage, model: createModel(of), log: [] }
          await stage.makeInbox({
            filter: { event_types: ['wanted'] },
            ordering: of.ordering,
            on_dead: of.onDead,
            max_attempts: of.maxAttempts,
            retry: inboxDefaults.retry,
          })
          for (const todo of before) await runStep(world, todo)
          const file = await toFile(here.store, key)
          await fromFile(there.store, file)
          const moved = (await there.store.findWorkspace(key)) ?? assert.fail('it is not there')
          const world2: World = { ...world, stage: toStage(there, moved.id) }
          await checkWorld(world2)
          for (const todo of afterwards) {
            await runStep(world2, todo)
            await checkWorld(world2)
          }
          await here.store.deleteWorkspace(key)
          await there.store.deleteWorkspace(key)
        })
        const runs = process.env['SLUICE_MODEL_RUNS']
        await fc.assert(property, {
          numRuns: Number(runs ?? 8),
          interruptAfterTimeLimit: 120_000,
          ...(!runs && { seed: 20_261_121 }),
        })
      } finally {
        await here.close()
        await there.close()
      }
    })

    it('rows, ids and keys are the same, and a file of the copy says the same', async () => {
      const [here, there] = await Promise.all([openStore(from), openStore(to)])
      try {
        const { workspace } = await here.store.ensureWorkspace('shop')
        const { id, publishMany } = toStage(here, workspace.id)
        await publishMany(1200)
        await here.store.appendEvents(id, [
          {
            eventType: 'odd',
            source: 'sülze',
            subject: 's',
            body: '{"event_type":"odd","payload":{"nul":"\\u0000","lone":"\\ud800","big":1e400,"same":1,"same":2}}',
            notes: '{"hops":1}',
            dedup: [{ key: 'k', fingerprint: 'f' }],
          },
        ])
        await here.store.insertKey({
          keyId: 'key-1',
          workspaceId: id,
          secretHash: 'h',
          previousHash: null,
          previousUntilMs: null,
          userId: 'u',
          userEmail: null,
          role: 'creator',
          allowedEventTypes: ['a.*'],
          allowedActions: null,
          rateLimit: 7,
          expiresMs: null,
          status: 'active',
          createdMs: 5,
          lastUsedMs: null,
          hmac: { required: true, secrets: [{ sealed: 'v1.a.b', untilMs: null }] },
        })
        const content = { description: 'ünd', category: 'c', entity: 'E', action: 'A', mode: 'quarantine' } as const
        const type = { ...content, name: 'c.EA', schema: '{"type":"object"}', version: 1, expects: 0 }
        await here.store.eventTypes.save(id, [type])
        await here.store.quarantine.add(id, [
          {
            eventType: 'c.EA',
            source: null,
            subject: null,
            body: '{"event_type":"c.EA","payload":{"nul":"\\u0000"}}',
            notes: null,
            dedup: [{ key: 'q', fingerprint: 'f' }],
            id: 'kept',
            version: 1,
            faults: '[]',
          },
        ])
        const file = await toFile(here.store, 'shop')
        const { counts, resumed } = await fromFile(there.store, file)
        assert.deepEqual([counts['event'], counts['dedup'], counts['api_key'], resumed], [1201, 1, 1, 0])
        assert.deepEqual([counts['event_type'], counts['quarantine'], counts['quarantine_key']], [1, 1, 1])
        const rowsOf = (text: string): string[] => text.split('\n').filter((line) => line.includes('"row"'))
        assert.deepEqual(rowsOf(await toFile(there.store, 'shop')), rowsOf(file))
        const key = await there.store.findKey('key-1')
        const moved = await there.store.findWorkspace('shop')
        assert.deepEqual([key?.workspaceId, key?.allowedEventTypes], [moved?.id, ['a.*']])
        assert.equal(moved?.tag, workspace.tag)
        await assert.rejects(
          fromFile(there.store, file, { workspace: 'again' }),
          /API key key-1 is in this store already/,
        )
        assert.equal((await fromFile(there.store, file, { workspace: 'again', withKeys: false })).workspace, 'again')
      } finally {
        await here.close()
        await there.close()
      }
    })
  })
}

describe('a file that is not in order', () => {
  let opened: OpenedStore
  let file = ''
  let lines: string[] = []
  before(async () => {
    opened = await openStore('sqlite')
    const { workspace } = await opened.store.ensureWorkspace('shop')
    await toStage(opened, workspace.id).publishMany(1100)
    file = await toFile(opened.store, 'shop')
    lines = file.trimEnd().split('\n')
  })
  after(() => opened.close())
  const edit = (number: number, change: (line: string) => string): string =>
    `${lines.with(number - 1, change(lines[number - 1] ?? '')).join('\n')}\n`
  const refusedAs = (pattern: RegExp) => (error: unknown) =>
    error instanceof HubError && error.code === 'validation-error' && pattern.test(error.message)

  it('is refused by naming the line, and leaves nothing that is seen', async () => {
    const last = lines.length
    const event = 1 + lines.findIndex((line) => line.includes('"kind":"event"'))
    const cases: [string, RegExp][] = [
      ['', /line 1 is missing/],
      ['{"event_type":"a"}\n', /line 1 is not the header/],
      ['PK\u0003\u0004 nonsense\n', /line 1 is not JSON/],
      [edit(1, (line) => line.replace('"version":1', '"version":2')), /line 1 says version 2/],
      [edit(event, (line) => line.replace('order.created', 'order.deleted')), /line \d+ does not fit lines \d+ to \d+/],
      [edit(event, (line) => line.slice(0, 40)), new RegExp(`line ${event} is not JSON`)],
      [
        edit(event, (line) => line.replace('"source"', '"sauce"')),
        new RegExp(`line ${event} .*unknown member "sauce"`),
      ],
      [edit(event, (line) => line.replace('"position":1', '"position":-1')), new RegExp(`line ${event} .*"position"`)],
      [edit(event, (line) => line.replace('"event"', '"elephant"')), new RegExp(`line ${event} .*does not know`)],
      [lines.toSpliced(event - 1, 1).join('\n'), /does not fit|not in the order/],
      [`${lines.slice(0, last - 1).join('\n')}\n`, /ends before its last line/],
      [file.slice(0, -1), new RegExp(`line ${last} is cut off`)],
      [`${file}{"kind":"event"}\n`, new RegExp(`line ${last + 1} stands after the end`)],
    ]
    for (const [text, words] of cases) {
      await assert.rejects(fromFile(opened.store, text, { workspace: 'copy', restart: true }), refusedAs(words))
      assert.equal(await opened.store.findWorkspace('copy'), undefined)
    }
  })

  it('is refused if its rows cannot be together, whoever has written the checksums', async () => {
    const printer = createLinePrinter()
    const known = lines.find((line) => line.includes('"kind":"log"')) ?? ''
    const twice = { key: 'k', fingerprint: 'f', position: 1, accepted_ms: 1, expires_ms: 9_000_000_000_000 }
    const parts = [
      printer.header({ id: 'made-up', workspace: 'copy', exportedMs: 1, sluice: '0' }),
      printer.row(JSON.parse(known)),
      printer.row({ kind: 'dedup', row: twice }),
      printer.row({ kind: 'dedup', row: twice }),
      printer.mark(),
      printer.end().text,
    ]
    const made = fromFile(opened.store, parts.join(''), { workspace: 'copy', restart: true })
    await assert.rejects(made, refusedAs(/line 5 closes rows that no store holds together: .*UNIQUE/))
    assert.equal(await opened.store.findWorkspace('copy'), undefined)
  })

  it('holds no connection, polling trigger, source or budget that no workspace has', async () => {
    const log = lines.find((line) => line.includes('"kind":"log"')) ?? ''
    const connection = { key: 'c', id: 'i', integration: 'slack', user_id: 'u', access: 'workspace', sealed: null }
    const times = { created_ms: 1, updated_ms: 1 }
    const settings = { integration: 'slack', polling_trigger: 'messages', connection: null, inputs: {}, user_id: 'u' }
    const trigger = {
      key: 't',
      id: 'i',
      status: 'active',
      generation: 1,
      primed: true,
      state: null,
      last_poll_ms: null,
      next_poll_ms: 1,
      failures: 0,
      last_error: null,
      token: null,
      claimed_until_ms: 0,
      ...times,
      settings: JSON.stringify({ ...settings, interval_seconds: 60, first_poll: 'prime', look_back_seconds: 1 }),
    }
    const good = { ...connection, account: null, account_error: null, ...times }
    const sourceSettings = {
      scheme: 'github',
      hmac: null,
      event_type: null,
      id: { header: 'x-github-delivery' },
      event_type_prefix: '',
      max_bytes: 1,
      handshake: 'none',
    }
    const secrets = JSON.stringify([{ sealed: 'v1.x.y', createdMs: 1, untilMs: null }])
    const source = { key: 's', id: 'i', settings: JSON.stringify(sourceSettings), secrets, revision: 1, ...times }
    const budget = { key: 'b', near_from: null, exceeded_from: null, ...times }
    const limit = { match: {}, limit_usd: 1, period: 'day', on_exceeded: 'warn' }
    const cases: [
      kind: 'connection' | 'polling_trigger' | 'source' | 'budget',
      row: object,
      words: RegExp | undefined,
    ][] = [
      ['connection', { ...good, access: 'all' }, /has a key or grant that no connection has/],
      ['connection', { ...good, key: 'A b' }, /has a key or grant that no connection has/],
      ['connection', { ...good, account: '{"email":1}' }, /has an account that no connection has/],
      ['polling_trigger', { ...trigger, status: 'odd' }, /has a key or status that no polling trigger has/],
      ['polling_trigger', { ...trigger, settings: '{}' }, /has settings that no polling trigger has/],
      ['polling_trigger', { ...trigger, state: '{' }, /has a state that is not JSON/],
      ['budget', { ...budget, settings: '{}' }, /has a key or settings that no budget has/],
      ['budget', { ...budget, settings: JSON.stringify(limit) }, undefined],
      ['connection', good, undefined],
      ['polling_trigger', trigger, undefined],
      ['source', { ...source, key: 'A b' }, /has a key that no source has/],
      ['source', { ...source, settings: '{}' }, /has settings that no source has/],
      ['source', { ...source, secrets: '["plain"]' }, /has secrets that no source has/],
      ['source', source, undefined],
    ]
    for (const [number, [kind, row, words]] of cases.entries()) {
      const printer = createLinePrinter()
      const parts = [
        printer.header({ id: String(number), workspace: `made-${number}`, exportedMs: 1, sluice: '0' }),
        printer.row({ kind: 'log', row: { ...JSON.parse(log).row, head: 0 } }),
        printer.row({ kind, row } as MovedRow),
        printer.mark(),
        printer.end().text,
      ]
      const made = fromFile(opened.store, parts.join(''), { restart: true })
      if (words) await assert.rejects(made, refusedAs(words))
      else await made
    }
  })

  it('may lack a column that is newer than it, and holds no secrets that no key has', async () => {
    const known = lines.find((line) => line.includes('"kind":"log"')) ?? ''
    const key = {
      key_id: 'older',
      secret_hash: 'h',
      previous_hash: null,
      previous_until_ms: null,
      user_id: 'u',
      user_email: null,
      role: 'creator',
      allowed_event_types: null,
      allowed_actions: null,
      rate_limit: null,
      expires_ms: null,
      status: 'active',
      created_ms: 1,
      last_used_ms: null,
    }
    const toFileWith = (row: object): string => {
      const printer = createLinePrinter()
      const parts = [
        printer.header({ id: JSON.stringify(row), workspace: 'older', exportedMs: 1, sluice: '0' }),
        printer.row({ kind: 'log', row: { ...JSON.parse(known).row, head: 0 } }),
        printer.row({ kind: 'api_key', row }),
        printer.mark(),
        printer.end().text,
      ]
      return parts.join('')
    }
    for (const hmac of ['', '[]', '{}', '{"required":1,"secrets":[]}', '{"required":true,"secrets":[{"sealed":1}]}']) {
      const refused = fromFile(opened.store, toFileWith({ ...key, hmac }), { restart: true })
      await assert.rejects(refused, refusedAs(/line 3 \(api_key\) has HMAC secrets that no key has/), hmac)
    }
    await fromFile(opened.store, toFileWith(key), { restart: true })
    assert.equal((await opened.store.findKey('older'))?.hmac, null)
  })

  it('goes on where it was cut off once it is whole, and not with another file', async () => {
    const event = 1 + lines.findIndex((line) => line.includes('"kind":"event"'))
    const cut = `${lines.slice(0, event + 600).join('\n')}\n`
    await assert.rejects(fromFile(opened.store, cut, { workspace: 'copy', restart: true }), /ends before its last line/)
    const other = await toFile(opened.store, 'shop')
    await assert.rejects(fromFile(opened.store, other, { workspace: 'copy' }), /give it up with --restart/)
    const { resumed, counts } = await fromFile(opened.store, file, { workspace: 'copy' })
    assert.ok(resumed > 0)
    assert.equal(counts['event'], 1100)
    await assert.rejects(fromFile(opened.store, file, { workspace: 'copy' }), /is not empty/)
  })
})
