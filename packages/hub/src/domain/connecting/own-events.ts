import type { Store } from '../../store/store.ts'
import type { ConnectionRow } from '../../store/connections.ts'
import { digest } from '../dedup.ts'

export type ConnectionEvent = 'created' | 'reconnected' | 'removed' | 'broken'

type Of = Pick<ConnectionRow, 'workspaceId' | 'key' | 'id' | 'integration' | 'generation'>

/**
 * Appends `sluice.connection.WHAT`, once for each credentials and tokens: whoever comes again after a crash adds no second one.
 * What definitions say about event types is for events of others.
 */
export async function tellConnection(
  store: Pick<Store, 'appendEvents'>,
  what: ConnectionEvent,
  { workspaceId, key, id, integration, generation }: Of,
  reason?: string,
): Promise<void> {
  const eventType = `sluice.connection.${what}`
  const payload = { connection: key, integration, ...(reason !== undefined && { reason }) }
  const body = JSON.stringify({ event_type: eventType, payload, source: 'sluice', subject: key })
  const dedup = digest(`${eventType}\0${id}\0${generation}`)
  await store.appendEvents(workspaceId, [
    { eventType, source: 'sluice', subject: key, body, notes: null, dedup: [{ key: dedup, fingerprint: dedup }] },
  ])
}
