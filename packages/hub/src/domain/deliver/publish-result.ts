import { setTimeout as pause } from 'node:timers/promises'
import { HubError, limits, type InboxAction } from '@sluice/protocol'
import type { Draft } from '../../store/store.ts'
import type { Context } from '../context.ts'
import { digest } from '../dedup.ts'
import { toNextNotes } from '../hops.ts'
import { toPayload } from '../poll-trigger.ts'
import type { Published } from '../published.ts'
import { storeEvents } from '../store-events.ts'
import type { Delivery, DoorPlace, Outcome } from './door.ts'

type Made = { readonly delivery: Delivery; readonly data: unknown }
type Of = { readonly place: DoorPlace; readonly action: InboxAction }

/**
 * Makes an event of what an action has answered, where the inbox asks for it; the same event for each attempt. Answers what went
 * wrong, or nothing.
 */
export async function publishResult(context: Context, of: Of, made: Made): Promise<Outcome | undefined> {
  const { result_event_type: eventType } = of.action
  if (eventType === undefined) return undefined
  const draft = toDraft(of, eventType, made)
  const size = Buffer.byteLength(draft.body)
  const stored = size > limits.payloadBytes ? new Error(`it has ${size} bytes`) : await store(context, of.place, draft)
  if (stored === undefined)
    return { kind: 'unknown', result: 'action', reason: 'the action was done, but its result could not be stored' }
  if (!(stored instanceof Error)) return undefined
  // Doing the action once more would not change its result.
  const reason = `the action was done, but its result is no event: ${stored.message}`.slice(0, 2000)
  return { kind: 'dead', result: 'action', reason }
}

/** The action is done and must not be done again for a store that is away for a moment. */
const pausesMs = [200, 1000, 3000]

async function store(
  context: Context,
  { workspace }: DoorPlace,
  draft: Draft,
): Promise<Published | HubError | undefined> {
  for (let attempt = 0; ; attempt += 1) {
    try {
      const [published] = await storeEvents(context, workspace, [draft])
      return published ?? new HubError('internal', 'an event was left out')
    } catch {
      const waitMs = pausesMs[attempt]
      if (waitMs === undefined) return undefined
      await pause(waitMs)
    }
  }
}

function toDraft({ place, action }: Of, eventType: string, { delivery, data }: Made): Draft {
  const { event, eventId } = delivery
  const { inbox } = place
  const before = JSON.parse(event.body ?? '{}') as { readonly subject?: string; readonly correlation_id?: string } // as it was stored
  const source = action.integration
  const key = digest(`action\0${inbox.key}\0${inbox.createdMs}\0${eventId}`)
  return {
    eventType,
    source,
    subject: event.subject,
    body: JSON.stringify({
      event_type: eventType,
      payload: toPayload(data),
      source,
      ...(event.subject !== null && { subject: event.subject }),
      correlation_id: before.correlation_id ?? eventId,
      metadata: { inbox: inbox.key, action: action.action, event_id: eventId },
    }),
    notes: toNextNotes(event),
    dedup: [{ key, fingerprint: key }],
  }
}
