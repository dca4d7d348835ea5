import type { Fault } from '../problem.ts'

/** `text` is the value as JSON: where it came as JSON, the very characters that came. */
export type Attribute = { readonly value: string | number | boolean; readonly text: string }

/** JSON as it came, with what it says; or bytes as base64. */
export type Data =
  | { readonly kind: 'json'; readonly text: string; readonly value: unknown }
  | { readonly kind: 'bytes'; readonly base64: string }

/** What a CloudEvent says, whatever mode it came in. Nothing but its form has been checked. */
export type Reading = {
  readonly attributes: ReadonlyMap<string, Attribute>
  readonly data: Data | undefined
  readonly faults: readonly Fault[]
  /** where an attribute is, for people: `/source` or `header.ce-source` */
  readonly pointerOf: (name: string) => string
}

const attributeName = /^[a-z0-9]+$/

/** Why this is no name of an attribute, or undefined. */
export function findNameFault(name: string): string | undefined {
  if (!attributeName.test(name)) return 'names of attributes hold only a to z and 0 to 9'
  return name.length > 100 ? 'names of attributes have at most 100 characters here; 20 are advised' : undefined
}
