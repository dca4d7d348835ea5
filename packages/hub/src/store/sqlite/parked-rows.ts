import { toSpan } from '../inbox-rules/parked.ts'
import {
  behindMs,
  maxSpan,
  type InboxState,
  type NewParked,
  type Parked,
  type ParkedRows,
  type ParkedSpan,
} from '../inbox-rules/rows.ts'
import { printRuns } from '../runs.ts'
import { row, rows, type Database } from './database.ts'
import { readEvents } from './log.ts'

type Columns = Omit<Parked, 'alone'> & { alone: number }

const columns = `id, first, last, positions, revision, available_ms as availableMs, attempt, alone, lease_id as leaseId,
  released_by as releasedBy, subject`

const toParked = (found: Columns): Parked => ({ ...found, alone: found.alone === 1 })

export function parkedRows(db: Database): ParkedRows {
  return { ...readingRows(db), ...writingRows(db) }
}

type ReadingVerb = Exclude<keyof ParkedRows, 'park' | 'parkEach' | 'removeParked' | 'keepParked' | 'shortenParked'>

function readingRows(db: Database): Pick<ParkedRows, ReadingVerb> {
  const list = (sql: string, ...values: (string | number)[]): Parked[] =>
    rows<Columns>(db.sql(`select ${columns} from parked where ${sql}`), ...values).map(toParked)
  return {
    available: (inbox, nowMs, limit) =>
      list(`inbox_id = ? and available_ms <= ? order by available_ms, first limit ?`, inbox.id, nowMs, limit),
    availableInOrder: (inbox, nowMs, limit) =>
      list(
        `inbox_id = ? and available_ms <= ?
         and not exists (select 1 from lease_subject where inbox_id = parked.inbox_id and subject = parked.subject)
         and not exists (select 1 from parked as earlier where earlier.inbox_id = parked.inbox_id
           and earlier.subject = parked.subject and earlier.first < parked.first)
         and not (? and exists (select 1 from dead_letter where inbox_id = parked.inbox_id and subject = parked.subject))
         order by available_ms, first limit ?`,
        inbox.id,
        nowMs,
        inbox.settings.on_dead === 'block' ? 1 : 0,
        limit,
      ),
    parkedAround: (inbox, positions) => {
      const around = (position: number): Parked[] =>
        list(`inbox_id = ? and first between ? and ? and last >= ?`, inbox.id, position - maxSpan, position, position)
      return [...new Map(positions.flatMap(around).map((parked) => [parked.id, parked])).values()]
    },
    parkedAfter: (inbox, after, limit) =>
      list(`inbox_id = ? and first > ? and last > ? order by first limit ?`, inbox.id, after - maxSpan, after, limit),
    parkedUpTo: (inbox, last) => list(`inbox_id = ? and first <= ? order by first`, inbox.id, last),
    parkedOfLease: (inbox, leaseId) => list(`inbox_id = ? and lease_id = ?`, inbox.id, leaseId),
    parkedSpans: (inbox) =>
      rows<ParkedSpan>(
        db.sql(
          `select first, last, positions, available_ms as availableMs from parked where inbox_id = ? order by first`,
        ),
        inbox.id,
      ),
    nextAvailableMs: (inbox, nowMs) => {
      const statement = db.sql(
        `select min(available_ms) as at from parked where inbox_id = ? and available_ms > ? and available_ms < ?`,
      )
      return row<{ at: number | null }>(statement, inbox.id, nowMs, behindMs)?.at ?? null
    },
    isOccupied: (inbox) => {
      const isIn = (table: string): boolean =>
        row(db.sql(`select 1 from ${table} where inbox_id = ? limit 1`), inbox.id) !== undefined
      return isIn('lease') || isIn('parked')
    },
  }
}

function writingRows(db: Database): Omit<ParkedRows, ReadingVerb> {
  const insert = (inbox: InboxState, parked: NewParked): void => {
    db.sql(
      `insert into parked (inbox_id, first, last, positions, revision, available_ms, attempt, alone, lease_id, released_by, subject)
       values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    ).run(
      inbox.id,
      parked.first,
      parked.last,
      parked.positions,
      parked.revision,
      parked.availableMs,
      parked.attempt,
      parked.alone ? 1 : 0,
      parked.leaseId,
      parked.releasedBy,
      parked.subject,
    )
  }
  return {
    park: (inbox, list) => {
      for (const parked of list) insert(inbox, parked)
    },
    parkEach: (inbox, positions, as) => {
      for (const { position, subject } of readEvents(db, inbox.workspaceId, positions)) {
        insert(inbox, {
          first: position,
          last: position,
          positions: String(position),
          revision: null,
          subject,
          ...as,
        })
      }
    },
    removeParked: (_inbox, id) => {
      db.sql(`delete from parked where id = ?`).run(id)
    },
    keepParked: (_inbox, id, runs) => {
      const { first, last } = toSpan(runs)
      db.sql(`update parked set first = ?, last = ?, positions = ? where id = ?`).run(first, last, printRuns(runs), id)
    },
    shortenParked: (_inbox, id, first) => {
      db.sql(`update parked set first = ? where id = ?`).run(first, id)
    },
  }
}
