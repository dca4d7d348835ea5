import type { Connection } from './connections.ts'

type Claim = { readonly name: string; readonly holder: string; readonly forMs: number; readonly nowMs: number }

/** Answers whether the holder may do the work: it was free, has lapsed, or was its own. */
export async function claimTask({ query }: Connection, { name, holder, forMs, nowMs }: Claim): Promise<boolean> {
  const claimed = await query(
    `insert into task (name, holder, until_ms) values ($1, $2, $3)
     on conflict (name) do update set holder = excluded.holder, until_ms = excluded.until_ms
       where task.holder = excluded.holder or task.until_ms <= $4
     returning 1 as mine`,
    [name, holder, nowMs + forMs, nowMs],
  )
  return claimed.length > 0
}
