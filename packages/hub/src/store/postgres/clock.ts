import { setTimeout as pause } from 'node:timers/promises'
import { createClock, type Clock } from '../clock.ts'
import { listenerName, type Connections } from './connections.ts'

export type DatabaseClock = Clock & { readonly close: () => Promise<void> }

/** How often a node compares its time with the database's. */
const compareEveryMs = 1000

/** Times beyond this are nobody's clock: they came with data from elsewhere. */
const believableMs = 2 * 86_400_000

/** A node that is further away from the time of all nodes, and for so many looks, takes it. */
const aloneMs = 1000
const patience = 10

/**
 * One time for all nodes: the database's clock and a correction that stands beside the data. A node runs on its own monotonic clock
 * from one reading and follows slowly, so that a clock that is set neither strands leases nor ends them all at once. The node that
 * leads follows the database's clock itself and notes, every second, how far it is from it; the others follow both.
 *
 * @param leads one node at a time
 */
export async function openClock(connections: Connections, leads: () => boolean): Promise<DatabaseClock> {
  let reading = await readSettled(connections)
  const toMs = ({ databaseMs, correctionMs, at }: Reading, corrected: boolean): number =>
    databaseMs + (corrected ? correctionMs : 0) + performance.now() - at
  const create = (): Clock => createClock(() => toMs(reading, !leads()))
  let clock = create()
  const latest = await readLatest(connections)
  if (latest < clock.nowMs() + believableMs) clock.startFrom(latest)
  let alone = 0
  const compare = async (): Promise<void> => {
    reading = await read(connections)
    const away = toMs(reading, true) - clock.nowMs()
    if (leads()) return note(connections, clock.nowMs(), Math.round(reading.correctionMs - away))
    alone = Math.abs(away) > aloneMs ? alone + 1 : 0
    if (alone < patience) return
    // Backwards, too: the times of a log never decrease, whatever a node believes.
    clock = create()
    alone = 0
  }
  const closed = new AbortController()
  const comparing = (async (): Promise<void> => {
    while (!closed.signal.aborted) {
      await pause(compareEveryMs, undefined, { signal: closed.signal, ref: false }).catch(() => {})
      if (!closed.signal.aborted) await compare().catch(() => {})
    }
  })()
  return {
    nowMs: () => clock.nowMs(),
    startFrom: (ms) => clock.startFrom(ms),
    close: async () => {
      closed.abort()
      await comparing
    },
  }
}

type Reading = {
  readonly databaseMs: number
  readonly correctionMs: number
  /** the time of the leading node when it last noted the correction; 0 before the first */
  readonly notedMs: number
  /** by this process's monotonic clock */
  readonly at: number
}

/** Longer than it takes until another node leads, and has compared. */
const settleMs = 8000

/** At a start beside others: the correction as it is after the next look of the node that leads. The clock may have been set just now. */
async function readSettled(connections: Connections): Promise<Reading> {
  let reading = await read(connections)
  if (!(await hasOthers(connections))) return reading
  const { notedMs } = reading
  for (let waitedMs = 0; waitedMs < settleMs && reading.notedMs === notedMs; waitedMs += compareEveryMs / 10) {
    await pause(compareEveryMs / 10)
    reading = await read(connections)
  }
  return reading
}

/** Nodes that run have a connection on which they listen; this one has none yet. */
async function hasOthers({ query }: Connections): Promise<boolean> {
  const found = await query(
    `select 1 as found from pg_stat_activity where datname = current_database() and application_name = $1 limit 1`,
    [listenerName],
  )
  return found.length > 0
}

async function read(connections: Connections): Promise<Reading> {
  return connections.use(async (client) => {
    const sent = performance.now()
    const [row] = await client.query<Omit<Reading, 'at'>>(
      `select floor(extract(epoch from clock_timestamp()) * 1000)::bigint as "databaseMs",
         coalesce((select value from meta where name = 'clock_correction_ms'), 0) as "correctionMs",
         coalesce((select value from meta where name = 'clock_noted_ms'), 0) as "notedMs"`,
    )
    const { databaseMs = Date.now(), correctionMs = 0, notedMs = 0 } = row ?? {}
    return { databaseMs, correctionMs, notedMs, at: (sent + performance.now()) / 2 }
  })
}

/** The highest time that was used: time goes on from here, whatever the clock says. */
async function readLatest({ query }: Connections): Promise<number> {
  const [row] = await query<{ ms: number }>(`select coalesce(max(accepted_ms), 0) as ms from log`)
  return row?.ms ?? 0
}

async function note({ query }: Connections, nowMs: number, correctionMs: number): Promise<void> {
  await query(
    `insert into meta (name, value) values ('clock_noted_ms', $1), ('clock_correction_ms', $2)
     on conflict (name) do update set value = excluded.value`,
    [nowMs, correctionMs],
  )
}
