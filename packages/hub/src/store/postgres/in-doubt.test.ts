import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import { after, before, describe, it } from 'node:test'
import { usePostgres } from '../../../../../scripts/use-postgres.ts'
import { readAll, toDraft } from '../contract/stage.ts'
import type { Store } from '../store.ts'
import { openPostgresStore } from './store.ts'

const postgres = await usePostgres()

/** When a connection is cut: before the commit reaches the server, or when it has, before its answer is read. */
type Cut = 'before' | 'after'

describe('a connection that breaks during a commit', { skip: postgres.skip }, () => {
  let store: Store
  let armed: Cut | undefined
  const sockets = new Set<Socket>()
  const proxy = createServer((client) => {
    const { hostname, port } = new URL(postgres.url)
    const server = connect(Number(port), hostname)
    for (const socket of [client, server]) {
      sockets.add(socket)
      socket.on('error', () => {})
    }
    server.on('close', () => client.destroy())
    // Not at once: a server that is still answering would throw away what it has not read yet.
    client.on('close', () => server.end())
    server.on('data', (data) => client.write(data))
    let sent = ''
    client.on('data', (data) => {
      sent += data.toString('latin1')
      const commit = sent.indexOf('commit\0')
      // Notices to other nodes are sent on their own, after the commit that they speak of: theirs is not the one in question.
      const isMeant = commit >= 0 && !sent.slice(0, commit).includes('synchronous_commit = off')
      if (commit >= 0) sent = ''
      const cut = isMeant ? armed : undefined
      if (cut !== undefined) armed = undefined
      if (cut === 'before') return client.destroy()
      if (cut === undefined) return server.write(data)
      // The server gets the commit; nobody hears what it answers.
      server.removeAllListeners('data').resume()
      server.write(data, () => client.destroy())
    })
  })
  before(async () => {
    proxy.listen(0, '127.0.0.1')
    await once(proxy, 'listening')
    const url = new URL(postgres.url)
    url.port = String((proxy.address() as AddressInfo).port)
    store = await openPostgresStore({ url: url.href, directUrl: postgres.url })
  })
  after(async () => {
    await store.close()
    for (const socket of sockets) socket.destroy()
    proxy.close()
  })

  it('after the commit has arrived: the events are there, once, and the caller is told so', async () => {
    const { workspace } = await store.ensureWorkspace('arrived')
    armed = 'after'
    const outcomes = await store.appendEvents(workspace.id, [toDraft(), toDraft()])
    assert.deepEqual(
      outcomes.map((outcome) => outcome.status),
      ['stored', 'stored'],
    )
    assert.equal(armed, undefined, 'the connection was cut')
    assert.deepEqual(await readAll(store, workspace.id), [1, 2])
  })

  it('before the commit has arrived: nothing has changed, and the caller is told so', async () => {
    const { workspace } = await store.ensureWorkspace('lost')
    armed = 'before'
    await assert.rejects(store.appendEvents(workspace.id, [toDraft()]), { code: 'storage-unavailable' })
    assert.equal(armed, undefined, 'the connection was cut')
    assert.deepEqual(await readAll(store, workspace.id), [])
    await store.appendEvents(workspace.id, [toDraft()])
    assert.deepEqual(await readAll(store, workspace.id), [1])
  })

  it('with others waiting for the same log: each is told what became of its own', async () => {
    const { workspace } = await store.ensureWorkspace('crowded')
    armed = 'after'
    const policy = { passedMs: 1e12, anywayMs: 1e12, attemptsMs: 1e12, maxRows: 10 }
    const trims = [store.trimEvents(workspace.id, policy), store.trimEvents(workspace.id, policy)]
    const [outcomes] = await Promise.all([store.appendEvents(workspace.id, [toDraft()]), Promise.allSettled(trims)])
    assert.equal(outcomes[0]?.status, 'stored')
    assert.equal(armed, undefined, 'the connection was cut')
    // Each had asked before the doubt or asked while it lasted: those that waited are done, the others are told to ask again.
    for (const trim of trims) await trim.catch((error) => assert.equal(error.code, 'storage-unavailable'))
    assert.deepEqual(await readAll(store, workspace.id), [1])
  })

  it('a lease and an acknowledgement whose answers were lost are given all the same', async () => {
    const { workspace } = await store.ensureWorkspace('leased')
    await store.appendEvents(workspace.id, [toDraft()])
    armed = 'after'
    const { events } = await store.leaseEvents(workspace.id, 'default', { leaseId: 'a', limit: 10, leaseMs: 60_000 })
    assert.equal(events.length, 1)
    armed = 'after'
    const settled = await store.settleLease(workspace.id, 'default', { leaseId: 'a', outcome: { kind: 'ack' } })
    assert.deepEqual(
      settled.map(({ status }) => status),
      ['acked'],
    )
    assert.equal(armed, undefined)
  })
})
