import type { Filter } from '@sluice/protocol'
import { HubError } from '@sluice/protocol/error'
import { reservedPrefix } from '@sluice/protocol/glob'
import { matchesFilter, type FilterSubject } from '@sluice/protocol/match'
import { toRuns, type Runs } from '../runs.ts'
import type { AppendOutcome, Draft, StoredEvent } from '../store.ts'
import { row, rows, type Database } from './database.ts'
import { workspaceOf, type Engine } from './writer-state.ts'

/** How long a deduplication key is remembered. */
const dedupMs = 7 * 86_400_000

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

export function appendEvents(engine: Engine, workspaceId: number, drafts: readonly Draft[]): AppendOutcome[] {
  const workspace = workspaceOf(engine, workspaceId)
  const insert = engine.db.sql(
    `insert into ${eventTable(workspaceId)} (position, accepted_ms, event_type, source, subject, body, notes) values (?, ?, ?, ?, ?, ?, ?)`,
  )
  workspace.acceptedMs = Math.max(workspace.acceptedMs, engine.nowMs)
  return drafts.map((draft) => {
    const known = draft.dedup.length === 0 ? undefined : findDuplicate(engine, workspaceId, draft)
    if (known) return known
    const position = workspace.head + 1
    const { acceptedMs } = workspace
    insert.run(position, acceptedMs, draft.eventType, draft.source, draft.subject, draft.body, draft.notes)
    workspace.head = position
    workspace.changed = true
    if (draft.eventType.startsWith(reservedPrefix)) workspace.irregularTo = position
    for (const { key, fingerprint } of draft.dedup)
      remember(engine, { workspaceId, key, fingerprint, position, acceptedMs })
    return { status: 'stored', position, acceptedMs }
  })
}

function findDuplicate(engine: Engine, workspaceId: number, draft: Draft): AppendOutcome | undefined {
  for (const { key, fingerprint } of draft.dedup) {
    const known = row<{ fingerprint: string; position: number; acceptedMs: number }>(
      engine.db.sql(
        `select fingerprint, position, accepted_ms as acceptedMs from dedup where workspace_id = ? and key = ? and expires_ms > ?`,
      ),
      workspaceId,
      key,
      engine.nowMs,
    )
    if (!known) continue
    if (known.fingerprint !== fingerprint) return { status: 'mismatch' }
    return { status: 'duplicate', position: known.position, acceptedMs: known.acceptedMs }
  }
  return undefined
}

type DedupRow = { workspaceId: number; key: string; fingerprint: string; position: number; acceptedMs: number }

function remember(engine: Engine, { workspaceId, key, fingerprint, position, acceptedMs }: DedupRow): void {
  engine.db
    .sql(
      `insert or replace into dedup (workspace_id, key, fingerprint, position, accepted_ms, expires_ms) values (?, ?, ?, ?, ?, ?)`,
    )
    .run(workspaceId, key, fingerprint, position, acceptedMs, engine.nowMs + dedupMs)
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
  if (ends?.low == null || ends.high == null) return readHead(db, workspaceId).head + 1
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

export function readHead(db: Database, workspaceId: number): { head: number; trimmedTo: number } {
  const found = row<{ head: number; trimmedTo: number }>(
    db.sql(`select head, trimmed_to as trimmedTo from workspace where id = ?`),
    workspaceId,
  )
  if (!found) throw new HubError('not-found', 'the workspace does not exist')
  return found
}

/** What a filter looks at, from a row; the body is parsed only if a condition asks for it. */
export function toFilterSubject(event: {
  eventType: string
  source: string | null
  subject: string | null
  body: string | null
}): FilterSubject {
  return {
    eventType: event.eventType,
    source: event.source,
    subject: event.subject,
    body: () => JSON.parse(event.body ?? '{}'),
  }
}

type Scan = {
  readonly first: number
  readonly last: number
  readonly filter: Filter
  readonly limit: number
  readonly budget: number
}

export type ScannedEvent = Pick<StoredEvent, 'position' | 'acceptedMs' | 'eventType' | 'source' | 'subject' | 'body'>

/** Bodies that one scan may parse: a filter on the content must not hold up everybody else. About 40 ms. */
const scanBytes = 4 * 1024 * 1024

/**
 * The events in a range that a filter wants. Ends when `limit` are found, `budget` rows or 4 MB were looked at, or the range is
 * through; `scannedTo` is the last position that need not be looked at again.
 */
export function scanLog(
  db: Database,
  workspaceId: number,
  scan: Scan,
): { found: ScannedEvent[]; scannedTo: number; looked: number } {
  // Only conditions on the content need the body read; for the others it is enough to know that there is one.
  const body = scan.filter.identity || scan.filter.payload?.length ? 'body' : `iif(body is null, null, '{}') as body`
  const statement = db.sql(
    `select position, accepted_ms as acceptedMs, event_type as eventType, source, subject, ${body} from ${eventTable(workspaceId)}
     where position between ? and ? order by position limit ?`,
  )
  const found: ScannedEvent[] = []
  let looked = 0
  let bytes = 0
  let scannedTo = scan.first - 1
  for (const event of statement.iterate(scan.first, scan.last, scan.budget)) {
    const candidate = event as ScannedEvent // the columns above
    looked += 1
    scannedTo = candidate.position
    if (candidate.body !== null && matchesFilter(scan.filter, toFilterSubject(candidate))) found.push(candidate)
    bytes += candidate.body?.length ?? 0
    if (found.length >= scan.limit || bytes >= scanBytes) return { found, scannedTo, looked }
  }
  return { found, scannedTo: looked < scan.budget ? Math.max(scannedTo, scan.last) : scannedTo, looked }
}
