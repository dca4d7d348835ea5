import type { Members } from './schema.ts'

/** One event type as its domain writes it down: when it is emitted, and the members of its payload. */
export type Definition = { readonly description: string; readonly required: Members; readonly optional?: Members }

export type Domain<E> = { readonly name: string; readonly about: string; readonly events: E }

/** @param about one sentence on what the domain covers */
export function defineDomain<E extends { readonly [eventType: string]: Definition }>(
  name: string,
  about: string,
  events: E,
): Domain<E> {
  return { name, about, events }
}
