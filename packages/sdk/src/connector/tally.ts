/** What a sync did so far. It changes while the sync runs. */
export type Tally = {
  readonly operations: {
    upserts: number
    updates: number
    deletes: number
    truncates: number
    schema_changes: number
    checkpoints: number
  }
  readonly http: { requests: number; retries: number; pages: number }
  /** changes by table, as it is named at the destination */
  readonly changes: Map<string, number>
}

export function createTally(): Tally {
  return {
    operations: { upserts: 0, updates: 0, deletes: 0, truncates: 0, schema_changes: 0, checkpoints: 0 },
    http: { requests: 0, retries: 0, pages: 0 },
    changes: new Map(),
  }
}
