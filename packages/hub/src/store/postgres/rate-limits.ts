import type { RateState } from '../store.ts'
import type { Connections } from './connections.ts'

const windowMs = 60_000

type Waiting = { readonly resolve: (state: RateState) => void; readonly reject: (error: unknown) => void }
type Window = { readonly endMs: number; readonly used: number }

const maxCount = 1_000_000_000

/**
 * Fixed windows of a minute for each key, begun by its first request, shared by all nodes. Requests that come while the
 * database is being asked are asked for together.
 */
export function createRateLimits(
  connections: Connections,
  nowMs: () => number,
): (keyId: string, perMinute: number) => Promise<RateState> {
  const queues = new Map<string, Waiting[]>()

  const serve = async (keyId: string, perMinute: number, queue: Waiting[]): Promise<void> => {
    while (queue.length > 0) {
      const group = queue.splice(0)
      try {
        const now = nowMs()
        const { endMs, used } = await take(connections, { keyId, count: group.length, now })
        const before = used - group.length
        const resetSeconds = Math.max(1, Math.ceil((endMs - now) / 1000))
        for (const [index, { resolve }] of group.entries()) {
          const allowed = before + index < perMinute
          resolve({ allowed, remaining: Math.max(0, perMinute - before - index - 1), resetSeconds })
        }
      } catch (error) {
        for (const { reject } of group) reject(error)
      }
    }
    queues.delete(keyId)
  }

  return (keyId, perMinute) =>
    new Promise((resolve, reject) => {
      const queue = queues.get(keyId)
      if (queue) return void queue.push({ resolve, reject })
      const started = [{ resolve, reject }]
      queues.set(keyId, started)
      setImmediate(() => void serve(keyId, perMinute, started))
    })
}

type Taking = { readonly keyId: string; readonly count: number; readonly now: number }

/** Refused requests count, too: the count only says who comes after the last one allowed. */
async function take({ query }: Connections, { keyId, count, now }: Taking): Promise<Window> {
  const [window] = await query<Window>(
    `insert into rate_window (key_id, end_ms, used) values ($1, $3::bigint + ${windowMs}, $2::int)
     on conflict (key_id) do update set
       used = case when rate_window.end_ms <= $3 then $2 else least(rate_window.used + $2, ${maxCount}) end,
       end_ms = case when rate_window.end_ms <= $3 then $3 + ${windowMs} else rate_window.end_ms end
     returning end_ms as "endMs", used`,
    [keyId, count, now],
  )
  return window ?? { endMs: now + windowMs, used: maxCount }
}
