import { isDeepStrictEqual } from 'node:util'
import type { EventTypeChange as Kind, EventTypeMode, Fault, PutEventType } from '@sluice/protocol'
import type { EventTypeChange, EventTypeRow } from '../../store/event-types.ts'
import { findIncompatibilities } from './find-incompatibilities.ts'
import type { Schema } from './subschemas.ts'

export type Wanted = PutEventType & { readonly name: string }

/** What a request would do to an event type. */
export type Plan = {
  readonly kind: Kind
  /** undefined: nothing is to be written */
  readonly change: EventTypeChange | undefined
  readonly version: number
  readonly mode: EventTypeMode
  /** pointers into the schema */
  readonly incompatible: readonly Fault[]
}

/** The schema of now, and the one that it would be. */
function schemasOf(
  before: EventTypeRow | undefined,
  wanted: Wanted,
): { old: Schema | undefined; now: Schema | undefined } {
  const old = before?.schema == null ? undefined : (JSON.parse(before.schema) as Schema)
  return { old, now: wanted.schema === undefined ? old : (wanted.schema ?? undefined) }
}

/** A schema that was not there before: it has to be looked at before anything is made of it. */
export function newSchemaOf(before: EventTypeRow | undefined, wanted: Wanted): Schema | undefined {
  const { old, now } = schemasOf(before, wanted)
  return isDeepStrictEqual(old, now) ? undefined : now
}

/** @param mode of a new event type that does not say */
export function planChange(before: EventTypeRow | undefined, wanted: Wanted, mode: EventTypeMode = 'warn'): Plan {
  const { old, now } = schemasOf(before, wanted)
  const isSameSchema = isDeepStrictEqual(old, now)
  const version = (before?.version ?? 0) + (isSameSchema ? 0 : 1)
  const content = {
    name: wanted.name,
    description: wanted.description === undefined ? (before?.description ?? null) : wanted.description,
    // Another order of members is the same schema: the text of before stays.
    schema: isSameSchema ? (before?.schema ?? null) : toText(now),
    category: wanted.category === undefined ? (before?.category ?? null) : wanted.category,
    entity: wanted.entity === undefined ? (before?.entity ?? null) : wanted.entity,
    action: wanted.action === undefined ? (before?.action ?? null) : wanted.action,
    mode: wanted.mode ?? before?.mode ?? mode,
    version,
  }
  const incompatible = old && now && !isSameSchema ? findIncompatibilities(old, now) : []
  const change = { ...content, expects: before?.revision ?? 0 }
  const rest = { version, mode: content.mode, incompatible }
  if (!before) return { kind: 'new', change, ...rest }
  if (isSame(before, content)) return { kind: 'same', change: undefined, ...rest }
  const kind = incompatible.length > 0 ? 'incompatible' : 'compatible'
  return { kind, change, ...rest }
}

const toText = (schema: Schema | undefined): string | null => (schema === undefined ? null : JSON.stringify(schema))

function isSame(before: EventTypeRow, content: Omit<EventTypeChange, 'expects'>): boolean {
  return Object.entries(content).every(([name, value]) => before[name as keyof typeof content] === value)
}
