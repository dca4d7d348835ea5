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
  /** a schema that was not there before, which has to be looked at */
  readonly newSchema: Schema | undefined
  /** pointers into the schema */
  readonly incompatible: readonly Fault[]
}

/** @param mode of a new event type that does not say */
export function planChange(before: EventTypeRow | undefined, wanted: Wanted, mode: EventTypeMode = 'warn'): Plan {
  const old = before?.schema == null ? undefined : (JSON.parse(before.schema) as Schema)
  const schema = wanted.schema === undefined ? old : (wanted.schema ?? undefined)
  const isSameSchema = isDeepStrictEqual(old, schema)
  const version = (before?.version ?? 0) + (isSameSchema ? 0 : 1)
  const content = {
    name: wanted.name,
    description: wanted.description === undefined ? (before?.description ?? null) : wanted.description,
    // Another order of members is the same schema: the text of before stays.
    schema: isSameSchema ? (before?.schema ?? null) : toText(schema),
    category: wanted.category === undefined ? (before?.category ?? null) : wanted.category,
    entity: wanted.entity === undefined ? (before?.entity ?? null) : wanted.entity,
    action: wanted.action === undefined ? (before?.action ?? null) : wanted.action,
    mode: wanted.mode ?? before?.mode ?? mode,
    version,
  }
  const newSchema = isSameSchema ? undefined : schema
  const incompatible = old && newSchema ? findIncompatibilities(old, newSchema) : []
  const change = { ...content, expects: before?.revision ?? 0 }
  if (!before) return { kind: 'new', change, version, newSchema, incompatible }
  if (isSame(before, content)) return { kind: 'same', change: undefined, version, newSchema, incompatible }
  const kind = incompatible.length > 0 ? 'incompatible' : 'compatible'
  return { kind, change, version, newSchema, incompatible }
}

const toText = (schema: Schema | undefined): string | null => (schema === undefined ? null : JSON.stringify(schema))

function isSame(before: EventTypeRow, content: Omit<EventTypeChange, 'expects'>): boolean {
  return Object.entries(content).every(([name, value]) => before[name as keyof typeof content] === value)
}
