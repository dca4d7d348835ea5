import type { Outbound } from '@sluice/sdk/outbound'
import type { Installed } from '../runner/installed.ts'
import type { Runner } from '../runner/runner.ts'
import type { Store, WorkspaceRow } from '../store/store.ts'
import type { Transform } from '../transform/transform.ts'
import type { Refresher } from './connecting/refresh-connection.ts'
import type { ActivityNotes } from './activity.ts'
import type { Counts } from './counts.ts'
import type { Cursors } from './cursors.ts'
import type { KnownTypes } from './event-types/known-types.ts'
import type { LeaseWatch } from './local-leases.ts'
import type { RateBudgets } from './rate-budgets/rate-budgets.ts'
import type { Notifier } from './notifier.ts'
import type { SourceNotes } from './sources/notes.ts'
import type { DayCounts } from './quotas.ts'
import type { Sealing } from './sealing.ts'
import type { SigningKeys } from './signing-keys.ts'

/** What every verb works with; `main.ts` builds it. */
export type Context = {
  readonly store: Store
  readonly cursors: Cursors
  readonly sealing: Sealing
  readonly signingKeys: SigningKeys
  readonly notifier: Notifier
  readonly counts: Counts
  readonly activity: ActivityNotes
  readonly leaseWatch: LeaseWatch
  readonly knownTypes: KnownTypes
  readonly dayCounts: DayCounts
  /** integrations that this node can run, by name */
  readonly installed: ReadonlyMap<string, Installed>
  readonly runner: Runner
  readonly rateBudgets: RateBudgets
  readonly sourceNotes: SourceNotes
  /** expressions of users */
  readonly transform: Transform
  /** the guarded way out, for requests that the hub makes itself */
  readonly outbound: Outbound
  readonly refresher: Refresher
  /** where clients and browsers reach this hub; undefined while nobody has said so, and it does not listen */
  readonly publicUrl: () => string | undefined
  /** between 0 and 1, as Math.random */
  readonly random: () => number
  readonly newId: () => string
}

/** The workspace is all that most verbs need to know about who asks. */
export type Workspace = WorkspaceRow
