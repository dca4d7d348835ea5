import { randomUUID } from 'node:crypto'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { defaultWorkspace } from '@sluice/protocol/defaults'
import { HubError } from '@sluice/protocol/error'
import { toInboxRow } from '../inbox-rules/change.ts'
import type { Granted } from '../inbox-rules/lease.ts'
import { peekEvents } from '../inbox-rules/peek.ts'
import type { InboxState, Rows } from '../inbox-rules/rows.ts'
import { expandRuns, toRuns } from '../runs.ts'
import type { KeyRow, LeaseGrant, Store, WorkspaceRow } from '../store.ts'
import { openCheckpoints } from './checkpoints.ts'
import { createClock, toClock } from '../clock.ts'
import { openDatabase, type Database } from './database.ts'
import { listAttempts, listDeadLetters } from './failure-rows.ts'
import { openGroupCommit, type GroupCommit } from './group-commit.ts'
import { findKey, listAudit, listKeys } from './keys.ts'
import { findPosition, readEvents, readLog, readSome, scanLog } from './log.ts'
import { createMemo, type Memo } from '../memo.ts'
import { createMoving } from './moving.ts'
import { createOutside } from './outside.ts'
import { createDefinitions } from './definitions.ts'
import { listDoors } from './doors.ts'
import { createRateLimits } from './rate-limits.ts'
import { openReader, type Reader } from './reader.ts'
import { createRows } from './rows.ts'
import { createTimetable } from './schedules.ts'
import { createActivity } from './activity.ts'
import { createSources } from './sources.ts'
import { createWakes } from './wakes.ts'
import { findWorkspace, findWorkspaceById, listWorkspaces } from './workspaces.ts'
import { readInbox, readInboxes, requireInbox } from './writer-state.ts'
import type { VerbName } from './writer-thread.ts'

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
  const health = { writer: 'ok' }
  const wakes = createWakes()
  const group = await openGroupCommit({
    file,
    only: access === 'admin' ? adminVerbs : undefined,
    nowMs: clock.nowMs,
    onReady: clock.startFrom,
    onCommit: wakes.announce,
    onDeath: (error) => (health.writer = `stopped: ${error.message}`),
  })
  await group.write('ensureWorkspace', defaultWorkspace)
  const db = openDatabase(file, 'reader')
  const parts: Parts = {
    group,
    db,
    rows: createRows(db),
    reader: openReader(file),
    workspaces: createMemo(memoMs),
    keys: createMemo(memoMs),
    nowMs: clock.nowMs,
  }
  const checkpoints = access === 'hub' ? openCheckpoints({ file, finish: group.checkpoint }) : undefined

  return {
    ...workspaceVerbs(parts),
    ...logVerbs(parts),
    ...inboxVerbs(parts),
    ...consumingVerbs(parts),
    ...keyVerbs(parts),
    ...erasureVerbs(parts),
    ...upkeepVerbs(parts),
    ...createDefinitions(parts),
    ...createOutside({ ...parts, newId: randomUUID }),
    ...createTimetable(parts),
    sources: createSources(parts),
    activity: createActivity(parts),
    moving: createMoving({ ...parts, file }),
    onWake: wakes.listen,
    nowMs: clock.nowMs,
    checkHealth: async () => ({
      store: checkReadable(parts.db),
      writer: health.writer,
      reader: parts.reader.isAlive() ? 'ok' : 'stopped',
    }),
    stats: () => ({ ...group.stats(), appended: wakes.appended() }),
    close: async () => {
      await checkpoints?.close()
      await group.close(async () => {
        await parts.reader.close()
        parts.db.raw.close()
      })
      lock?.close()
    },
  }
}

type Parts = {
  readonly group: GroupCommit
  /** reads whose cost is bounded, on this thread */
  readonly db: Database
  readonly rows: Rows
  readonly reader: Reader
  readonly workspaces: Memo<WorkspaceRow | undefined>
  readonly keys: Memo<KeyRow | undefined>
  readonly nowMs: () => number
}

function erasureVerbs({ group, reader }: Parts): Pick<Store, 'findIdentified' | 'eraseEvents'> {
  return {
    findIdentified: (workspaceId, search) => reader.read('findIdentified', workspaceId, search),
    eraseEvents: async (workspaceId, positions) =>
      positions.length === 0 ? 0 : group.write('eraseEvents', workspaceId, positions),
  }
}

type WorkspaceVerb =
  | 'ensureWorkspace'
  | 'findWorkspace'
  | 'findWorkspaceById'
  | 'listWorkspaces'
  | 'setQuotas'
  | 'deleteWorkspace'

function workspaceVerbs({ group, db, workspaces, keys }: Parts): Pick<Store, WorkspaceVerb> {
  return {
    ensureWorkspace: (key) => {
      workspaces.forget(key)
      return group.write('ensureWorkspace', key)
    },
    findWorkspace: async (key) => workspaces.get(key, () => findWorkspace(db, key)),
    // No key of a workspace begins with a slash.
    findWorkspaceById: async (id) => workspaces.get(`/${id}`, () => findWorkspaceById(db, id)),
    listWorkspaces: async (after, limit) => listWorkspaces(db, after, limit),
    setQuotas: async (workspaceId, quotas) => {
      await group.write('setQuotas', workspaceId, quotas)
      workspaces.clear()
    },
    deleteWorkspace: async (key) => {
      const removed = await group.write('deleteWorkspace', key)
      workspaces.clear()
      keys.clear()
      return removed
    },
  }
}

type LogVerb =
  | 'appendEvents'
  | 'readEvents'
  | 'readHead'
  | 'findPosition'
  | 'searchEvents'
  | 'matchEvents'
  | 'scanEvents'

function logVerbs({ group, db, reader }: Parts): Pick<Store, LogVerb> {
  return {
    appendEvents: (workspaceId, drafts) => group.write('appendEvents', workspaceId, drafts),
    readEvents: async (workspaceId, positions) => readEvents(db, workspaceId, positions),
    readHead: async (workspaceId) => {
      const { head, trimmedTo } = readLog(db, workspaceId)
      return { head, trimmedTo }
    },
    findPosition: async (workspaceId, acceptedMs) => findPosition(db, workspaceId, acceptedMs),
    searchEvents: (workspaceId, search) => reader.read('searchEvents', workspaceId, search),
    matchEvents: (workspaceId, order) => reader.read('matchEvents', workspaceId, order),
    scanEvents: async (workspaceId, { after, filter, limit, rowBudget }) => {
      const { head } = readLog(db, workspaceId)
      const scan = { first: after + 1, last: head, filter, limit, budget: rowBudget }
      const { found, scannedTo } = scanLog(db, workspaceId, scan)
      const { events, readTo } = readSome(db, workspaceId, toRuns(found.map((event) => event.position)), followBytes)
      return { events, scannedTo: readTo ?? Math.max(after, scannedTo) }
    },
  }
}

type InboxVerb =
  | 'createInbox'
  | 'findInbox'
  | 'listInboxes'
  | 'updateInbox'
  | 'deleteInbox'
  | 'seekInbox'
  | 'readProgress'
  | 'listDoors'

function inboxVerbs({ group, db, reader, nowMs }: Parts): Pick<Store, InboxVerb> {
  return {
    createInbox: (workspaceId, key, wanted) => group.write('createInbox', workspaceId, { ...wanted, key }),
    findInbox: async (workspaceId, key) => {
      const inbox = readInbox(db, workspaceId, key)
      return inbox && toInboxRow(inbox)
    },
    listInboxes: async (workspaceId, after, limit) => readInboxes(db, workspaceId, after, limit).map(toInboxRow),
    updateInbox: (workspaceId, key, change) => group.write('updateInbox', workspaceId, key, change),
    deleteInbox: (workspaceId, key) => group.write('deleteInbox', workspaceId, key),
    seekInbox: (workspaceId, key, position) => group.write('seekInbox', workspaceId, key, position),
    readProgress: async (workspaceId, key) => {
      const progress = await reader.read('readProgress', workspaceId, key, nowMs())
      if (!progress) throw new HubError('not-found', `inbox "${key}" does not exist`)
      return progress
    },
    listDoors: async () => listDoors(db),
  }
}

type ConsumingVerb =
  | 'leaseEvents'
  | 'settleLease'
  | 'extendLease'
  | 'acknowledgeEvent'
  | 'peekEvents'
  | 'replayEvent'
  | 'listDeadLetters'
  | 'settleDeadLetters'
  | 'listAttempts'
  | 'findAttempts'
  | 'explainEvent'

function consumingVerbs(parts: Parts): Pick<Store, ConsumingVerb> {
  const { group, db, rows, reader, nowMs } = parts
  const inboxOf = (workspaceId: number, key: string): InboxState => requireInbox(readInbox(db, workspaceId, key), key)
  return {
    leaseEvents: async (workspaceId, key, order) => {
      let granted = await group.write('leaseEvents', workspaceId, key, order)
      // A filter may look at many rows before it finds one. Each step is a write of its own, so that others are served between.
      while (granted.more && granted.held.length === 0)
        granted = await group.write('leaseEvents', workspaceId, key, order)
      return toGrant(parts, { workspaceId, key, leaseId: order.leaseId }, granted)
    },
    settleLease: async (workspaceId, key, order) => {
      const { settled, times } = await group.write('settleLease', workspaceId, key, order)
      return settled.map(([position, status]) => ({ position, status, acceptedMs: times?.get(position) ?? null }))
    },
    extendLease: (workspaceId, key, leaseId, leaseMs) =>
      group.write('extendLease', workspaceId, key, { leaseId, leaseMs }),
    acknowledgeEvent: (workspaceId, key, position) => group.write('acknowledgeEvent', workspaceId, key, position),
    peekEvents: async (workspaceId, key, peek) => peekEvents(rows, inboxOf(workspaceId, key), peek),
    replayEvent: (workspaceId, key, position, ignoreFilter) =>
      group.write('replayEvent', workspaceId, key, { position, ignoreFilter }),
    listDeadLetters: async (workspaceId, key, page) => listDeadLetters(db, inboxOf(workspaceId, key).id, page),
    settleDeadLetters: (workspaceId, key, choice, action) =>
      group.write('settleDeadLetters', workspaceId, key, { choice, action }),
    listAttempts: async (workspaceId, key, page) => listAttempts(db, inboxOf(workspaceId, key).id, page),
    findAttempts: async (workspaceId, key, position) => rows.readAttempts(inboxOf(workspaceId, key), position),
    explainEvent: (workspaceId, position) => reader.read('explainEvent', workspaceId, position, nowMs()),
  }
}

type KeyVerb = 'insertKey' | 'findKey' | 'listKeys' | 'updateKey' | 'appendAudit' | 'listAudit' | 'takeRequest'

function keyVerbs({ group, db, keys, nowMs }: Parts): Pick<Store, KeyVerb> {
  const takeRequest = createRateLimits(nowMs)
  return {
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
  }
}

function upkeepVerbs({ group, nowMs }: Parts): Pick<Store, 'expireLeases' | 'trimEvents' | 'claimTask'> {
  let clockSavedMs = nowMs()
  // In memory: one process serves an embedded store.
  const tasks = new Map<string, { holder: string; untilMs: number }>()
  return {
    claimTask: async (name, holder, forMs) => {
      const known = tasks.get(name)
      if (known && known.holder !== holder && known.untilMs > nowMs()) return false
      tasks.set(name, { holder, untilMs: nowMs() + forMs })
      return true
    },
    expireLeases: async () => {
      await group.write('expireLeases')
      if (nowMs() - clockSavedMs < clockEveryMs) return
      clockSavedMs = nowMs()
      await group.write('saveClock')
    },
    trimEvents: (workspaceId, policy) => group.write('trimEvents', workspaceId, policy),
  }
}

/** Keys and workspaces are looked up on every request; what another process changed is felt this late. */
const memoMs = 500
/** What a follower is read at a time: it may be slow, and there may be many. */
const followBytes = 1024 * 1024
/** How often the time is written down, for a restart under a clock that was set back. */
const clockEveryMs = 10_000

/** What a second process may write: no row of these is kept in the memory of the hub's writer. */
const adminVerbs: ReadonlySet<VerbName> = new Set([
  'appendAudit',
  'ensureWorkspace',
  'putKey',
  'setQuotas',
  'setUnknownEventTypes',
  'updateKey',
])

/** Held until the process ends, however it ends: the operating system lets go of the lock. */
function lockFolder(path: string): DatabaseSync {
  const lock = new DatabaseSync(join(path, 'hub.lock'), { timeout: 0 })
  try {
    lock.exec('pragma journal_mode = memory; begin exclusive')
    return lock
  } catch (cause) {
    lock.close()
    const message = `another hub runs on the data folder ${path}; stop it, or give this one another folder with --data`
    throw new HubError('conflict', message, { cause })
  }
}

function checkReadable(db: Database): string {
  try {
    listWorkspaces(db, '', 1)
    return 'ok'
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
}

type GrantedTo = { readonly workspaceId: number; readonly key: string; readonly leaseId: string }

/** The events of a grant. What does not fit into one answer is given back untouched. */
async function toGrant({ db, group }: Parts, to: GrantedTo, granted: Granted): Promise<LeaseGrant> {
  const { workspaceId, key, leaseId } = to
  const { inboxStatus, untilMs, held, more, retryAtMs } = granted
  const attempts = new Map(held.flatMap(({ attempt, runs }) => expandRuns(runs).map((position) => [position, attempt])))
  const { events, readTo } = readSome(
    db,
    workspaceId,
    held.flatMap(({ runs }) => runs),
  )
  if (readTo !== undefined) {
    const positions = [...attempts.keys()]
    const rest = positions.slice(positions.indexOf(readTo) + 1)
    const outcome = { kind: 'release', count: false } as const
    if (rest.length > 0) await group.write('settleLease', workspaceId, key, { leaseId, positions: rest, outcome })
  }
  // Erased while the lease was given: there is nothing to hand out.
  const erased = events.filter((event) => event.body === null).map((event) => event.position)
  const done = { leaseId, positions: erased, outcome: { kind: 'ack' } } as const
  if (erased.length > 0) await group.write('settleLease', workspaceId, key, done)
  const leased = events
    .filter((event) => event.body !== null)
    .map((event) => ({ ...event, attempt: attempts.get(event.position) ?? 1 }))
  const isWhole = readTo === undefined && erased.length === 0
  return { inboxStatus, untilMs, events: leased, more: more || !isWhole, retryAtMs }
}
