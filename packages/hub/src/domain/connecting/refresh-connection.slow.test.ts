import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { beginAuthorization, finishAuthorization, renewTokens, type TokenSet } from '@sluice/sdk/auth'
import { cut, startOAuthProvider, type OAuthProvider } from '@sluice/sdk/testing'
import pg from 'pg'
import { usePostgres } from '../../../../../scripts/use-postgres.ts'
import { openPostgresStore } from '../../store/postgres/store.ts'
import { openSqliteStore } from '../../store/sqlite/store.ts'
import type { ConnectionRow } from '../../store/connections.ts'
import type { Store } from '../../store/store.ts'
import { createSealing } from '../sealing.ts'
import { createRefresher, type Refreshed, type Refresher } from './refresh-connection.ts'
import { openGranted, sealSecret, toTimes } from './tokens.ts'

const postgres = await usePostgres()
const admin = new pg.Pool({ connectionString: postgres.skip ? '' : postgres.url, max: 1 })
admin.on('error', () => {})
after(() => admin.end())

const sealing = createSealing([new Uint8Array(32).fill(7)])
const redirectUri = 'http://127.0.0.1/callback'

/** As two nodes see it: each with a store of its own on Postgres, the same one on SQLite. */
type Nodes = AsyncDisposable & { readonly stores: readonly [Store, Store] }

async function openSqlite(): Promise<Nodes> {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-refresh-'))
  const store = await openSqliteStore({ path: folder })
  return {
    stores: [store, store],
    [Symbol.asyncDispose]: async () => {
      await store.close()
      rmSync(folder, { recursive: true })
    },
  }
}

async function openPostgres(): Promise<Nodes> {
  await admin.query(`create schema refresh`)
  const url = new URL(postgres.url)
  url.searchParams.set('options', `-c search_path=refresh`)
  const open = (): Promise<Store> => openPostgresStore({ url: url.href, maxConnections: 4 })
  const stores = [await open(), await open()] as const
  return {
    stores,
    [Symbol.asyncDispose]: async () => {
      await Promise.all(stores.map((store) => store.close()))
      await admin.query(`drop schema refresh cascade`)
    },
  }
}

async function agree(oauth: OAuthProvider): Promise<TokenSet> {
  const { provider, client } = oauth
  const { url, ...begun } = await beginAuthorization({ provider, client, redirectUri })
  const callbackUrl = await oauth.authorize(url)
  const ended = await finishAuthorization({ provider, client, redirectUri, callbackUrl, ...begun })
  return ended.outcome === 'granted' ? ended.tokens : assert.fail(ended.reason)
}

type Stage = {
  readonly oauth: OAuthProvider
  readonly stores: Nodes['stores']
  readonly workspaceId: number
  /** a node's refresher; closed with the stage */
  readonly node: (index: 0 | 1, options?: { lockMs?: number; store?: Store }) => Refresher
  readonly read: () => Promise<ConnectionRow>
  readonly tokens: () => Promise<TokenSet>
  readonly refresh: (refresher: Refresher, more?: { row?: ConnectionRow; force?: boolean }) => Promise<Refreshed>
  /** requests to refresh that the provider got */
  readonly asked: () => number
  readonly events: () => Promise<string[]>
}

let workspaces = 0

/** A workspace of its own with one connection, whose account has agreed. */
async function play({ stores }: Nodes, work: (stage: Stage) => Promise<void>): Promise<void> {
  await using oauth = await startOAuthProvider()
  const [store] = stores
  const { workspace } = await store.ensureWorkspace(`stage-${(workspaces += 1)}`)
  const workspaceId = workspace.id
  const granted = { tokens: await agree(oauth), fields: {} }
  const { tokens } = granted
  await store.connections.put(workspaceId, {
    key: 'mail',
    id: 'c1',
    integration: 'mail',
    userId: 'ada',
    grant: 'workspace',
    method: 'default',
    sealed: sealSecret(sealing, 'c1', granted),
    ...toTimes(tokens, { random: 0, usesUp: true }),
  })
  const refreshers: Refresher[] = []
  const read = async (): Promise<ConnectionRow> =>
    (await store.connections.find(workspaceId, 'mail')) ?? assert.fail('there is no connection')
  await work({
    oauth,
    stores,
    workspaceId,
    read,
    node: (index, { lockMs = 10_000, store: own = stores[index] } = {}) => {
      const refresher = createRefresher({ store: own, sealing, random: () => 0, lockMs })
      refreshers.push(refresher)
      return refresher
    },
    tokens: async () => openGranted(sealing, await read()).tokens,
    refresh: async (refresher, { row, force = false } = {}) =>
      refresher.refresh({
        row: row ?? (await read()),
        usesUp: true,
        force,
        ask: (held) =>
          renewTokens({
            flow: 'authorization_code',
            provider: oauth.provider,
            client: oauth.client,
            ...openGranted(sealing, held),
          }),
      }),
    asked: () => oauth.requests.filter(({ grantType }) => grantType === 'refresh_token').length,
    events: async () => {
      const { events } = await store.scanEvents(workspaceId, {
        after: 0,
        filter: { event_types: ['sluice.*'] },
        limit: 100,
        rowBudget: 1000,
      })
      return events.map(({ eventType }) => eventType)
    },
  })
  await Promise.all(refreshers.map((refresher) => refresher.close(0)))
}

for (const [name, open, skip] of [
  ['SQLite', openSqlite, false],
  ['Postgres', openPostgres, postgres.skip],
] as const) {
  describe(`refreshing on ${name}`, { skip }, () => {
    let nodes: Nodes
    const on = (work: (stage: Stage) => Promise<void>) => () => play(nodes, work)
    before(async () => {
      nodes = await open()
    })
    after(() => nodes[Symbol.asyncDispose]())

    it(
      'replaces access and refresh token, and the connection says when they end',
      on(async ({ node, refresh, tokens, read, asked }) => {
        const before = await tokens()
        const refreshed = await refresh(node(0))
        assert.equal(refreshed.state, 'fresh')
        const now = await tokens()
        assert.notEqual(now.access_token, before.access_token)
        assert.notEqual(now.refresh_token, before.refresh_token)
        const { expiresMs, refreshMs, generation } = await read()
        assert.deepEqual([generation, asked()], [1, 1])
        assert.ok(refreshMs !== null && expiresMs !== null && expiresMs - refreshMs === 15 * 60_000)
        assert.equal((await refresh(node(0))).state, 'fresh')
      }),
    )

    it(
      'two nodes that want it at once send one request, and both have what it brought',
      on(async ({ oauth, node, refresh, tokens, read, asked }) => {
        const answer = Promise.withResolvers<void>()
        const { reached } = oauth.next({ before: answer.promise })
        const row = await read()
        const [first, second] = [node(0), node(1)]
        const runs = [
          refresh(first, { row }),
          refresh(first, { row }),
          refresh(second, { row }),
          refresh(second, { row }),
        ]
        await reached
        answer.resolve()
        const states = await Promise.all(runs)
        assert.deepEqual([...new Set(states.map(({ state }) => state))], ['fresh'])
        assert.equal(asked(), 1)
        const { access_token: token } = await tokens()
        for (const refreshed of states)
          assert.equal(refreshed.state === 'fresh' && openGranted(sealing, refreshed.row).tokens.access_token, token)
      }),
    )

    it(
      'a provider slower than the lock gets no second request: the lock is renewed',
      on(async ({ oauth, node, refresh, read, asked, stores, workspaceId }) => {
        const answer = Promise.withResolvers<void>()
        const { reached } = oauth.next({ before: answer.promise })
        const row = await read()
        const lockMs = 150
        const slow = refresh(node(0, { lockMs }), { row })
        await reached
        // The other node tries again and again until the lock would have run out several times.
        const { connections } = stores[1]
        const until = stores[1].nowMs() + 5 * lockMs
        while (stores[1].nowMs() < until)
          assert.equal(await connections.claimRefresh(workspaceId, 'mail', row, lockMs), undefined)
        const waiting = refresh(node(1, { lockMs }), { row })
        answer.resolve()
        assert.deepEqual([(await slow).state, (await waiting).state, asked()], ['fresh', 'fresh', 1])
      }),
    )

    it(
      'a refusal breaks the connection and says so, once',
      on(async ({ oauth, node, refresh, tokens, read, asked, events }) => {
        await oauth.revoke((await tokens()).refresh_token ?? '')
        const refreshed = await refresh(node(0))
        assert.ok(refreshed.state === 'broken' && /refuses to refresh/.test(refreshed.reason))
        assert.match((await read()).broken ?? '', /invalid_grant/)
        assert.equal((await refresh(node(1))).state, 'broken')
        assert.deepEqual([asked(), await events()], [1, ['sluice.connection.broken']])
        assert.equal((await refresh(node(1), { force: true })).state, 'broken')
        assert.deepEqual([asked(), await events()], [2, ['sluice.connection.broken']])
      }),
    )

    it(
      'a reply that is lost after the rotation costs one retry, and then it must be connected again',
      on(async ({ oauth, node, refresh, asked, events }) => {
        oauth.next({ loses: true })
        const refreshed = await refresh(node(0))
        assert.ok(refreshed.state === 'broken' && /answer to the request before was lost/.test(refreshed.reason))
        assert.deepEqual([asked(), await events()], [2, ['sluice.connection.broken']])
      }),
    )

    it(
      'a reply that is lost without a rotation is asked for again, and all is well',
      on(async ({ oauth, node, refresh, asked, read }) => {
        oauth.settings.rotates = false
        oauth.next({ loses: true })
        assert.equal((await refresh(node(0))).state, 'fresh')
        assert.deepEqual([asked(), (await read()).broken], [2, null])
      }),
    )

    it(
      'replies that are lost for ever are not asked for for ever; one that is asked to tries again',
      on(async ({ oauth, node, refresh, asked, read }) => {
        for (let times = 0; times < 2; times += 1) oauth.next({ instead: cut() })
        const refreshed = await refresh(node(0))
        assert.ok(refreshed.state === 'broken' && /did not answer/.test(refreshed.reason))
        assert.equal(asked(), 2)
        assert.equal((await refresh(node(0), { force: true })).state, 'fresh')
        assert.deepEqual([asked(), (await read()).broken], [3, null])
      }),
    )

    it(
      'a provider that answers with a failure, or is not there, is asked later: nothing is broken',
      on(async ({ oauth, node, refresh, asked, read, stores }) => {
        oauth.next({ instead: { status: 503, json: {} } })
        const refreshed = await refresh(node(0))
        assert.ok(refreshed.state === 'late' && refreshed.retryMs > 0)
        const { broken, refreshMs } = await read()
        assert.ok(broken === null && refreshMs !== null && refreshMs > stores[0].nowMs())
        assert.equal(asked(), 1)
        assert.equal((await refresh(node(1))).state, 'fresh')
        await oauth.close()
        for (let times = 0; times < 3; times += 1) assert.equal((await refresh(node(0))).state, 'late')
        assert.equal((await read()).broken, null)
      }),
    )

    it(
      'a node that ended in the middle leaves the knowledge, and the next one asks once',
      on(async ({ oauth, node, refresh, read, asked, stores, workspaceId, tokens }) => {
        const row = await read()
        const [store] = stores
        const claim = (await store.connections.claimRefresh(workspaceId, 'mail', row, 1)) ?? assert.fail('it is held')
        assert.ok(await store.connections.noteSending(claim, 1))
        // What it has sent has arrived, and nobody reads the answer.
        const { provider, client } = oauth
        await renewTokens({ flow: 'authorization_code', provider, client, tokens: await tokens() })
        const refreshed = await refresh(node(1, { lockMs: 50 }))
        assert.ok(refreshed.state === 'broken' && /was lost/.test(refreshed.reason))
        assert.equal(asked(), 2)
      }),
    )

    it(
      'tokens that the store cannot keep are good at once, and kept when it is back',
      on(async ({ node, refresh, read, stores, asked }) => {
        const away = Promise.withResolvers<void>()
        let failures = 0
        const connections: Store['connections'] = {
          ...stores[0].connections,
          finishRefresh: async (claim, end) => {
            if (end.kind === 'tokens' && (failures += 1) <= 3) {
              if (failures === 3) away.resolve()
              throw new Error('the disk is full')
            }
            return stores[0].connections.finishRefresh(claim, end)
          },
        }
        const refresher = node(0, { store: { ...stores[0], connections } })
        const row = await read()
        const refreshed = await refresh(refresher, { row })
        assert.ok(refreshed.state === 'fresh' && refreshed.tokens !== undefined)
        assert.equal(refresher.findUnsaved(row)?.access_token, refreshed.tokens.access_token)
        // Whoever wants it meanwhile gets it, and the provider is not asked again.
        assert.equal((await refresh(refresher, { row })).state, 'fresh')
        await away.promise
        await refresher.close(10_000)
        const kept = await read()
        assert.deepEqual([kept.generation, asked()], [1, 1])
        assert.equal(openGranted(sealing, kept).tokens.access_token, refreshed.tokens.access_token)
        assert.equal(refresher.findUnsaved(kept), undefined)
      }),
    )

    it(
      'a provider that does not answer keeps nobody from closing, and its answer is kept all the same',
      on(async ({ oauth, node, refresh, read, stores, workspaceId }) => {
        const answer = Promise.withResolvers<void>()
        const { reached } = oauth.next({ after: answer.promise })
        const row = await read()
        const first = node(0)
        const run = refresh(first, { row })
        await reached
        await first.close(0)
        const { connections } = stores[1]
        assert.equal(await connections.claimRefresh(workspaceId, 'mail', row, 10_000), undefined)
        answer.resolve()
        assert.equal((await run).state, 'fresh')
      }),
    )

    it(
      'tokens without an end are never due by themselves, and those without a refresh token are good to their end',
      on(async ({ oauth, node, refresh, read }) => {
        oauth.settings.expiresIn = 'absent'
        assert.equal((await refresh(node(0))).state, 'fresh')
        const { expiresMs, refreshMs } = await read()
        assert.deepEqual([expiresMs, refreshMs], [null, null])
        const tokens = { access_token: 'a', token_type: 'bearer', obtained_at: 0, expires_at: 3_600_000 }
        assert.deepEqual(toTimes(tokens, { random: 0.5, usesUp: true }), { expiresMs: 3_600_000, refreshMs: 3_600_000 })
        assert.deepEqual(toTimes(tokens, { random: 0, usesUp: false }), { expiresMs: 3_600_000, refreshMs: 2_700_000 })
        assert.deepEqual(toTimes(tokens, { random: 1, usesUp: false }), { expiresMs: 3_600_000, refreshMs: 2_610_000 })
      }),
    )
  })
}
