/** A path of names into our event: `['identity', 'email']`. */
export type MemberPath = readonly [name: string, inner?: string]

/** Attributes of CloudEvents that are members of our event under another name. */
export const memberOfAttribute: ReadonlyMap<string, MemberPath> = new Map<string, MemberPath>([
  ['type', ['event_type']],
  ['source', ['source']],
  ['subject', ['subject']],
  ['time', ['occurred_at']],
  ['id', ['external_event_id']],
])

/**
 * Extensions that carry the members which CloudEvents has no attribute for. They are members of our event again when they
 * come back, and no extensions.
 */
export const memberOfExtension: ReadonlyMap<string, MemberPath> = new Map<string, MemberPath>([
  ['slchannel', ['channel']],
  ['slentitytype', ['entity', 'type']],
  ['slentityid', ['entity', 'id']],
  ['slidentityid', ['identity', 'id']],
  ['slidentityemail', ['identity', 'email']],
  ['slidentityphone', ['identity', 'phone']],
  ['slidentityextid', ['identity', 'external_id']],
  ['slmetadata', ['metadata']],
])

/** What a hub says about its own copy of an event. Another hub has a copy of its own, so it is not taken over. */
export const hubExtensions = { eventId: 'sleventid', attempt: 'slattempt' } as const

/** The authcontext extension: who acts, in its words and ours. The first of ours is what goes out. */
export const authTypes = [
  ['user', 'user'],
  ['service', 'service_account'],
  ['user', 'app_user'],
] as const
