/**
 * Remembers answers for at most `forMs`, misses too, so that what changes elsewhere is felt in time. Bounded: when full it
 * starts anew.
 */
export type Memo<Value> = {
  readonly get: (key: string, read: () => Value) => Value
  readonly forget: (key: string) => void
  readonly clear: () => void
}

export function createMemo<Value>(forMs: number, max = 10_000): Memo<Value> {
  const known = new Map<string, { value: Value; until: number }>()
  return {
    get: (key, read) => {
      const now = performance.now()
      const found = known.get(key)
      if (found && found.until > now) return found.value
      if (known.size >= max) known.clear()
      const value = read()
      known.set(key, { value, until: now + forMs })
      return value
    },
    forget: (key) => void known.delete(key),
    clear: () => known.clear(),
  }
}
