import type { Fault, NewBatchEvent } from '@sluice/protocol'
import { checkEvents } from '../../batch.ts'
import { EventValidationError } from '../../error.ts'
import { findFaults } from '../../event.ts'

/** An event as it is stored. `text` is sent as it stands: under one idempotency key the hub takes one text only. */
export type NewRow = { readonly key: string; readonly subject: string | null; readonly text: string }

export type RowDefaults = { readonly source: string | undefined; readonly newId: () => string }

/**
 * Events as rows, each with an idempotency key. What the hub would refuse in any case is found here, where the stack shows
 * the culprit and the transaction can still be given up.
 *
 * @throws TypeError for what is no list; EventValidationError with every fault of every event (`/2/payload` is of the third); nothing is stored then
 */
export function toRows(events: readonly NewBatchEvent[], defaults: RowDefaults): NewRow[] {
  checkEvents(events)
  const complete = events.map((event) => complement(event, defaults))
  const errors = complete.flatMap((event, index) =>
    findFaultsOf(event).map(({ pointer, detail }) => ({ pointer: `/${index}${pointer}`, detail })),
  )
  if (errors.length > 0)
    throw new EventValidationError({ status: 0, operation: 'nothing was written to the outbox', errors })
  return complete.map((event) => ({
    key: event.idempotency_key,
    subject: event.subject ?? null,
    text: JSON.stringify(event),
  }))
}

type CompleteEvent = NewBatchEvent & { readonly idempotency_key: string }

function complement(event: NewBatchEvent, { source, newId }: RowDefaults): CompleteEvent {
  const complete = { ...event, idempotency_key: event.idempotency_key ?? newId() }
  if (source !== undefined) complete.source ??= source
  return complete
}

// oxlint-disable-next-line no-control-regex -- control characters are what is looked for
const keyPattern = /^[^\u0000-\u001f\u007f]{1,255}$/

function findFaultsOf({ idempotency_key: key, ...event }: CompleteEvent): Fault[] {
  const isKey = typeof key === 'string' && keyPattern.test(key) && key.isWellFormed()
  const detail = 'must be a text of 1 to 255 characters without control characters'
  return [...findFaults(event), ...(isKey ? [] : [{ pointer: '/idempotency_key', detail }])]
}
