import { HubError } from '@sluice/protocol/error'
import type { LogState, LogRows } from '../inbox-rules/rows.ts'
import { filterScan, looksInside, type ScannedEvent, type Scanned, type ScanOrder } from '../inbox-rules/scan.ts'
import { countRuns, expandRuns, splitRuns, toRuns, type Runs } from '../runs.ts'
import type { StoredEvent } from '../store.ts'
import type { Connection } from './connections.ts'

export const eventColumns = `position, accepted_ms as "acceptedMs", event_type as "eventType", source, subject, body, notes`

export async function readLog(connection: Connection, workspaceId: number): Promise<LogState> {
  const [found] = await connection.query<LogState>(
    `select head, trimmed_to as "trimmedTo", irregular_to as "irregularTo" from log where workspace_id = $1`,
    [workspaceId],
  )
  if (!found) throw new HubError('not-found', 'the workspace does not exist')
  return found
}

/** What one answer may hold; the sizes of events differ by four orders of magnitude. */
const answerBytes = 16 * 1024 * 1024

/** Events are read in parts: the first small, so that little is read in vain where a few events fill an answer. */
export const firstPart = 100
const laterPart = 1000

/** Ends once an answer is full. `readTo` is the last position that was looked at, or undefined if all were. */
export async function readSome(
  connection: Connection,
  workspaceId: number,
  runs: Runs,
  maxBytes: number = answerBytes,
): Promise<{ events: StoredEvent[]; readTo?: number }> {
  const events: StoredEvent[] = []
  let bytes = 0
  let rest = runs
  for (let size = firstPart; rest.length > 0; size = laterPart) {
    const [part, after] = splitRuns(rest, size)
    rest = after
    for (const event of await readEvents(connection, workspaceId, expandRuns(part))) {
      events.push(event)
      bytes += event.body?.length ?? 0
      if (bytes >= maxBytes) return { events, readTo: event.position }
    }
  }
  return { events }
}

/** Oldest first. */
async function readRuns(connection: Connection, workspaceId: number, runs: Runs): Promise<StoredEvent[]> {
  const [first, last] = [runs[0]?.[0] ?? 0, runs.at(-1)?.[1] ?? 0]
  if (last - first + 1 === countRuns(runs)) {
    return connection.query<StoredEvent>(
      `select ${eventColumns} from event where workspace_id = $1 and position between $2 and $3 order by position`,
      [workspaceId, first, last],
    )
  }
  return connection.query<StoredEvent>(
    `select ${eventColumns} from event where workspace_id = $1 and position = any($2::bigint[]) order by position`,
    [workspaceId, expandRuns(runs)],
  )
}

/** In the order asked for. */
export async function readEvents(
  connection: Connection,
  workspaceId: number,
  positions: readonly number[],
): Promise<StoredEvent[]> {
  const found = await readRuns(connection, workspaceId, toRuns([...new Set(positions)]))
  const byPosition = new Map(found.map((event) => [event.position, event]))
  return positions.flatMap((position) => byPosition.get(position) ?? [])
}

/** When events were accepted, by position. */
export async function readAcceptTimes(
  connection: Connection,
  workspaceId: number,
  positions: readonly number[],
): Promise<Map<number, number>> {
  if (positions.length === 0) return new Map()
  const [first, last] = [Math.min(...positions), Math.max(...positions)]
  const isRange = last - first + 1 === positions.length
  const found = await connection.query<{ position: number; acceptedMs: number }>(
    `select position, accepted_ms as "acceptedMs" from event where workspace_id = $1
     and ${isRange ? 'position between $2 and $3' : 'position = any($2::bigint[])'}`,
    isRange ? [workspaceId, first, last] : [workspaceId, positions],
  )
  return new Map(found.map(({ position, acceptedMs }) => [position, acceptedMs]))
}

/** Accept times never decrease along the log: bisection, some twenty point reads. */
export async function findPosition(connection: Connection, workspaceId: number, acceptedMs: number): Promise<number> {
  const [ends] = await connection.query<{ low: number | null; high: number | null; head: number }>(
    `select (select min(position) from event where workspace_id = $1) as low,
       (select max(position) from event where workspace_id = $1) as high, head from log where workspace_id = $1`,
    [workspaceId],
  )
  if (!ends) throw new HubError('not-found', 'the workspace does not exist')
  if (ends.low === null || ends.high === null) return ends.head + 1
  let low = ends.low
  let high = ends.high + 1
  while (low < high) {
    const middle = Math.floor((low + high) / 2)
    const [found] = await connection.query<{ position: number; acceptedMs: number }>(
      `select position, accepted_ms as "acceptedMs" from event where workspace_id = $1 and position >= $2
       order by position limit 1`,
      [workspaceId, middle],
    )
    if (!found || found.acceptedMs >= acceptedMs) high = middle
    else low = found.position + 1
  }
  return low
}

export async function scanLog(connection: Connection, workspaceId: number, order: ScanOrder): Promise<Scanned> {
  const body = looksInside(order.filter) ? 'body' : `case when body is null then null else '{}' end as body`
  // A filter that wants nearly everything finds its events in the first part.
  const parts = [Math.min(order.budget, order.limit * 2, order.budget), order.budget]
  let { first } = order
  let looked = 0
  const found: ScannedEvent[] = []
  for (const part of parts) {
    const budget = Math.min(part, order.budget - looked)
    const events = await connection.query<ScannedEvent>(
      `select position, accepted_ms as "acceptedMs", event_type as "eventType", source, subject, ${body} from event
       where workspace_id = $1 and position between $2 and $3 order by position limit $4`,
      [workspaceId, first, order.last, budget],
    )
    const scanned = filterScan(events, { ...order, first, limit: order.limit - found.length, budget })
    found.push(...scanned.found)
    looked += scanned.looked
    first = scanned.scannedTo + 1
    if (found.length >= order.limit || looked >= order.budget || first > order.last || events.length < budget) break
    if (scanned.looked < events.length) break
  }
  return { found, scannedTo: first - 1, looked }
}

export function logRows(connection: Connection): LogRows {
  return {
    scan: (workspaceId, order) => scanLog(connection, workspaceId, order),
    readEvent: async (workspaceId, position) => (await readRuns(connection, workspaceId, [[position, position]]))[0],
    readSome: (workspaceId, runs) => readSome(connection, workspaceId, runs),
    keptAmong: async (workspaceId, positions) => {
      const found = await connection.query<{ position: number }>(
        `select position from event where workspace_id = $1 and position = any($2::bigint[]) and body is not null`,
        [workspaceId, positions],
      )
      return new Set(found.map(({ position }) => position))
    },
    acceptTimes: (workspaceId, positions) => readAcceptTimes(connection, workspaceId, positions),
    acceptedFrom: async (workspaceId, position) => {
      const [found] = await connection.query<{ acceptedMs: number }>(
        `select accepted_ms as "acceptedMs" from event where workspace_id = $1 and position >= $2
         order by position limit 1`,
        [workspaceId, position],
      )
      return found?.acceptedMs ?? null
    },
  }
}
