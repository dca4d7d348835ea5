import { HubError } from '@sluice/protocol/error'
import type { LogState, LogRows } from '../inbox-rules/rows.ts'
import { filterScan, looksInside, type ScannedEvent, type ScanOrder, type Scanned } from '../inbox-rules/scan.ts'
import { toRuns, type Runs } from '../runs.ts'
import type { StoredEvent } from '../store.ts'
import { row, rows, type Database } from './database.ts'

/** Each workspace has a table of its own: no index beyond the position, and removing a workspace is dropping a table. */
export const eventTable = (workspaceId: number): string => `event_${Math.trunc(workspaceId)}`

export const eventColumns = `position, accepted_ms as acceptedMs, event_type as eventType, source, subject, body, notes`

export function createLog(db: Database, workspaceId: number): void {
  db.raw.exec(`create table ${eventTable(workspaceId)} (
    position integer primary key,
    accepted_ms integer not null,
    event_type text not null,
    source text,
    subject text,
    body text,
    notes text
  )`)
}

export function readEvent(db: Database, workspaceId: number, position: number): StoredEvent | undefined {
  return row<StoredEvent>(db.sql(`select ${eventColumns} from ${eventTable(workspaceId)} where position = ?`), position)
}

/** What one answer may hold; the sizes of events differ by four orders of magnitude. */
const answerBytes = 16 * 1024 * 1024

/** In the order asked for. Neighbours are read as one range. */
export function readEvents(db: Database, workspaceId: number, positions: readonly number[]): StoredEvent[] {
  const found = new Map(
    toRuns(positions).flatMap((run) => readRun(db, workspaceId, run).map((event) => [event.position, event])),
  )
  return positions.flatMap((position) => found.get(position) ?? [])
}

function readRun(db: Database, workspaceId: number, [first, last]: Runs[number]): StoredEvent[] {
  const statement = db.sql(
    `select ${eventColumns} from ${eventTable(workspaceId)} where position between ? and ? order by position`,
  )
  return rows<StoredEvent>(statement, first, last)
}

/** Ends once an answer is full. `readTo` is the last position that was looked at, or undefined if all were. */
export function readSome(
  db: Database,
  workspaceId: number,
  runs: Runs,
  maxBytes: number = answerBytes,
): { events: StoredEvent[]; readTo?: number } {
  const events: StoredEvent[] = []
  let bytes = 0
  for (const run of runs) {
    for (const part of splitRun(run)) {
      for (const event of readRun(db, workspaceId, part)) {
        events.push(event)
        bytes += event.body?.length ?? 0
        if (bytes >= maxBytes) return { events, readTo: event.position }
      }
    }
  }
  return { events }
}

/** Read in parts of this size, so that little is read in vain when an answer is full. */
const partSize = 100

function splitRun([first, last]: Runs[number]): Runs {
  if (last - first < partSize) return [[first, last]]
  const starts = Array.from(
    { length: Math.ceil((last - first + 1) / partSize) },
    (_, index) => first + index * partSize,
  )
  return starts.map((start) => [start, Math.min(last, start + partSize - 1)])
}

/** When events were accepted, by position. */
export function readAcceptTimes(db: Database, workspaceId: number, runs: Runs): Map<number, number> {
  const statement = db.sql(
    `select position, accepted_ms as acceptedMs from ${eventTable(workspaceId)} where position between ? and ?`,
  )
  const found = runs.flatMap(([first, last]) => statement.all(first, last))
  return new Map(found.map((event) => [Number(event['position']), Number(event['acceptedMs'])]))
}

export function findPosition(db: Database, workspaceId: number, acceptedMs: number): number {
  const table = eventTable(workspaceId)
  const ends = row<{ low: number | null; high: number | null }>(
    db.sql(`select (select min(position) from ${table}) as low, (select max(position) from ${table}) as high`),
  )
  if (ends?.low == null || ends.high == null) return readLog(db, workspaceId).head + 1
  // Accept times never decrease along the log: bisection, some twenty point reads.
  let low = ends.low
  let high = ends.high + 1
  const at = db.sql(
    `select position, accepted_ms as acceptedMs from ${table} where position >= ? order by position limit 1`,
  )
  while (low < high) {
    const middle = Math.floor((low + high) / 2)
    const found = row<{ position: number; acceptedMs: number }>(at, middle)
    if (!found || found.acceptedMs >= acceptedMs) high = middle
    else low = found.position + 1
  }
  return low
}

export function readLog(db: Database, workspaceId: number): LogState {
  const found = row<LogState>(
    db.sql(`select head, trimmed_to as trimmedTo, irregular_to as irregularTo from workspace where id = ?`),
    workspaceId,
  )
  if (!found) throw new HubError('not-found', 'the workspace does not exist')
  return found
}

export function scanLog(db: Database, workspaceId: number, scan: ScanOrder): Scanned {
  const body = looksInside(scan.filter) ? 'body' : `iif(body is null, null, '{}') as body`
  const statement = db.sql(
    `select position, accepted_ms as acceptedMs, event_type as eventType, source, subject, ${body} from ${eventTable(workspaceId)}
     where position between ? and ? order by position limit ?`,
  )
  const events = statement.iterate(scan.first, scan.last, scan.budget) as Iterable<unknown>
  return filterScan(events as Iterable<ScannedEvent>, scan) // the columns above
}

export function logRows(db: Database): LogRows {
  return {
    scan: (workspaceId, order) => scanLog(db, workspaceId, order),
    readEvent: (workspaceId, position) => readEvent(db, workspaceId, position),
    readSome: (workspaceId, runs) => readSome(db, workspaceId, runs),
    keptAmong: (workspaceId, positions) => {
      const statement = db.sql(`select 1 from ${eventTable(workspaceId)} where position = ? and body is not null`)
      return new Set(positions.filter((position) => statement.get(position)))
    },
    acceptTimes: (workspaceId, positions) => readAcceptTimes(db, workspaceId, toRuns(positions)),
    acceptedFrom: (workspaceId, position) => {
      const statement = db.sql(
        `select accepted_ms as acceptedMs from ${eventTable(workspaceId)} where position >= ? order by position limit 1`,
      )
      return row<{ acceptedMs: number }>(statement, position)?.acceptedMs ?? null
    },
  }
}
