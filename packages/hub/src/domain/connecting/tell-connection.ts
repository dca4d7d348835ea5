import type { ConnectionRow } from '../../store/connections.ts'
import type { Store } from '../../store/store.ts'
import { publishOwnEvent } from '../own-events.ts'

export type ConnectionEvent = 'created' | 'reconnected' | 'removed' | 'broken'

type Of = Pick<ConnectionRow, 'workspaceId' | 'key' | 'id' | 'integration' | 'generation'>

/** Appends `sluice.connection.WHAT`, once for each credentials and tokens. */
export async function tellConnection(
  store: Pick<Store, 'appendEvents'>,
  what: ConnectionEvent,
  { workspaceId, key, id, integration, generation }: Of,
  reason?: string,
): Promise<void> {
  const payload = { connection: key, integration, ...(reason !== undefined && { reason }) }
  const eventType = `sluice.connection.${what}` as const
  await publishOwnEvent(store, workspaceId, { eventType, subject: key, payload, once: `${id}\0${generation}` })
}
