import { matchesGlob } from '@sluice/protocol/glob'
import { isOneOf } from './identity.ts'
import type { Search, StoredEvent } from './store.ts'

/** What a search asks for, of one event. */
export function matchesSearch(search: Search, event: StoredEvent, body: string): boolean {
  if (search.eventType !== undefined && !matchesGlob(search.eventType, event.eventType)) return false
  if (search.source !== undefined && search.source !== event.source) return false
  if (search.subject !== undefined && search.subject !== event.subject) return false
  const { channel, identity, entity, text } = search
  if (channel === undefined && identity === undefined && entity === undefined && text === undefined) return true
  const content: {
    channel?: string
    identity?: Record<string, string>
    entity?: { type: string; id: string }
    payload?: unknown
  } = JSON.parse(body)
  if (channel !== undefined && content.channel !== channel) return false
  if (identity !== undefined && !isOneOf([identity], content.identity)) return false
  if (
    entity !== undefined &&
    content.entity?.id !== entity &&
    `${content.entity?.type}:${content.entity?.id}` !== entity
  )
    return false
  if (text === undefined) return true
  // A CloudEvent may come without data.
  return content.payload !== undefined && JSON.stringify(content.payload).toLowerCase().includes(text.toLowerCase())
}
