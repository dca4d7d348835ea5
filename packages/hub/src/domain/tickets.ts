import { HubError } from '@sluice/protocol'
import type { Context, Workspace } from './context.ts'
import { requireInbox } from './inboxes.ts'
import { toIso } from './to-wire.ts'

/** A browser's `EventSource` can send no key; a ticket stands in for one in the address, which may end up in logs: hence short. */
const ticketMs = 60_000

const scopeOf = (inbox: string): string => `ticket/${inbox}`

/** Good for the stream of one inbox, on behalf of a key. */
export async function createTicket(
  context: Context,
  holder: { readonly workspace: Workspace; readonly keyId: string },
  inbox: string,
): Promise<{ ticket: string; expires_at: string }> {
  await requireInbox(context, holder.workspace, inbox)
  const expiresMs = context.store.nowMs() + ticketMs
  return { ticket: context.cursors.seal(scopeOf(inbox), `${holder.keyId}/${expiresMs}`), expires_at: toIso(expiresMs) }
}

/** The id of the key that the ticket stands for. @throws HubError `unauthorized` if it has run out or is not for this inbox */
export function openTicket(
  { cursors, store }: Pick<Context, 'cursors' | 'store'>,
  inbox: string,
  ticket: string,
): string {
  const [keyId, expiresMs] = cursors.open(scopeOf(inbox), ticket)?.split('/') ?? []
  if (keyId === undefined || Number(expiresMs) <= store.nowMs()) {
    throw new HubError('unauthorized', 'the ticket is not for this stream or has run out; ask for a new one')
  }
  return keyId
}
