import { HubError, type ErrorCode, type InboxAction } from '@sluice/protocol'
import type { RunOutcome } from '../../runner/runner.ts'
import type { Authenticator, Principal } from '../authenticate.ts'
import type { Context } from '../context.ts'
import { maxHops, readNotes } from '../hops.ts'
import { performAction } from '../run-action.ts'
import { toEventText } from '../to-wire.ts'
import { hasExpressions, requireAuthority } from './check-action.ts'
import type { ClosedDoor, Delivery, DoorPlace, OpenDoor, Outcome } from './door.ts'
import { publishResult } from './publish-result.ts'

const defaultConcurrency = 4
const defaultTimeoutSeconds = 60
/** While more runs wait than may. */
const busyMs = 2000
/** Where the code of the integration cannot be run: most likely somebody has to mend it. */
const unsentMs = 30_000
/** Between a rate limit of no time at all and one of days. */
const [shortestWaitMs, longestWaitMs] = [1000, 3_600_000]

type Parts = { readonly context: Context; readonly authenticator: Authenticator }

/** An action that is run for each event, with what the key may do that has set it. */
export async function openActionDoor(
  { context, authenticator }: Parts,
  place: DoorPlace,
  action: InboxAction,
): Promise<OpenDoor | ClosedDoor> {
  try {
    const principal = await authenticator.authenticateById(place.inbox.door?.keyId ?? '')
    await requireAuthority(context, principal, action)
    const running: Running = { context, principal, place, action }
    return {
      concurrency: action.concurrency ?? defaultConcurrency,
      deliver: (delivery, signal) => deliver(running, delivery, signal),
    }
  } catch (error) {
    return toClosed(error)
  }
}

const refusals: ReadonlySet<ErrorCode> = new Set([
  'unauthorized',
  'key-revoked',
  'key-inactive',
  'key-expired',
  'forbidden',
  'event-type-not-allowed',
])
/** Faults of this moment, of which the inbox need not hear. */
const passing: ReadonlySet<ErrorCode> = new Set(['overloaded', 'storage-unavailable', 'shutting-down', 'internal'])

function toClosed(error: unknown): ClosedDoor {
  if (error instanceof HubError && passing.has(error.code)) throw error
  const reason = error instanceof Error ? error.message : String(error)
  return { status: error instanceof HubError && refusals.has(error.code) ? 'disabled' : 'broken', reason }
}

type Running = {
  readonly context: Context
  readonly principal: Principal
  readonly place: DoorPlace
  readonly action: InboxAction
}

async function deliver(running: Running, delivery: Delivery, signal: AbortSignal): Promise<Outcome> {
  const { context, action } = running
  if (action.result_event_type !== undefined && (readNotes(delivery.event).hops ?? 0) >= maxHops) {
    const reason = `the event is the result of ${maxHops} actions, one after the other; an action on it would be one too many`
    return { kind: 'dead', result: 'too-many-hops', reason }
  }
  try {
    const inputs = await mapInputs(running, delivery)
    if ('kind' in inputs) return inputs
    signal.throwIfAborted()
    const outcome = await run(running, delivery, { inputs: inputs.value, signal })
    const isDone = 'type' in outcome.result && outcome.result.type === 'action'
    if (outcome.unsent && signal.aborted) return { kind: 'untouched' }
    if (!isDone) return toOutcome(outcome)
    return (
      (await publishResult(context, running, { delivery, data: dataOf(outcome) })) ?? { kind: 'done', result: 'action' }
    )
  } catch (error) {
    return toUndone(error, signal)
  }
}

const dataOf = ({ result }: RunOutcome): unknown =>
  'type' in result && result.type === 'action' ? result.result.data : null

type Inputs = { readonly value: Record<string, unknown> }

async function mapInputs({ context, place, action }: Running, { event }: Delivery): Promise<Inputs | Outcome> {
  const { inputs = {} } = action
  if (!hasExpressions(inputs) && typeof inputs !== 'string') return { value: inputs }
  const { workspace } = place
  const made = await context.transform.apply(String(workspace.id), inputs, toEventText(workspace, event, event.attempt))
  if ('fault' in made) {
    const reason = `the inputs could not be made of the event: ${made.fault.pointer} ${made.fault.detail}`.slice(
      0,
      2000,
    )
    // An expression that fails does so each time; one that was too slow may have met a busy machine.
    return { kind: made.limit ? 'failed' : 'dead', result: 'mapping-error', reason }
  }
  const { value } = made
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return { value: { ...value } }
  return { kind: 'dead', result: 'mapping-error', reason: 'the inputs that were made of the event are no object' }
}

type Run = { readonly inputs: Record<string, unknown>; readonly signal: AbortSignal }

function run(
  { context, principal, place, action }: Running,
  delivery: Delivery,
  { inputs, signal }: Run,
): Promise<RunOutcome> {
  const { workspace, inbox } = place
  const { eventId, afterUnknown, event } = delivery
  const metadata = {
    // Of the inbox too: two of them may do two things with one event at one service.
    idempotency_key: `${eventId}.${inbox.key}`,
    event_id: eventId,
    workspace: workspace.key,
    inbox: inbox.key,
    attempt: event.attempt,
    previous_outcome: afterUnknown ? 'unknown' : null,
  }
  const deadlineMs = (action.timeout_seconds ?? defaultTimeoutSeconds) * 1000
  const target = {
    integration: action.integration,
    name: action.action,
    metadata,
    deadlineMs,
    signal,
    door: 'inbox' as const,
  }
  const { connection } = action
  return performAction(context, principal, target, { inputs, ...(connection !== undefined && { connection }) })
}

/** Of a run that has not done what it should. */
function toOutcome({ result, unsent }: RunOutcome): Outcome {
  if (!('type' in result)) {
    if (unsent) return { kind: 'wait', reason: `nothing was run: ${result.message}`, delayMs: unsentMs }
    const reason = `outcome unknown: ${result.message}`.slice(0, 2000)
    return { kind: 'unknown', result: 'unknown', reason }
  }
  const { type } = result
  const { message, retry_after: retryAfter } = result.result as { message?: string; retry_after?: unknown } // errors of a run have them
  const reason = `${type}: ${message ?? 'the handler answered something else'}`.slice(0, 2000)
  if (typeof retryAfter === 'number')
    return { kind: 'wait', reason, delayMs: Math.min(longestWaitMs, Math.max(shortestWaitMs, retryAfter * 1000)) }
  if (type === 'action_error') return { kind: 'failed', result: type, reason }
  // The same inputs are as wrong the next time, and a result that its schema does not know was a result all the same.
  if (type === 'validation_error') return { kind: 'dead', result: type, reason }
  // A handler that failed where it did not expect to may have been half through.
  return { kind: 'unknown', result: type, reason }
}

/** Nothing was run. */
function toUndone(error: unknown, signal: AbortSignal): Outcome {
  if (signal.aborted) return { kind: 'untouched' }
  if (!(error instanceof HubError)) throw error
  const delayMs = (error.retryAfterSeconds ?? busyMs / 1000) * 1000
  return { kind: 'wait', reason: error.message, delayMs }
}
