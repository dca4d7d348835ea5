import type { HeldLease, InboxState, Parked } from '../inbox-rules/rows.ts'

/**
 * What was asked of the database before it was needed, in one go with the lock of the inbox, and what is known of leases
 * since: a verb then finds its answers without a round trip for each. Lives as long as one transaction.
 */
export type Ahead = {
  readonly leases: Map<string, Promise<HeldLease | undefined>>
  due: { readonly inboxId: number; readonly nowMs: number; readonly found: Promise<HeldLease[]> } | undefined
  available: Available | undefined
}

type Available = {
  readonly inboxId: number
  readonly nowMs: number
  readonly limit: number
  readonly found: Promise<Parked[]>
}

export const createAhead = (): Ahead => ({ leases: new Map(), due: undefined, available: undefined })

/** Names the leases of an inbox; ids of inboxes differ also when one was removed and made anew. */
export const leaseName = (inbox: Pick<InboxState, 'id'>, leaseId: string): string => `${inbox.id}/${leaseId}`

/** Keeps a rejection until somebody asks for it. */
export function early<Value>(promise: Promise<Value>): Promise<Value> {
  promise.catch(() => {})
  return promise
}
