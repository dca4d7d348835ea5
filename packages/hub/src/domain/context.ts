import type { Store, WorkspaceRow } from '../store/store.ts'
import type { Counts } from './counts.ts'
import type { Cursors } from './cursors.ts'
import type { KnownTypes } from './event-types/known-types.ts'
import type { LeaseWatch } from './local-leases.ts'
import type { Notifier } from './notifier.ts'
import type { Sealing } from './sealing.ts'

/** What every verb works with; `main.ts` builds it. */
export type Context = {
  readonly store: Store
  readonly cursors: Cursors
  readonly sealing: Sealing
  readonly notifier: Notifier
  readonly counts: Counts
  readonly leaseWatch: LeaseWatch
  readonly knownTypes: KnownTypes
  readonly newId: () => string
}

/** The workspace is all that most verbs need to know about who asks. */
export type Workspace = WorkspaceRow
