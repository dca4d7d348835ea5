import type { Store } from '../store/store.ts'
import { digest } from './dedup.ts'

export type OwnEvent = {
  readonly eventType: `sluice.${string}`
  /** what it is about, by its key */
  readonly subject: string
  readonly payload: Readonly<Record<string, unknown>>
  /** What makes it one: whoever comes again with the same adds no second one. Undefined: each is one. */
  readonly once?: string
}

/** Appends what the hub itself has to say. What definitions say about event types, and quotas, are for events of others. */
export async function publishOwnEvent(
  store: Pick<Store, 'appendEvents'>,
  workspaceId: number,
  { eventType, subject, payload, once }: OwnEvent,
): Promise<void> {
  const source = 'sluice'
  const key = once === undefined ? undefined : digest(`${eventType}\0${once}`)
  const body = JSON.stringify({ event_type: eventType, payload, source, subject })
  const dedup = key === undefined ? [] : [{ key, fingerprint: key }]
  await store.appendEvents(workspaceId, [{ eventType, source, subject, body, notes: null, dedup }])
}
