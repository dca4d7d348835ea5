import { createHash } from 'node:crypto'

/** Advisory locks of Postgres, by name. */
export type Locks = {
  /** Takes one until the end of the transaction; parameters: `key` of the name. */
  readonly take: string
  readonly key: (name: string) => readonly [number, number]
}

/**
 * @param scope of the database's schema: hubs that share a database in different schemas do not wait for each other. Two names
 * with the same hash wait for each other, which is no harm.
 */
export function createLocks(scope: string): Locks {
  const known = new Map<string, readonly [number, number]>()
  return {
    take: `select pg_advisory_xact_lock($1::int, $2::int)`,
    key: (name) => {
      const found = known.get(name)
      if (found) return found
      if (known.size > 100_000) known.clear()
      const digest = createHash('sha256').update(`sluice/${scope}/${name}`).digest()
      const key = [digest.readInt32BE(0), digest.readInt32BE(4)] as const
      known.set(name, key)
      return key
    },
  }
}
