import { createHash, randomUUID } from 'node:crypto'
import { setTimeout as pause } from 'node:timers/promises'
import { defaultWorkspace } from '@sluice/protocol/defaults'
import { HubError } from '@sluice/protocol/error'
import { toClock } from '../clock.ts'
import { expireBehind, seekInbox, toInboxRow, updateInbox } from '../inbox-rules/change.ts'
import { expireInbox } from '../inbox-rules/expiry.ts'
import { readProgress } from '../inbox-rules/progress.ts'
import { wake } from '../inbox-rules/rows.ts'
import { createMemo, type Memo } from '../memo.ts'
import { toRuns } from '../runs.ts'
import type { Store } from '../store.ts'
import { openAppends } from './append-groups.ts'
import { openClock, type DatabaseClock } from './clock.ts'
import { openConnections, type Connections } from './connections.ts'
import { consumingVerbs } from './consuming.ts'
import { erasureVerbs } from './erasure.ts'
import { onInbox, openInboxGroups } from './inbox-groups.ts'
import { findInbox, listDoors, listInboxes } from './inbox-rows.ts'
import { createInbox } from './inboxes.ts'
import { appendAudit, findKey, listAudit, listKeys, putKey, updateKey } from './keys.ts'
import { createLocks } from './locks.ts'
import { findPosition, readEvents, readLog, readSome, scanLog } from './log.ts'
import { migrate } from './migrate.ts'
import { createMoving } from './moving.ts'
import { createConnecting } from './connecting.ts'
import { createSealedTexts } from './sealed.ts'
import { createConnectionRows } from './connection-rows.ts'
import { createDefinitions } from './definitions.ts'
import type { Parts } from './store-parts.ts'
import { createRateLimits } from './rate-limits.ts'
import { trimEvents } from './retention.ts'
import { createReadRows } from './rows.ts'
import { matchEvents } from './match-events.ts'
import { searchEvents } from './search.ts'
import { claimTask } from './claim-task.ts'
import { createTransactions } from './transactions.ts'
import { createTimetable } from './schedules.ts'
import { createActivity } from './activity.ts'
import { createSources } from './sources.ts'
import { createRateBudgets } from './rate-budgets.ts'
import { createSpending } from './spending.ts'
import { createTriggers } from './triggers.ts'
import { openWakes } from './wakes.ts'
import {
  deleteWorkspace,
  ensureWorkspace,
  findWorkspace,
  findWorkspaceById,
  hasRemoved,
  listWorkspaces,
  purgeRemoved,
} from './workspaces.ts'

export type PostgresOptions = {
  /** `postgres://user:password@host:port/database` */
  readonly url: string
  /** of the server itself, where `url` is a transaction pooler's (PgBouncer): LISTEN does not work through one */
  readonly directUrl?: string | undefined
  /** connections at most; default 10 */
  readonly maxConnections?: number
  /** ms since 1970, for tests */
  readonly clock?: (() => number) | undefined
}

/**
 * Opens a store on Postgres 15 or newer, making its tables at the first start. Any number of nodes may work on one database.
 *
 * @throws HubError `storage-unavailable` when the server cannot be reached; `conflict` when it or the data is of the wrong version
 * @example const store = await openPostgresStore({ url: 'postgres://sluice@db/sluice' })
 */
export async function openPostgresStore(options: PostgresOptions): Promise<Store> {
  const { url, directUrl = url, maxConnections = 10 } = options
  const pooled = options.directUrl !== undefined && options.directUrl !== url
  const connections = openConnections({ url, max: maxConnections, pooled })
  try {
    return await open(connections, { ...options, directUrl, pooled })
  } catch (error) {
    await connections.close()
    throw error
  }
}

async function open(
  connections: Connections,
  { directUrl, pooled, clock: read }: PostgresOptions & { directUrl: string; pooled: boolean },
): Promise<Store> {
  const [found] = await connections.query<{ name: string }>(`select current_schema()::text as name`)
  const scope = found?.name ?? ''
  const locks = createLocks(scope)
  await migrate(connections, locks, pooled)
  const node = randomUUID()
  const leading = { upkeep: false }
  const clock = read ? toTestClock(read) : await openClock(connections, () => leading.upkeep)
  const { nowMs } = clock
  const transactions = createTransactions({ connections, pooled, locks, node, nowMs })
  const channel = `sluice_${createHash('sha256').update(scope).digest('hex').slice(0, 16)}`
  const wakes = openWakes({ connections, directUrl, channel, node })
  const counts = { rowsScanned: 0 }
  const parts: Parts = {
    connections,
    transactions,
    locks,
    wakes,
    leading,
    appends: openAppends({ transactions, wakes, nowMs }),
    inboxVerbs: openInboxGroups({ transactions, wakes, nowMs, counts }),
    workspaces: createMemo(memoMs),
    keys: createMemo(memoMs),
    purge: createPurge(connections, nowMs),
    nowMs,
  }
  await transactions.run(adminSlot, (transaction) => ensureWorkspace(transaction, defaultWorkspace, nowMs()))
  return toStore(parts, clock, counts)
}

function toStore(parts: Parts, clock: DatabaseClock, counts: { readonly rowsScanned: number }): Store {
  const { connections, transactions, wakes, nowMs } = parts
  return {
    ...workspaceVerbs(parts),
    ...logVerbs(parts),
    ...inboxVerbs(parts),
    ...consumingVerbs(parts),
    ...keyVerbs(parts),
    ...erasureVerbs(parts),
    ...upkeepVerbs(parts),
    ...createDefinitions(parts),
    connections: createConnectionRows(parts),
    ...createConnecting(parts),
    sealedTexts: createSealedTexts(connections),
    triggers: createTriggers(parts),
    ...createTimetable(parts),
    sources: createSources(parts),
    spending: createSpending(parts),
    activity: createActivity(parts),
    rateBudgets: createRateBudgets(parts),
    moving: createMoving(parts),
    onWake: wakes.listen,
    nowMs,
    checkHealth: async () => ({ store: await checkReachable(connections), wakes: wakes.health() }),
    stats: () => ({
      queued: parts.appends.queued() + parts.inboxVerbs.queued(),
      commits: transactions.commits(),
      appended: wakes.appended(),
      rowsScanned: counts.rowsScanned,
    }),
    close: async () => {
      const idle = Promise.all([parts.appends.idle(), parts.inboxVerbs.idle()])
      await Promise.race([idle, pause(closeMs, undefined, { ref: false })])
      // Whoever still waits for a database that is away is told so.
      transactions.close()
      await idle
      await clock.close()
      await wakes.close()
      await connections.close()
    },
  }
}

const toTestClock = (read: () => number): DatabaseClock => ({ ...toClock(read), close: async () => {} })

/** What has been accepted gets this long to be committed. */
const closeMs = 3000

/** Keys and workspaces are looked up on every request; what another node changed is felt this late. */
const memoMs = 500

/** Changes to workspaces, keys and the audit follow one another. */
const adminSlot = 'admin'

type WorkspaceVerb =
  | 'ensureWorkspace'
  | 'findWorkspace'
  | 'findWorkspaceById'
  | 'listWorkspaces'
  | 'setQuotas'
  | 'deleteWorkspace'

function workspaceVerbs(parts: Parts): Pick<Store, WorkspaceVerb> {
  const { connections, transactions, locks, workspaces, keys, nowMs } = parts
  return {
    ensureWorkspace: async (key) => {
      const made = await transactions.run(adminSlot, (transaction) => ensureWorkspace(transaction, key, nowMs()))
      workspaces.forget(key)
      return made
    },
    findWorkspace: (key) => remember(workspaces, key, () => findWorkspace(connections, key)),
    // No key of a workspace begins with a slash.
    findWorkspaceById: (id) => remember(workspaces, `/${id}`, () => findWorkspaceById(connections, id)),
    listWorkspaces: (after, limit) => listWorkspaces(connections, after, limit),
    setQuotas: async (workspaceId, quotas) => {
      await connections.query(`update workspace set quotas = $2 where id = $1`, [workspaceId, JSON.stringify(quotas)])
      workspaces.clear()
    },
    deleteWorkspace: async (key) => {
      const removed = await transactions.run(adminSlot, (transaction) => deleteWorkspace(transaction, locks, key))
      workspaces.clear()
      keys.clear()
      if (removed) parts.purge()
      return removed
    },
  }
}

/** A failed lookup is not remembered. */
function remember<Value>(memo: Memo<Promise<Value>>, key: string, read: () => Promise<Value>): Promise<Value> {
  return memo.get(key, () => {
    const found = read()
    found.catch(() => memo.forget(key))
    return found
  })
}

type LogVerb =
  | 'appendEvents'
  | 'readEvents'
  | 'readHead'
  | 'findPosition'
  | 'searchEvents'
  | 'matchEvents'
  | 'scanEvents'

function logVerbs({ connections, appends }: Parts): Pick<Store, LogVerb> {
  return {
    appendEvents: (workspaceId, drafts) => {
      if (drafts.length === 0) return Promise.resolve([])
      let bytes = 0
      for (const { body } of drafts) bytes += body.length
      const size = { events: drafts.length, weight: drafts.length, bytes }
      return appends.add(`log/${workspaceId}`, drafts, size) as ReturnType<Store['appendEvents']> // what its run answers
    },
    readEvents: (workspaceId, positions) => readEvents(connections, workspaceId, positions),
    readHead: async (workspaceId) => {
      const { head, trimmedTo } = await readLog(connections, workspaceId)
      return { head, trimmedTo }
    },
    findPosition: (workspaceId, acceptedMs) => findPosition(connections, workspaceId, acceptedMs),
    searchEvents: (workspaceId, search) => searchEvents(connections, workspaceId, search),
    matchEvents: (workspaceId, order) => matchEvents(connections, workspaceId, order),
    scanEvents: (workspaceId, { after, filter, limit, rowBudget }) =>
      connections.use(async (client) => {
        const { head } = await readLog(client, workspaceId)
        const order = { first: after + 1, last: head, filter, limit, budget: rowBudget }
        const { found, scannedTo } = await scanLog(client, workspaceId, order)
        const runs = toRuns(found.map((event) => event.position))
        const { events, readTo } = await readSome(client, workspaceId, runs, followBytes)
        return { events, scannedTo: readTo ?? Math.max(after, scannedTo) }
      }),
  }
}

/** What a follower is read at a time: it may be slow, and there may be many. */
const followBytes = 1024 * 1024

type InboxVerbName =
  | 'createInbox'
  | 'findInbox'
  | 'listInboxes'
  | 'updateInbox'
  | 'deleteInbox'
  | 'seekInbox'
  | 'readProgress'
  | 'listDoors'

function inboxVerbs(parts: Parts): Pick<Store, InboxVerbName> {
  const { connections, transactions, wakes, nowMs } = parts
  return {
    createInbox: async (workspaceId, key, wanted) => {
      const made = await transactions.run(`inbox/${workspaceId}/${key}`, (transaction) =>
        createInbox(transaction, { ...wanted, workspaceId, key, nowMs: nowMs() }),
      )
      if (made.created && wanted.door) wakes.announce({ workspaceId, inbox: key })
      return made
    },
    findInbox: async (workspaceId, key) => {
      const inbox = await findInbox(connections, workspaceId, key)
      return inbox && toInboxRow(inbox)
    },
    listInboxes: async (workspaceId, after, limit) =>
      (await listInboxes(connections, workspaceId, after, limit)).map(toInboxRow),
    updateInbox: (workspaceId, key, change) =>
      onInbox(parts, { workspaceId, key }, (session, inbox) => updateInbox(session, inbox, change)),
    deleteInbox: (workspaceId, key) =>
      transactions.run(`inbox/${workspaceId}/${key}`, async (transaction) => {
        const inbox = await findInbox(transaction, workspaceId, key)
        if (!inbox) return false
        transaction.write(`insert into removed_inbox (inbox_id, at_ms) values ($1, $2)`, [inbox.id, nowMs()])
        transaction.write(`delete from inbox where id = $1`, [inbox.id])
        return true
      }),
    listDoors: () => listDoors(connections),
    seekInbox: (workspaceId, key, position) =>
      onInbox(parts, { workspaceId, key }, (session, inbox) => seekInbox(session, inbox, position)),
    readProgress: (workspaceId, key) =>
      connections.look(async (client) => {
        const inbox = await findInbox(client, workspaceId, key)
        if (!inbox) throw new HubError('not-found', `inbox "${key}" does not exist`)
        return readProgress({ rows: createReadRows(client), nowMs: nowMs() }, inbox)
      }),
  }
}

type KeyVerb = 'insertKey' | 'findKey' | 'listKeys' | 'updateKey' | 'appendAudit' | 'listAudit' | 'takeRequest'

function keyVerbs({ connections, transactions, keys, nowMs }: Parts): Pick<Store, KeyVerb> {
  return {
    insertKey: async (key) => {
      await transactions.run(adminSlot, async (transaction) => putKey(transaction, key))
      keys.forget(key.keyId)
    },
    findKey: (keyId) => remember(keys, keyId, () => findKey(connections, keyId)),
    listKeys: (workspaceId, page) => listKeys(connections, workspaceId, page),
    updateKey: async (keyId, change) => {
      const key = await transactions.run(adminSlot, (transaction) => updateKey(transaction, keyId, change))
      keys.forget(keyId)
      return key
    },
    appendAudit: (entry) =>
      transactions.run(adminSlot, async (transaction) => appendAudit(transaction, entry, nowMs())),
    listAudit: (workspaceId, page) => listAudit(connections, workspaceId, page),
    takeRequest: createRateLimits(connections, nowMs),
  }
}

function upkeepVerbs(parts: Parts): Pick<Store, 'expireLeases' | 'trimEvents' | 'claimTask'> {
  const { connections, transactions, leading, nowMs } = parts
  return {
    claimTask: async (name, holder, forMs) => {
      const mine = await claimTask(connections, { name, holder, forMs, nowMs: nowMs() })
      if (name === 'upkeep') leading.upkeep = mine
      return mine
    },
    expireLeases: async () => {
      const due = await connections.query<{ workspaceId: number; key: string }>(
        `select distinct inbox.workspace_id as "workspaceId", inbox.key from lease join inbox on inbox.id = lease.inbox_id
         join log on log.workspace_id = inbox.workspace_id where lease.until_ms <= $1 limit 100`,
        [nowMs()],
      )
      for (const { workspaceId, key } of due) {
        const expire = onInbox(parts, { workspaceId, key }, async (session, inbox) => {
          await expireInbox(session, inbox)
          wake(session, inbox)
        })
        // It may have been removed since; the others have their turn all the same.
        await expire.catch(ignoreNotFound)
      }
    },
    trimEvents: async (workspaceId, policy) => {
      if (await hasRemoved(connections)) parts.purge()
      return trimEvents(
        {
          connections,
          transactions,
          nowMs,
          expireBehind: async (inboxes, last) => {
            for (const key of inboxes) {
              await onInbox(parts, { workspaceId, key }, (session, inbox) => expireBehind(session, inbox, last))
            }
          },
        },
        workspaceId,
        policy,
      )
    },
  }
}

/** In the background, once at a time; what it does not finish is left to the next round of upkeep. */
function createPurge(connections: Connections, nowMs: () => number): () => void {
  let running = false
  return () => {
    if (running) return
    running = true
    const done = (): void => void (running = false)
    purgeRemoved(connections, nowMs()).then(done, done)
  }
}

function ignoreNotFound(error: unknown): void {
  if (!(error instanceof HubError && error.code === 'not-found')) throw error
}

async function checkReachable(connections: Connections): Promise<string> {
  try {
    await connections.query(`select 1 as answer`)
    return 'ok'
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
}
