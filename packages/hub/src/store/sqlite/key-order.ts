import type { LeaseOrder } from '../store.ts'
import { row, rows } from './database.ts'
import { advance, workspaceOf, type Engine, type InboxState } from './writer-state.ts'
import type { Held } from './lease-rows.ts'
import { scanLog } from './log.ts'
import { behindMs, listAvailable, parkOne, removeParked, type Parked } from './parked.ts'

/** Events that may wait behind blocked subjects before an inbox stops reading on and says `blocked`. */
export const maxWaiting = 10_000

/** Parked events that one lease may look at. Few are looked at in vain: what waits behind its subject is not available. */
const lookAt = 2000

/** Rows of the log that one lease may look at. */
const scanBudget = 1000

/**
 * Ordering by key: one event of each subject is out at a time. What is found behind a subject that is out, waiting for a
 * retry or dead with `on_dead: block` is parked with its subject, in order.
 */
export function orderedEvents(engine: Engine, inbox: InboxState, order: LeaseOrder): { held: Held[]; more: boolean } {
  const held: Held[] = []
  const alone = takeWaiting(engine, inbox, { held, limit: order.limit })
  const left = order.limit - held.length
  if (alone || left === 0) return { held, more: true }
  return { held, more: takeNew(engine, inbox, { held, limit: left }) }
}

type Taking = { readonly held: Held[]; readonly limit: number }

/** Takes what waits and may go, one part an event. Answers true if an event that must be alone was taken. */
function takeWaiting(engine: Engine, inbox: InboxState, { held, limit }: Taking): boolean {
  for (const parked of listAvailable(engine.db, inbox.id, engine.nowMs, lookAt)) {
    if (held.length >= limit) return false
    if (parked.alone && held.length > 0) continue
    if (parked.subject !== null && (isBusy(engine, inbox, parked.subject) || isBehind(engine, inbox, parked))) continue
    removeParked(engine, parked)
    hold(engine, inbox, { position: parked.first, subject: parked.subject })
    held.push({ attempt: parked.attempt + 1, runs: [[parked.first, parked.first]], before: parked.leaseId })
    if (parked.alone) return true
  }
  return false
}

function takeNew(engine: Engine, inbox: InboxState, { held, limit }: Taking): boolean {
  const workspace = workspaceOf(engine, inbox.workspaceId)
  let room = maxWaiting - countWaiting(engine, inbox)
  const first = Math.max(inbox.next, workspace.trimmedTo + 1)
  if (first > workspace.head || room <= 0) return false
  const scan = { first, last: workspace.head, filter: inbox.settings.filter, limit: scanBudget, budget: scanBudget }
  const { found, scannedTo, looked } = scanLog(engine.db, inbox.workspaceId, scan)
  engine.rowsScanned += looked
  let taken = 0
  for (const { position, subject } of found) {
    if (taken === limit || room === 0) {
      advance(inbox, position, true)
      return true
    }
    if (subject !== null && (isBusy(engine, inbox, subject) || hasWaiting(engine, inbox, subject))) {
      parkOne(engine, inbox, { position, subject, availableMs: behindMs, attempt: 0, alone: false, leaseId: null })
      room -= 1
      continue
    }
    hold(engine, inbox, { position, subject })
    held.push({ attempt: 1, runs: [[position, position]], before: null })
    taken += 1
  }
  advance(inbox, scannedTo + 1, found.length > 0)
  return scannedTo < workspace.head
}

function hold(
  engine: Engine,
  inbox: InboxState,
  { position, subject }: { position: number; subject: string | null },
): void {
  if (subject === null) return
  engine.db
    .sql(`insert into lease_subject (inbox_id, subject, position) values (?, ?, ?)`)
    .run(inbox.id, subject, position)
}

/** The subject has an event out, or a dead letter that blocks it. */
function isBusy(engine: Engine, inbox: InboxState, subject: string): boolean {
  if (row(engine.db.sql(`select 1 from lease_subject where inbox_id = ? and subject = ?`), inbox.id, subject))
    return true
  if (inbox.settings.on_dead !== 'block') return false
  return (
    row(engine.db.sql(`select 1 from dead_letter where inbox_id = ? and subject = ? limit 1`), inbox.id, subject) !==
    undefined
  )
}

function isBehind(engine: Engine, inbox: InboxState, parked: Parked): boolean {
  const statement = engine.db.sql(`select 1 from parked where inbox_id = ? and subject = ? and first < ? limit 1`)
  return row(statement, inbox.id, parked.subject, parked.first) !== undefined
}

function hasWaiting(engine: Engine, inbox: InboxState, subject: string): boolean {
  return (
    row(engine.db.sql(`select 1 from parked where inbox_id = ? and subject = ? limit 1`), inbox.id, subject) !==
    undefined
  )
}

export function countWaiting(engine: Pick<Engine, 'db'>, inbox: Pick<InboxState, 'id'>): number {
  const found = rows<{ count: number }>(
    engine.db.sql(`select count(*) as count from parked where inbox_id = ? and subject is not null`),
    inbox.id,
  )
  return found[0]?.count ?? 0
}

/** The subjects of events that are out no more. Park what comes back, then `promoteSubjects`. */
export function freeSubjects(engine: Engine, inbox: InboxState, positions: readonly number[]): string[] {
  if (inbox.settings.ordering !== 'key') return []
  const free = engine.db.sql(`delete from lease_subject where inbox_id = ? and position = ? returning subject`)
  return positions.flatMap((position) =>
    rows<{ subject: string }>(free, inbox.id, position).map(({ subject }) => subject),
  )
}

/** What waited behind these subjects may go, unless an earlier event of the subject came back. */
export function promoteSubjects(engine: Engine, inbox: InboxState, subjects: readonly string[]): void {
  const promote = engine.db.sql(
    `update parked set available_ms = 0 where available_ms = ? and id =
       (select id from parked where inbox_id = ? and subject = ? order by first limit 1)`,
  )
  for (const subject of subjects) if (!isBusy(engine, inbox, subject)) promote.run(behindMs, inbox.id, subject)
}

/** The first of every subject that waits behind something may go and see: what held it back has changed. */
export function promoteAll(engine: Engine, inbox: InboxState): void {
  engine.db
    .sql(
      `update parked set available_ms = 0 where inbox_id = ? and available_ms = ? and not exists
         (select 1 from parked as earlier where earlier.inbox_id = parked.inbox_id and earlier.subject = parked.subject
            and earlier.first < parked.first)`,
    )
    .run(inbox.id, behindMs)
}
