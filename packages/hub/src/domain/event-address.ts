import { HubError, parseEventId, toEventId } from '@sluice/protocol'
import type { StoredEvent } from '../store/store.ts'
import type { Context, Workspace } from './context.ts'

/** The tag in the id of an event. */
function tagAt({ tag, earlierTags }: Pick<Workspace, 'tag' | 'earlierTags'>, position: number): number {
  if (earlierTags.length === 0) return tag
  return earlierTags.find(([last]) => position <= last)?.[1] ?? tag
}

/** The id of an event of this workspace's log. */
export function toId(
  workspace: Pick<Workspace, 'tag' | 'earlierTags'>,
  { acceptedMs, position }: Pick<StoredEvent, 'acceptedMs' | 'position'>,
): string {
  return toEventId({ acceptedMs, position, tag: tagAt(workspace, position) })
}

/** The position in an id of this workspace's log; undefined for a malformed, foreign or forged one. Says nothing about existence. */
export function toPosition(workspace: Workspace, eventId: string): number | undefined {
  const address = parseEventId(eventId)
  if (!address || address.position < 1) return undefined
  return address.tag === tagAt(workspace, address.position) ? address.position : undefined
}

/** `expired` says that the log no longer reaches back to it. */
export type Located = { readonly position: number; readonly event: StoredEvent | 'expired' }

/**
 * @throws HubError `not-found` for an id that was never handed out by this workspace
 */
export async function locateEvent({ store }: Context, workspace: Workspace, eventId: string): Promise<Located> {
  const address = parseEventId(eventId)
  const unknown = new HubError('not-found', `event ${eventId.slice(0, 64)} does not exist in this workspace`)
  if (!address || address.position < 1 || address.tag !== tagAt(workspace, address.position)) throw unknown
  const { position, acceptedMs } = address
  const [event] = await store.readEvents(workspace.id, [position])
  if (event) {
    if (event.acceptedMs !== acceptedMs) throw unknown
    return { position, event }
  }
  const { trimmedTo } = await store.readHead(workspace.id)
  if (position > trimmedTo) throw unknown
  return { position, event: 'expired' }
}

/**
 * An event whose content is still there.
 *
 * @throws HubError `not-found`, `expired`, `erased`
 */
export async function requireEvent(
  context: Context,
  workspace: Workspace,
  eventId: string,
): Promise<StoredEvent & { readonly body: string }> {
  const { event } = await locateEvent(context, workspace, eventId)
  if (event === 'expired') throw new HubError('expired', `event ${eventId} has expired`)
  const { body } = event
  if (body === null) throw new HubError('erased', `event ${eventId} was erased`)
  return { ...event, body }
}
