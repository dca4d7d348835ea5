import { EventValidationError } from '@sluice/client'

/** Whom an event is about; any of them will do. */
export type Customer = {
  readonly id?: string | undefined
  readonly external_id?: string | undefined
  readonly email?: string | undefined
  readonly phone?: string | undefined
}

/** An event as eSauti takes it. */
export type Envelope = {
  readonly type: string
  /** ISO 8601 */
  readonly occurred_at: string
  readonly source: string
  readonly customer?: Customer
  readonly entity?: { readonly type?: string | undefined; readonly id?: string | undefined }
  readonly properties: Readonly<Record<string, unknown>>
  readonly external_event_id?: string
}

export type EventOptions = {
  /** whom it is about: the envelope's `customer` */
  readonly identity?: Customer | undefined
  /** what it is about, as an order */
  readonly entity?: Envelope['entity'] | undefined
  /** the envelope's `properties` */
  readonly data?: Readonly<Record<string, unknown>> | undefined
  /** default: the client's */
  readonly source?: string | undefined
  /** default: now */
  readonly occurredAt?: Date | string | undefined
  /** what the sender's system calls the event; the same twice is stored once */
  readonly externalEventId?: string | undefined
}

type Fault = { readonly pointer: string; readonly detail: string }

/** @throws EventValidationError with every fault; its `status` is 0, because nothing was sent */
export function toEnvelope(
  type: string,
  { identity, entity, data, source, occurredAt, externalEventId }: EventOptions,
  defaults: { readonly source: string; readonly nowMs: number },
): Envelope {
  const occurred = occurredAt ?? new Date(defaults.nowMs)
  const envelope: Envelope = {
    type,
    occurred_at:
      occurred instanceof Date && !Number.isNaN(occurred.getTime()) ? occurred.toISOString() : String(occurred),
    source: source ?? defaults.source,
    ...(identity !== undefined && { customer: identity }),
    ...(entity !== undefined && { entity }),
    properties: data ?? {},
    ...(externalEventId !== undefined && { external_event_id: externalEventId }),
  }
  const errors = findFaults(envelope)
  if (errors.length > 0) throw new EventValidationError({ status: 0, operation: 'not a valid event', errors })
  return envelope
}

/** eSauti's own rules, as far as they are known: a dot in the type, a time, a source, objects where objects belong. */
function findFaults({ type, occurred_at: occurredAt, source, ...members }: Envelope): Fault[] {
  const faults: Fault[] = []
  if (typeof type !== 'string' || !/^[^.\s].*\.\S/.test(type)) {
    faults.push({
      pointer: '/type',
      detail: `must be an entity, a dot and what happened, as order.created; it is ${JSON.stringify(type)}`,
    })
  }
  if (Number.isNaN(Date.parse(occurredAt))) {
    faults.push({ pointer: '/occurred_at', detail: `must be a time in ISO 8601; it is ${occurredAt}` })
  }
  // It travels in a header, too.
  if (!/^[\x20-\x7e]+$/.test(source)) {
    faults.push({ pointer: '/source', detail: 'must be one or more printable ASCII characters' })
  }
  for (const name of ['customer', 'entity', 'properties'] as const) {
    const value = members[name]
    if (value === undefined || (typeof value === 'object' && value !== null && !Array.isArray(value))) continue
    faults.push({ pointer: `/${name}`, detail: 'must be an object' })
  }
  return faults
}
