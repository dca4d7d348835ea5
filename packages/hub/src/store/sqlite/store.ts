import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { HubError, defaultWorkspace, failedRule } from '@sluice/protocol'
import type { LeaseGrant, Settlement, Store, StoredEvent, Wake } from '../store.ts'
import { expandRuns } from '../runs.ts'
import { listAttempts } from './attempts.ts'
import { createClock, toClock } from './clock.ts'
import { openCheckpoints } from './checkpoints.ts'
import { openDatabase } from './database.ts'
import { listDeadLetters } from './dead-letters.ts'
import { readInbox, readInboxes, requireInbox, type InboxState } from './engine.ts'
import { openGroupCommit } from './group-commit.ts'
import { toInboxRow } from './inboxes.ts'
import { findKey, listAudit, listKeys } from './keys.ts'
import type { Granted } from './lease.ts'
import { eventTable, findPosition, readEvents, readHead, scanLog, toFilterSubject } from './log.ts'
import { createMemo } from './memo.ts'
import { peekEvents } from './peek.ts'
import { createRateLimits } from './rate-limits.ts'
import { openReader } from './reader-thread.ts'
import { findWorkspace, listWorkspaces } from './workspaces.ts'
import type { VerbName, WriteOrder, WriteResult } from './writer.ts'

export type SqliteOptions = {
  /** the data folder; made if it does not exist */
  readonly path: string
  /** ms since 1970, for tests */
  readonly clock?: () => number
  /**
   * `hub` (default): the one process that appends and hands out; a second one is refused. `admin`: only workspaces, keys
   * and audit, also while a hub runs on the folder.
   */
  readonly access?: 'hub' | 'admin'
}

/**
 * Opens the embedded store: one SQLite file, written by a thread that commits in groups, read on this thread where the cost is
 * bounded and in a reader thread where it is not.
 *
 * @throws HubError `conflict` when another hub runs on the folder
 * @example const store = await openSqliteStore({ path: './.sluice' })
 */
export async function openSqliteStore({ path, clock: read, access = 'hub' }: SqliteOptions): Promise<Store> {
  mkdirSync(path, { recursive: true, mode: 0o700 })
  const lock = access === 'hub' ? lockFolder(path) : undefined
  const file = join(path, 'sluice.db')
  const clock = read ? toClock(read) : createClock()
  const listeners = new Set<(wake: Wake) => void>()
  let death: Error | undefined
  let appended = 0

  const group = await openGroupCommit({
    file,
    only: access === 'admin' ? adminVerbs : undefined,
    nowMs: clock.nowMs,
    onReady: clock.startFrom,
    onCommit: (orders, results, wakes) => {
      const news = toWakes(orders, results, wakes)
      for (const wake of news) {
        appended += wake.appended?.length ?? 0
        for (const listener of listeners) listener(wake)
      }
    },
    onDeath: (error) => (death = error),
  })
  await group.write('ensureWorkspace', defaultWorkspace)
  const db = openDatabase(file, 'reader')
  const reader = openReader(file)
  const checkpoints = access === 'hub' ? openCheckpoints({ file, finish: group.checkpoint }) : undefined
  const keys = createMemo<ReturnType<typeof findKey>>(500)
  const workspaces = createMemo<ReturnType<typeof findWorkspace>>(500)
  const takeRequest = createRateLimits(clock.nowMs)
  let clockSavedMs = clock.nowMs()

  const inboxOf = (workspaceId: number, key: string): InboxState => requireInbox(readInbox(db, workspaceId, key), key)

  return {
    ensureWorkspace: async (key) => {
      workspaces.forget(key)
      return group.write('ensureWorkspace', key)
    },
    findWorkspace: async (key) => workspaces.get(key, () => findWorkspace(db, key)),
    listWorkspaces: async (after, limit) => listWorkspaces(db, after, limit),
    deleteWorkspace: async (key) => {
      const removed = await group.write('deleteWorkspace', key)
      workspaces.forget(key)
      return removed
    },

    appendEvents: (workspaceId, drafts) => group.write('appendEvents', workspaceId, drafts),
    readEvents: async (workspaceId, positions) => readEvents(db, workspaceId, positions),
    readHead: async (workspaceId) => readHead(db, workspaceId),
    findPosition: async (workspaceId, acceptedMs) => findPosition(db, workspaceId, acceptedMs),
    searchEvents: (workspaceId, search) => reader.read('searchEvents', workspaceId, search),
    scanEvents: async (workspaceId, { after, filter, limit, rowBudget }) => {
      const { head } = readHead(db, workspaceId)
      const { found, scannedTo } = scanLog(db, workspaceId, {
        first: after + 1,
        last: head,
        filter,
        limit,
        budget: rowBudget,
      })
      const events = readEvents(
        db,
        workspaceId,
        found.map((event) => event.position),
      )
      return { events, scannedTo: Math.max(after, scannedTo) }
    },

    createInbox: (workspaceId, key, settings, start) =>
      group.write('createInbox', workspaceId, { key, settings, start }),
    findInbox: async (workspaceId, key) => {
      const inbox = readInbox(db, workspaceId, key)
      return inbox && toInboxRow(inbox)
    },
    listInboxes: async (workspaceId, after, limit) => readInboxes(db, workspaceId, after, limit).map(toInboxRow),
    updateInbox: (workspaceId, key, change) => group.write('updateInbox', workspaceId, key, change),
    deleteInbox: (workspaceId, key) => group.write('deleteInbox', workspaceId, key),
    seekInbox: (workspaceId, key, position) => group.write('seekInbox', workspaceId, key, position),
    readProgress: async (workspaceId, key) => {
      const progress = await reader.read('readProgress', workspaceId, key, clock.nowMs())
      if (!progress) throw new HubError('not-found', `inbox "${key}" does not exist`)
      return progress
    },

    leaseEvents: async (workspaceId, key, order) => {
      let granted = await group.write('leaseEvents', workspaceId, key, order)
      // A filter may look at many rows before it finds one; each step is a group of its own, so that others are served between.
      while (granted.more && granted.held.length === 0)
        granted = await group.write('leaseEvents', workspaceId, key, order)
      return toGrant(granted, (positions) => readEvents(db, workspaceId, positions))
    },
    settleLease: async (workspaceId, key, order) => {
      const settled = await group.write('settleLease', workspaceId, key, order)
      const at = db.sql(`select accepted_ms as ms from ${eventTable(workspaceId)} where position = ?`)
      return settled.map(([position, status]): Settlement => ({
        position,
        status,
        acceptedMs: order.positions ? null : Number(at.get(position)?.['ms'] ?? 0),
      }))
    },
    extendLease: (workspaceId, key, leaseId, leaseMs) => group.write('extendLease', workspaceId, key, leaseId, leaseMs),
    acknowledgeEvent: (workspaceId, key, position) => group.write('acknowledgeEvent', workspaceId, key, position),
    peekEvents: async (workspaceId, key, peek) => peekEvents(db, inboxOf(workspaceId, key), peek),
    replayEvent: async (workspaceId, key, position, ignoreFilter) => {
      const inbox = inboxOf(workspaceId, key)
      const [event] = readEvents(db, workspaceId, [position])
      const matches = event !== undefined && failedRule(inbox.settings.filter, toFilterSubject(event)) === undefined
      if (!matches && !ignoreFilter) return 'filtered'
      return group.write('replayEvent', workspaceId, key, { position, matches })
    },
    listDeadLetters: async (workspaceId, key, page) => listDeadLetters(db, inboxOf(workspaceId, key).id, page),
    settleDeadLetters: (workspaceId, key, choice, action) =>
      group.write('settleDeadLetters', workspaceId, key, { choice, action }),
    listAttempts: async (workspaceId, key, page) => listAttempts(db, inboxOf(workspaceId, key).id, page),
    explainEvent: (workspaceId, position) => reader.read('explainEvent', workspaceId, position, clock.nowMs()),

    insertKey: async (key) => {
      await group.write('putKey', key)
      keys.forget(key.keyId)
    },
    findKey: async (keyId) => keys.get(keyId, () => findKey(db, keyId)),
    listKeys: async (workspaceId, page) => listKeys(db, workspaceId, page),
    updateKey: async (keyId, change) => {
      const key = await group.write('updateKey', keyId, change)
      keys.forget(keyId)
      return key
    },
    appendAudit: (entry) => group.write('appendAudit', entry),
    listAudit: async (workspaceId, page) => listAudit(db, workspaceId, page),
    takeRequest: async (keyId, perMinute) => takeRequest(keyId, perMinute),

    expireLeases: async () => {
      await group.write('expireLeases')
      if (clock.nowMs() - clockSavedMs < 10_000) return
      clockSavedMs = clock.nowMs()
      await group.write('saveClock')
    },
    trimEvents: (workspaceId, policy) => group.write('trimEvents', workspaceId, policy),
    onWake: (listener) => {
      listeners.add(listener)
      return () => void listeners.delete(listener)
    },
    nowMs: clock.nowMs,
    checkHealth: async () => ({
      store: checkReadable(() => readHead(db, 0)),
      writer: death ? `stopped: ${death.message}` : 'ok',
    }),
    stats: () => ({ ...group.stats(), appended }),
    close: async () => {
      await checkpoints?.close()
      await group.close()
      await reader.close()
      db.raw.close()
      lock?.close()
    },
  }
}

/** What a second process may write: no row of these is kept in the memory of the hub's writer. */
const adminVerbs: ReadonlySet<VerbName> = new Set(['appendAudit', 'ensureWorkspace', 'putKey', 'updateKey'])

/** Held until the process ends, however it ends: the operating system lets go of the lock. */
function lockFolder(path: string): DatabaseSync {
  const lock = new DatabaseSync(join(path, 'hub.lock'), { timeout: 0 })
  try {
    lock.exec('pragma journal_mode = memory; begin exclusive')
    return lock
  } catch (cause) {
    lock.close()
    throw new HubError(
      'conflict',
      `another hub runs on the data folder ${path}; stop it, or give this one another folder with --data`,
      { cause },
    )
  }
}

function checkReadable(read: () => unknown): string {
  try {
    read()
    return 'ok'
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
}

function toGrant(
  { inboxStatus, untilMs, held, more, retryAtMs }: Granted,
  read: (positions: number[]) => StoredEvent[],
): LeaseGrant {
  const events = held.flatMap(({ attempt, runs }) => read(expandRuns(runs)).map((event) => ({ ...event, attempt })))
  return { inboxStatus, untilMs, events, more, retryAtMs }
}

function toWakes(orders: readonly WriteOrder[], results: readonly WriteResult[], wakes: readonly string[]): Wake[] {
  const news: Wake[] = wakes.map((name) => {
    const slash = name.indexOf('/')
    return { workspaceId: Number(name.slice(0, slash)), inbox: name.slice(slash + 1) }
  })
  const appended = new Map<number, NonNullable<Wake['appended']>[number][]>()
  for (const [index, { verb, args }] of orders.entries()) {
    const result = results[index]
    if (verb !== 'appendEvents' || !result || 'error' in result) continue
    const [workspaceId, drafts] = args as Parameters<Store['appendEvents']> // the arguments of that verb
    const list = appended.get(workspaceId) ?? []
    list.push(...drafts)
    appended.set(workspaceId, list)
  }
  for (const [workspaceId, drafts] of appended) news.push({ workspaceId, appended: drafts })
  return news
}
