import type { StoredEvent } from '../store/store.ts'

/** An event may be made of an event, and so on: so often, and no more. A loop ends here. */
export const maxHops = 16

/** The hub's own notes on an event. */
export type Notes = { readonly traceparent?: string; readonly hops?: number }

export const readNotes = ({ notes }: Pick<StoredEvent, 'notes'>): Notes =>
  notes === null ? {} : (JSON.parse(notes) as Notes) // written by the hub

/** Notes for an event that is made of another one. */
export function toNextNotes(event: Pick<StoredEvent, 'notes'>): string {
  const { traceparent, hops = 0 } = readNotes(event)
  return JSON.stringify({ ...(traceparent !== undefined && { traceparent }), hops: hops + 1 } satisfies Notes)
}
