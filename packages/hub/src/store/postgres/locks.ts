import { createHash } from 'node:crypto'

/** Advisory locks of Postgres, by name. */
export type Locks = {
  /** Takes one until the end of the transaction; parameters: `key` of the name. */
  readonly take: string
  readonly key: (name: string) => readonly [number, number]
  /**
   * Ends whoever holds one and has been silent for 8 s in the middle of a message: its host has gone, or its network.
   * Parameters: `key` of the name.
   */
  readonly free: string
}

/**
 * @param scope of the database's schema: hubs that share a database in different schemas do not wait for each other. Two names
 * with the same hash wait for each other, which is no harm.
 */
export function createLocks(scope: string): Locks {
  const known = new Map<string, readonly [number, number]>()
  return {
    take: `select pg_advisory_xact_lock($1::int, $2::int)`,
    // Numbers of a lock are unsigned in the list and signed in the call.
    free: `select pg_terminate_backend(pid) from pg_locks join pg_stat_activity using (pid)
      where locktype = 'advisory' and granted and pg_locks.database = (select oid from pg_database where datname = current_database())
        and classid::bigint = ($1::bigint + 4294967296) % 4294967296 and objid::bigint = ($2::bigint + 4294967296) % 4294967296
        and wait_event = 'ClientRead' and state_change < clock_timestamp() - interval '8 s'`,
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
