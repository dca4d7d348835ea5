/** Whether a member of the event's `identity` equals one of the values. E-mail addresses are compared without regard to case. */
export function isIdentifiedBy(values: readonly string[], body: string): boolean {
  // The name may be written with an escape; parsing every event would take ten times as long.
  if (!body.includes('"identity"') && !body.includes(String.raw`\u`)) return false
  const { identity }: { identity?: Record<string, unknown> | null } = JSON.parse(body)
  return isOneOf(values, identity)
}

/** Whether a member of an identity equals one of the values; what is searched for is what is erased. */
export function isOneOf(values: readonly string[], identity: Record<string, unknown> | null | undefined): boolean {
  const wanted = new Set(values.map(fold))
  return Object.values(identity ?? {}).some((value) => typeof value === 'string' && wanted.has(fold(value)))
}

const fold = (text: string): string => (text.includes('@') ? text.toLowerCase() : text)

/** Bodies that one look for an identity may read. */
export const identityBytes = 32 * 1024 * 1024
