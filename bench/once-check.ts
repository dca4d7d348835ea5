import type { Hub } from './hub.ts'
import { createInboxes, type HandedOut } from './lease-load.ts'

type LeaseAnswer = { readonly lease_id: string; readonly events: readonly { readonly event_id: string }[] }

type Once = {
  /** nodes of one store: the consumers are spread over them */
  readonly hubs: readonly [Hub, ...Hub[]]
  /** in the log */
  readonly events: number
  readonly readHandedOut: (inboxes: readonly string[]) => HandedOut | Promise<HandedOut>
}

const consumers = 8

/**
 * Eight consumers empty one inbox over HTTP: every event comes exactly once, and nothing is left.
 *
 * @throws if anything is missing or doubled
 */
export async function checkOnce({ hubs, events, readHandedOut }: Once): Promise<string> {
  await createInboxes(hubs[0], ['once'])
  const ids = new Set<string>()
  let handedOut = 0
  const consume = async (hub: Hub): Promise<void> => {
    while (handedOut < events) {
      const lease = await hub.call<LeaseAnswer>('POST', '/v1/inboxes/once/lease', { limit: 1000, lease_seconds: 600 })
      if (lease.events.length === 0) return
      handedOut += lease.events.length
      for (const event of lease.events) ids.add(event.event_id)
      await hub.call('POST', '/v1/inboxes/once/ack', { lease_id: lease.lease_id })
    }
  }
  await Promise.all(Array.from({ length: consumers }, (_, index) => consume(hubs[index % hubs.length] ?? hubs[0])))
  const { next, leased } = await readHandedOut(['once'])
  const text = `check: ${events} events in one inbox, ${handedOut} handed out, ${ids.size} different, ${next - leased} acknowledged`
  if (handedOut !== events || ids.size !== events || next !== events || leased !== 0)
    throw new Error(`loss check failed: ${text}`)
  return text
}
