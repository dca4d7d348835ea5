import { parentPort, workerData } from 'node:worker_threads'
import { HubError, type ErrorCode } from '@sluice/protocol/error'
import { acknowledgeEvent } from '../inbox-rules/acknowledge.ts'
import { seekInbox, updateInbox } from '../inbox-rules/change.ts'
import { extendLease, leaseEvents } from '../inbox-rules/lease.ts'
import { replayEvent, settleDeadLetters } from '../inbox-rules/replay.ts'
import type { InboxState, Session } from '../inbox-rules/rows.ts'
import { settleLease, type Settled } from '../inbox-rules/settle.ts'
import type { SettleOrder } from '../store.ts'
import { addActivity } from './activity.ts'
import { appendEvents } from './append.ts'
import { migrate, openDatabase, type Database } from './database.ts'
import { eraseEvents } from './erasure.ts'
import { removeEventType, saveEventTypes, setUnknownEventTypes } from './event-types.ts'
import { expireLeases } from './expiry.ts'
import { beginImport, discardImport, finishImport, importChunk } from './import.ts'
import {
  addConnectSession,
  endConnectSession,
  leaveConnectSession,
  putOAuthClient,
  removeOAuthClient,
  takeConnectState,
} from './connecting.ts'
import {
  claimRefresh,
  finishRefresh,
  holdRefresh,
  putConnection,
  removeConnection,
  setConnectionAccount,
  setConnectionGrant,
} from './connections.ts'
import { createInbox, deleteInbox } from './inboxes.ts'
import { appendAudit, putKey, updateKey } from './keys.ts'
import { addQuarantined, releaseQuarantined, removeQuarantined } from './quarantine.ts'
import { trimEvents } from './retention.ts'
import { replaceSealed } from './sealed.ts'
import { addScheduled, cancelScheduled, claimDueScheduled, removeScheduled } from './scheduled.ts'
import { advanceSchedule, putSchedule, removeSchedule, setScheduleStatus } from './schedules.ts'
import { createSource, noteSources, removeSource, updateSource } from './sources.ts'
import { markBudgetTold, noteRun, putBudget, removeBudget } from './spending.ts'
import { claimDueTriggers, claimTrigger, finishPoll, putTrigger, removeTrigger, setTriggerStatus } from './triggers.ts'
import { deleteWorkspace, ensureWorkspace, renewTags, setQuotas } from './workspaces.ts'
import { createEngine, flush, forget, inboxOf, type Engine } from './writer-state.ts'

type InboxRule<Argument, Value> = (session: Session, inbox: InboxState, argument: Argument) => Promise<Value>

/** A rule of inboxes as a verb of this store. */
function onInbox<Argument, Value>(
  rule: InboxRule<Argument, Value>,
): (engine: Engine, workspaceId: number, key: string, argument: Argument) => Promise<Value> {
  return (engine, workspaceId, key, argument) => rule(engine, inboxOf(engine, workspaceId, key), argument)
}

async function settleNow(session: Session, inbox: InboxState, order: SettleOrder): Promise<SettledNow> {
  const { settled, times } = await settleLease(session, inbox, order)
  return { settled, times: await times }
}

type SettledNow = Omit<Settled, 'times'> & { readonly times: Awaited<Settled['times']> }

/** All that changes the database, by name. Each runs inside the transaction of its group. */
const verbs = {
  acknowledgeEvent: onInbox(acknowledgeEvent),
  addConnectSession,
  addActivity,
  addQuarantined,
  addScheduled,
  advanceSchedule,
  appendAudit,
  appendEvents,
  beginImport,
  cancelScheduled,
  claimDueScheduled,
  claimDueTriggers,
  claimRefresh,
  claimTrigger,
  createInbox,
  createSource,
  deleteInbox,
  deleteWorkspace,
  discardImport,
  endConnectSession,
  ensureWorkspace,
  eraseEvents,
  expireLeases,
  extendLease: onInbox(extendLease),
  finishImport,
  finishPoll,
  finishRefresh,
  holdRefresh,
  importChunk,
  leaseEvents: onInbox(leaseEvents),
  leaveConnectSession,
  markBudgetTold,
  noteRun,
  noteSources,
  putBudget,
  putConnection,
  putKey,
  putOAuthClient,
  putSchedule,
  putTrigger,
  releaseQuarantined,
  removeBudget,
  removeConnection,
  removeEventType,
  removeOAuthClient,
  removeQuarantined,
  removeSchedule,
  removeScheduled,
  removeSource,
  removeTrigger,
  renewTags,
  replaceSealed,
  replayEvent: onInbox(replayEvent),
  saveClock,
  saveEventTypes,
  seekInbox: onInbox(seekInbox),
  setConnectionAccount,
  setConnectionGrant,
  setQuotas,
  setScheduleStatus,
  settleDeadLetters: onInbox(settleDeadLetters),
  settleLease: onInbox(settleNow),
  setTriggerStatus,
  setUnknownEventTypes,
  takeConnectState,
  trimEvents,
  updateInbox: onInbox(updateInbox),
  updateKey,
  updateSource,
} satisfies Record<string, (engine: Engine, ...args: never[]) => unknown>

export type Verbs = typeof verbs
export type VerbName = keyof Verbs
export type VerbArguments<Name extends VerbName> = Verbs[Name] extends (
  engine: Engine,
  ...args: infer Arguments
) => unknown
  ? Arguments
  : never

export type WriteOrder = { readonly verb: VerbName; readonly args: readonly unknown[] }
export type WriteResult =
  | { readonly value: unknown }
  | {
      readonly error: { readonly code: ErrorCode; readonly message: string; readonly details: Record<string, unknown> }
    }

export type ToWriter =
  | { readonly kind: 'group'; readonly nowMs: number; readonly orders: readonly WriteOrder[] }
  | { readonly kind: 'checkpoint' }
  | { readonly kind: 'close' }
export type FromWriter =
  | { readonly kind: 'ready'; readonly clockMs: number }
  | {
      readonly kind: 'done'
      readonly results: readonly WriteResult[]
      readonly wakes: readonly string[]
      readonly rowsScanned: number
    }
  | { readonly kind: 'checkpointed' }
  | { readonly kind: 'closed' }

/** The highest time that this store has used: after a restart time goes on from here, whatever the wall clock says. */
function saveClock(engine: Engine): void {
  engine.db.sql(`insert or replace into meta (name, value) values ('clock_ms', ?)`).run(engine.nowMs)
}

function readClock(db: Database): number {
  return Number(
    db.raw
      .prepare(
        `select max((select coalesce(max(accepted_ms), 0) from workspace), coalesce((select value from meta where name = 'clock_ms'), 0)) as ms`,
      )
      .get()?.['ms'] ?? 0,
  )
}

async function runOrder(engine: Engine, { verb, args }: WriteOrder): Promise<WriteResult> {
  const run = verbs[verb] as (engine: Engine, ...args: readonly unknown[]) => unknown // the facade types each call
  // Appending fails, if at all, before it writes: the hottest verb needs no savepoint.
  const savepoint = verb !== 'appendEvents'
  if (savepoint) engine.db.sql('savepoint one').run()
  try {
    const value = await run(engine, ...args)
    if (savepoint) engine.db.sql('release one').run()
    return { value }
  } catch (error) {
    if (!(error instanceof HubError)) throw error
    if (savepoint) engine.db.raw.exec('rollback to one; release one')
    return { error: { code: error.code, message: error.message, details: error.details } }
  }
}

async function runGroup(engine: Engine, nowMs: number, orders: readonly WriteOrder[]): Promise<WriteResult[]> {
  engine.nowMs = nowMs
  engine.wakes.clear()
  engine.rowsScanned = 0
  engine.db.sql('begin immediate').run()
  const results: WriteResult[] = []
  for (const order of orders) results.push(await runOrder(engine, order))
  flush(engine)
  engine.db.sql('commit').run()
  return results
}

/** A full disk must not end this thread: what could not be done now is tried again with the next group or checkpoint. */
function tryExec(db: Database, sql: string): void {
  try {
    db.raw.exec(sql)
  } catch {}
}

/** Primary result codes of SQLite that speak of the disk: busy, locked, read-only, I/O error, full, cannot open. */
const diskCodes = new Set([5, 6, 8, 10, 13, 14])

/** What SQLite says of the disk, in its own words; undefined for a fault of ours. */
function toDiskFault(cause: unknown): string | undefined {
  if (!(cause instanceof Error) || !('errcode' in cause) || typeof cause.errcode !== 'number') return undefined
  return diskCodes.has(cause.errcode & 0xff) ? ('errstr' in cause ? String(cause.errstr) : 'disk error') : undefined
}

/** A group that failed changed nothing, and all of its callers are told so. */
function undoGroup(engine: Engine, orders: readonly WriteOrder[], cause: unknown): WriteResult[] {
  if (engine.db.raw.isTransaction) tryExec(engine.db, 'rollback')
  forget(engine)
  engine.wakes.clear()
  const fault = toDiskFault(cause)
  const error =
    fault === undefined
      ? {
          code: 'internal' as const,
          message: cause instanceof Error ? (cause.stack ?? cause.message) : String(cause),
          details: {},
        }
      : { code: 'storage-unavailable' as const, message: `the store refused the write: ${fault}`, details: {} }
  return orders.map(() => ({ error }))
}

function serve(file: string): void {
  const port = parentPort
  if (!port) throw new Error('the writer runs as a worker thread')
  const db = openDatabase(file, 'writer')
  migrate(db)
  const engine = createEngine(db)
  const send = (message: FromWriter): void => port.postMessage(message)
  port.on('message', (message: ToWriter) => {
    if (message.kind === 'close') {
      db.raw.close()
      send({ kind: 'closed' })
      return port.close()
    }
    if (message.kind === 'checkpoint') {
      tryExec(db, 'pragma wal_checkpoint(passive)')
      return send({ kind: 'checkpointed' })
    }
    // The rows of this store answer at once: a group is through before the next message.
    void runGroup(engine, message.nowMs, message.orders)
      .catch((error: unknown) => undoGroup(engine, message.orders, error))
      .then((results) => send({ kind: 'done', results, wakes: [...engine.wakes], rowsScanned: engine.rowsScanned }))
  })
  send({ kind: 'ready', clockMs: readClock(db) })
}

serve(workerData as string)
