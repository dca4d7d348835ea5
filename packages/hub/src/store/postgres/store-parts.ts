import type { Memo } from '../memo.ts'
import type { Draft, KeyRow, WorkspaceRow } from '../store.ts'
import type { Connections } from './connections.ts'
import type { Groups } from './group-commit.ts'
import type { InboxVerb } from './inboxes.ts'
import type { Locks } from './locks.ts'
import type { Transactions } from './transactions.ts'
import type { Wakes } from './wakes.ts'

/** What the verbs of this store work with. */
export type Parts = {
  readonly connections: Connections
  readonly transactions: Transactions
  readonly locks: Locks
  readonly wakes: Wakes
  readonly leading: { upkeep: boolean }
  readonly appends: Groups<readonly Draft[]>
  readonly inboxVerbs: Groups<InboxVerb>
  readonly workspaces: Memo<Promise<WorkspaceRow | undefined>>
  readonly keys: Memo<Promise<KeyRow | undefined>>
  /** Removes in the background what removed workspaces and inboxes held. */
  readonly purge: () => void
  readonly nowMs: () => number
}
