import type { InboxPush } from '@sluice/protocol'
import type { Context } from '../context.ts'
import { readNotes } from '../hops.ts'
import { toEventText } from '../to-wire.ts'
import type { ClosedDoor, Delivery, DoorPlace, OpenDoor, Outcome } from './door.ts'
import { sendPush, type PushAnswer, type PushOf } from './push-request.ts'
import { openPush } from './push-secrets.ts'

const defaultConcurrency = 8
/** A receiver may ask for no longer pause. */
const longestPauseMs = 3_600_000

/** Sends each event to an address. */
export function openPushDoor(context: Context, place: DoorPlace, push: InboxPush): OpenDoor | ClosedDoor {
  const { workspace, inbox } = place
  try {
    const of: PushOf = { context, workspace, push, secrets: openPush(context, inbox.door) }
    return {
      concurrency: push.concurrency ?? defaultConcurrency,
      ...(push.rate !== undefined && { everyMs: 1000 / push.rate }),
      deliver: async (delivery, signal) =>
        toOutcome(await sendPush(of, toMessage(of, delivery), signal), context.store.nowMs()),
    }
  } catch (error) {
    return { status: 'broken', reason: error instanceof Error ? error.message : String(error) }
  }
}

const toMessage = ({ workspace }: PushOf, { event, eventId }: Delivery) => ({
  text: toEventText(workspace, event),
  id: eventId,
  attempt: event.attempt,
  traceparent: readNotes(event).traceparent,
})

function toOutcome({ status, result, detail, retryAfter }: PushAnswer, nowMs: number): Outcome {
  if (status !== null && status >= 200 && status < 300) return { kind: 'done', result }
  const reason = `${result}: ${detail}`
  if (status === 410) return { kind: 'gone', reason: 'the receiver answered 410: it wants nothing more' }
  const isBusy = status === 429 || status === 503
  const pauseMs = isBusy ? toPauseMs(retryAfter, nowMs) : undefined
  return { kind: 'failed', result, reason, ...(pauseMs !== undefined && { pauseMs }) }
}

/** Of a `Retry-After`, in either form. */
function toPauseMs(value: string | undefined, nowMs: number): number | undefined {
  const text = value?.trim() ?? ''
  const ms = /^\d{1,9}$/.test(text) ? Number(text) * 1000 : Date.parse(text) - nowMs
  return Number.isNaN(ms) || ms <= 0 ? undefined : Math.min(longestPauseMs, ms)
}
