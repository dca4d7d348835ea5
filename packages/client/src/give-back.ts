import type { Settled } from '@sluice/protocol'
import type { Settings } from './options.ts'
import type { Request } from './request.ts'

export type StreamTools = { readonly settings: Settings; readonly request: Request }

type Leased = { readonly lease_id?: string; readonly event: { readonly event_id: string } }

/** Events that nobody has touched go back as if they had never been handed out. Never rejects: if it fails, they come back when their lease ends. */
export async function giveBack(
  { settings, request }: StreamTools,
  key: string,
  leased: readonly Leased[],
): Promise<void> {
  const path = `/v1/inboxes/${encodeURIComponent(key)}/release`
  const byLease = Map.groupBy(leased, (one) => one.lease_id)
  const releases = Array.from(byLease, ([leaseId, members]) => {
    const eventIds = members.map(({ event }) => event.event_id)
    const body = { lease_id: leaseId, event_ids: eventIds, delay_seconds: 0, count: false }
    // Somebody waits for the stream to end.
    return request<Settled>({ method: 'POST', path, body, repeatable: true }, { maxRetries: 1, timeoutMs: 2000 })
  })
  for (const release of await Promise.allSettled(releases)) {
    if (release.status === 'rejected') settings.logger?.debug({ reason: String(release.reason) }, 'not given back')
  }
}
