import type { Filter, InboxSettings } from '@sluice/protocol'
import {
  countRuns,
  expandRuns,
  hasPosition,
  parseRuns,
  printRuns,
  splitRuns,
  toRuns,
  withoutPositions,
  type Runs,
} from '../runs.ts'
import { row, rows, type Database } from './database.ts'
import type { Engine, InboxState } from './writer-state.ts'
import { eventTable, readEvents } from './log.ts'

/**
 * Events that an inbox has looked at and must hand out again, or for the first time after later ones: given back, expired,
 * passed over, replayed. A row holds a group of one attempt; `positions` null stands for a whole range yet to be filtered.
 */
export type Parked = {
  readonly id: number
  readonly first: number
  readonly last: number
  readonly positions: string | null
  /** of the settings whose filter a range is still to pass */
  readonly revision: number | null
  readonly availableMs: number
  readonly attempt: number
  readonly alone: number
  /** the lease that ran out on it */
  readonly leaseId: string | null
  /** the lease whose holder gave it back */
  readonly releasedBy: string | null
  readonly subject: string | null
}

/**
 * No row spans more positions than this, so that the rows around a position are found by a range of the index.
 */
const maxSpan = 10_000

/** `available_ms` of what waits behind an earlier event of its subject. */
export const behindMs = Number.MAX_SAFE_INTEGER

const parkedColumns = `id, first, last, positions, revision, available_ms as availableMs, attempt, alone, lease_id as leaseId, released_by as releasedBy, subject`

type ParkedGroup = {
  readonly runs: Runs
  readonly availableMs: number
  readonly attempt: number
  /** leased on its own, not together with others */
  readonly alone: boolean
  readonly leaseId: string | null
  readonly releasedBy?: string | null
}

type ParkedValues = Omit<Parked, 'id' | 'alone' | 'revision' | 'releasedBy'> & {
  alone: boolean
  revision?: number
  releasedBy?: string | null
}

function insertParked(engine: Engine, inbox: InboxState, values: ParkedValues): void {
  engine.db
    .sql(
      `insert into parked (inbox_id, first, last, positions, revision, available_ms, attempt, alone, lease_id, released_by, subject)
       values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    )
    .run(
      inbox.id,
      values.first,
      values.last,
      values.positions,
      values.revision ?? null,
      values.availableMs,
      values.attempt,
      values.alone ? 1 : 0,
      values.leaseId,
      values.releasedBy ?? null,
      values.subject,
    )
}

/** Parks events that are known to match. With key ordering each becomes a row of its own, which knows its subject. */
export function park(engine: Engine, inbox: InboxState, group: ParkedGroup): void {
  if (countRuns(group.runs) === 0) return
  const { availableMs, attempt, alone, leaseId, releasedBy = null } = group
  if (inbox.settings.ordering === 'key') {
    for (const { position, subject } of readEvents(engine.db, inbox.workspaceId, expandRuns(group.runs))) {
      parkOne(engine, inbox, { position, subject, availableMs, attempt, alone, leaseId, releasedBy })
    }
    return
  }
  for (const runs of splitSpans(group.runs)) {
    const [first, last] = ends(runs)
    insertParked(engine, inbox, {
      first,
      last,
      positions: printRuns(runs),
      availableMs,
      attempt,
      alone,
      leaseId,
      releasedBy,
      subject: null,
    })
  }
}

type ParkedOne = Omit<ParkedGroup, 'runs'> & { readonly position: number; readonly subject: string | null }

export function parkOne(engine: Engine, inbox: InboxState, { position, ...values }: ParkedOne): void {
  insertParked(engine, inbox, { first: position, last: position, positions: String(position), ...values })
}

type ParkedRange = { readonly first: number; readonly last: number; readonly revision: number }

/** Parks a range that was passed over and may hold events that the filter of that time did not want. */
export function parkRange(engine: Engine, inbox: InboxState, { first, last, revision }: ParkedRange): void {
  for (let start = first; start <= last; start += maxSpan) {
    const end = Math.min(last, start + maxSpan - 1)
    insertParked(engine, inbox, {
      first: start,
      last: end,
      positions: null,
      revision,
      availableMs: 0,
      attempt: 0,
      alone: false,
      leaseId: null,
      subject: null,
    })
  }
}

function ends(runs: Runs): [number, number] {
  return [runs[0]?.[0] ?? 0, runs.at(-1)?.[1] ?? 0]
}

function splitSpans(runs: Runs): Runs[] {
  const [first, last] = ends(runs)
  if (last - first < maxSpan) return [runs]
  const parts = new Map<number, number[]>()
  for (const position of expandRuns(runs)) {
    const part = Math.floor(position / maxSpan)
    parts.set(part, [...(parts.get(part) ?? []), position])
  }
  return [...parts.values()].map(toRuns)
}

/** Rows that can be handed out now, those that have waited longest first. */
export function listAvailable(db: Database, inboxId: number, nowMs: number, limit: number): Parked[] {
  const statement = db.sql(
    `select ${parkedColumns} from parked where inbox_id = ? and available_ms <= ? order by available_ms, first limit ?`,
  )
  return rows<Parked>(statement, inboxId, nowMs, limit)
}

/** Rows that reach beyond a position, in the order of the log, read as far as the caller goes. */
export function* iterateParked(db: Database, inboxId: number, after: number): Generator<Parked> {
  const statement = db.sql(
    `select ${parkedColumns} from parked where inbox_id = ? and first > ? and last > ? order by first`,
  )
  for (const parked of statement.iterate(inboxId, after - maxSpan, after)) yield parked as Parked // the columns above
}

/** The row that holds a position. A range row holds all of its positions, wanted or not; a row that names the position goes before it. */
export function findParked(db: Database, inboxId: number, position: number): Parked | undefined {
  const statement = db.sql(
    `select ${parkedColumns} from parked where inbox_id = ? and first between ? and ? and last >= ? order by positions is null`,
  )
  return rows<Parked>(statement, inboxId, position - maxSpan, position, position).find(
    (parked) => parked.positions === null || hasPosition(parseRuns(parked.positions), position),
  )
}

export function listParkedOfLease(db: Database, inboxId: number, leaseId: string): Parked[] {
  return rows<Parked>(
    db.sql(`select ${parkedColumns} from parked where inbox_id = ? and lease_id = ?`),
    inboxId,
    leaseId,
  )
}

export function removeParked(engine: Engine, parked: Parked): void {
  engine.db.sql(`delete from parked where id = ?`).run(parked.id)
}

/** Takes the first `count` positions out of a row and leaves the rest. */
export function takeParked(engine: Engine, parked: Parked, count: number): Runs {
  const [taken, rest] = splitRuns(parseRuns(parked.positions ?? ''), count)
  keepParked(engine, parked, rest)
  return taken
}

function keepParked(engine: Engine, parked: Parked, rest: Runs): void {
  if (rest.length === 0) return removeParked(engine, parked)
  const [first, last] = ends(rest)
  engine.db
    .sql(`update parked set first = ?, last = ?, positions = ? where id = ?`)
    .run(first, last, printRuns(rest), parked.id)
}

/** Leaves only what comes after a position in a range row. */
export function shortenRange(engine: Engine, parked: Parked, scannedTo: number): void {
  if (scannedTo >= parked.last) return removeParked(engine, parked)
  engine.db.sql(`update parked set first = ? where id = ?`).run(scannedTo + 1, parked.id)
}

/** Rows that begin at or below a position. */
export function listParkedUpTo(db: Database, inboxId: number, last: number): Parked[] {
  return rows<Parked>(
    db.sql(`select ${parkedColumns} from parked where inbox_id = ? and first <= ? order by first`),
    inboxId,
    last,
  )
}

/** The filter that a parked range is still to pass: that of the settings when it was passed over. */
export function filterOf(db: Database, inbox: InboxState, parked: Parked): Filter {
  if (parked.revision === null || parked.revision === inbox.revision) return inbox.settings.filter
  const statement = db.sql(
    `select settings from inbox_history where inbox_id = ? and kind = 'settings' and revision = ?`,
  )
  const found = row<{ settings: string }>(statement, inbox.id, parked.revision)
  const settings: InboxSettings | undefined = found && JSON.parse(found.settings)
  return settings?.filter ?? inbox.settings.filter
}

/** All positions that a row may hold. */
export function runsOf(parked: Parked): Runs {
  return parked.positions === null ? [[parked.first, parked.last]] : parseRuns(parked.positions)
}

/** Takes positions out of a row that names its positions. */
export function dropPositions(engine: Engine, parked: Parked, positions: readonly number[]): void {
  keepParked(engine, parked, withoutPositions(runsOf(parked), new Set(positions)))
}

/** Takes one position out of a row, wherever it stands. */
export function removePosition(engine: Engine, inbox: InboxState, parked: Parked, position: number): void {
  if (parked.positions !== null) {
    return dropPositions(engine, parked, [position])
  }
  removeParked(engine, parked)
  const revision = parked.revision ?? inbox.revision
  parkRange(engine, inbox, { first: parked.first, last: position - 1, revision })
  parkRange(engine, inbox, { first: position + 1, last: parked.last, revision })
}

export function nextAvailableMs(db: Database, inboxId: number, nowMs: number): number | null {
  const found = row<{ at: number | null }>(
    db.sql(`select min(available_ms) as at from parked where inbox_id = ? and available_ms > ? and available_ms < ?`),
    inboxId,
    nowMs,
    behindMs,
  )
  return found?.at ?? null
}

/** Accept times of positions, for attempts and dead letters. */
export function acceptedAt(db: Database, workspaceId: number, position: number): number {
  const found = row<{ acceptedMs: number }>(
    db.sql(`select accepted_ms as acceptedMs from ${eventTable(workspaceId)} where position = ?`),
    position,
  )
  return found?.acceptedMs ?? 0
}
