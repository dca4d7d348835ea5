import { setTimeout as pause } from 'node:timers/promises'
import { createClock, type Clock } from '../clock.ts'
import type { Connections } from './connections.ts'

export type DatabaseClock = Clock & { readonly close: () => Promise<void> }

/** How often a node compares its time with the database's. */
const compareEveryMs = 1000

/** A difference larger than this is no drift: somebody has set a clock. */
const stepMs = 1000

/** A node that finds itself alone with its time for this long takes that of the others. */
const patience = 10

/** How much of a noted step is taken back a second. */
const decayMs = 10

/**
 * One time for all nodes: the database's clock, and a correction that is kept beside the data. A node runs on its own monotonic
 * clock from one reading and follows slowly, so that a clock that is set neither strands leases nor ends them all at once:
 * the step goes into the correction, which is then worked off.
 *
 * @param leads one node at a time: it notes for all of them when the clock of the database has stepped
 */
export async function openClock(connections: Connections, leads: () => boolean): Promise<DatabaseClock> {
  let reading = await read(connections)
  const clock = createClock(() => reading.ms + performance.now() - reading.at)
  clock.startFrom(await readLatest(connections))
  let alone = 0
  const compare = async (): Promise<void> => {
    const now = await read(connections)
    const stepped = now.ms - clock.nowMs()
    if (Math.abs(stepped) <= stepMs) {
      alone = 0
      reading = now
      if (leads() && now.correctionMs !== 0) await correct(connections, now.correctionMs, towardsZero(now.correctionMs))
      return
    }
    alone += 1
    if (leads()) await correct(connections, now.correctionMs, now.correctionMs - Math.round(stepped))
    else if (alone >= patience) {
      clock.startFrom(now.ms)
      reading = now
    }
  }
  const closed = new AbortController()
  const comparing = (async (): Promise<void> => {
    while (!closed.signal.aborted) {
      await pause(compareEveryMs, undefined, { signal: closed.signal, ref: false }).catch(() => {})
      if (!closed.signal.aborted) await compare().catch(() => {})
    }
  })()
  return {
    ...clock,
    close: async () => {
      closed.abort()
      await comparing
    },
  }
}

type Reading = {
  /** the time of all nodes */
  readonly ms: number
  readonly correctionMs: number
  /** by this process's monotonic clock */
  readonly at: number
}

async function read(connections: Connections): Promise<Reading> {
  return connections.use(async (client) => {
    const sent = performance.now()
    const [row] = await client.query<{ ms: number; correctionMs: number }>(
      `select floor(extract(epoch from clock_timestamp()) * 1000)::bigint as ms,
         coalesce((select value from meta where name = 'clock_correction_ms'), 0) as "correctionMs"`,
    )
    const correctionMs = row?.correctionMs ?? 0
    return { ms: (row?.ms ?? Date.now()) + correctionMs, correctionMs, at: (sent + performance.now()) / 2 }
  })
}

/** The highest time that was used: time goes on from here, whatever the clock says. */
async function readLatest({ query }: Connections): Promise<number> {
  const [row] = await query<{ ms: number }>(`select coalesce(max(accepted_ms), 0) as ms from log`)
  return row?.ms ?? 0
}

async function correct({ query }: Connections, from: number, to: number): Promise<void> {
  await query(
    `insert into meta (name, value) values ('clock_correction_ms', $2)
     on conflict (name) do update set value = excluded.value where meta.value = $1`,
    [from, to],
  )
}

const towardsZero = (correction: number): number =>
  correction - Math.sign(correction) * Math.min(decayMs, Math.abs(correction))
