import type { RateState } from '../store.ts'

const windowMs = 60_000
const maxKeys = 100_000

/** Fixed windows of a minute for each key, begun by its first request. In memory: one process serves an embedded store. */
export function createRateLimits(nowMs: () => number): (keyId: string, perMinute: number) => RateState {
  const windows = new Map<string, { endMs: number; used: number }>()
  return (keyId, perMinute) => {
    const now = nowMs()
    let window = windows.get(keyId)
    if (!window || window.endMs <= now) {
      if (windows.size >= maxKeys) windows.clear()
      window = { endMs: now + windowMs, used: 0 }
      windows.set(keyId, window)
    }
    const allowed = window.used < perMinute
    if (allowed) window.used += 1
    return {
      allowed,
      remaining: Math.max(0, perMinute - window.used),
      resetSeconds: Math.max(1, Math.ceil((window.endMs - now) / 1000)),
    }
  }
}
