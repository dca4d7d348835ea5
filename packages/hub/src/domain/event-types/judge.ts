import { setImmediate as nextTurn } from 'node:timers/promises'
import { HubError, type Fault, type Warning } from '@sluice/protocol'
import type { Draft, WorkspaceRow } from '../../store/store.ts'
import type { Context } from '../context.ts'
import { isObject } from '../json-text.ts'
import { charge, openCheckTime, type CheckTime } from './check-time.ts'
import type { KnownType } from './known-types.ts'

/** What becomes of an event by its type; undefined: nothing is wrong with it. */
export type Judgement =
  | { readonly verdict: 'warn'; readonly warning: Warning }
  | { readonly verdict: 'quarantine'; readonly warning: Warning; readonly version: number }
  | { readonly verdict: 'refuse'; readonly error: HubError }
  | undefined

/** Whether a workspace has, or had, anything to say about types: most have not, and publishing to them asks no further. */
export const isWatched = ({ eventTypesRevision }: WorkspaceRow): boolean => eventTypesRevision > 0

type ToJudge = {
  readonly drafts: readonly Draft[]
  /** what is left of the request's; its own if left out */
  readonly time?: CheckTime
}

/** Other requests have their turn after so much CPU time. */
const turnMs = 25

/**
 * Looks at events by the definitions of their types. In the order of the drafts. Once the time of the request is used up, the rest count as
 * not matching.
 */
export async function judgeEvents(
  { knownTypes }: Pick<Context, 'knownTypes'>,
  workspace: WorkspaceRow,
  { drafts, time = openCheckTime() }: ToJudge,
): Promise<Judgement[]> {
  const known = await knownTypes.find(workspace, new Set(drafts.map(({ eventType }) => eventType)))
  const judgements: Judgement[] = []
  for (const draft of drafts) {
    const type = known.get(draft.eventType)
    judgements.push(type ? judgeKnown(type, draft, time) : judgeUnknown(workspace, draft))
    if (time.heldMs < turnMs) continue
    await nextTurn()
    time.heldMs = 0
  }
  return judgements
}

function judgeKnown({ mode, version, validate }: KnownType, draft: Draft, time: CheckTime): Judgement {
  if (mode === 'off' || !validate) return undefined
  const errors = validateInTurn(validate, draft, time)
  if (errors.length === 0) return undefined
  const { eventType } = draft
  const message = `the payload does not match version ${version} of the schema of "${eventType}": ${print(errors)}`
  const warning: Warning = { code: 'schema-mismatch', message, errors }
  if (mode === 'warn') return { verdict: 'warn', warning }
  if (mode === 'quarantine') return { verdict: 'quarantine', warning, version }
  const details = { event_type: eventType, version }
  return { verdict: 'refuse', error: new HubError('schema-mismatch', message, { errors, details }) }
}

function judgeUnknown({ unknownEventTypes }: WorkspaceRow, { eventType }: Draft): Judgement {
  if (unknownEventTypes === 'allow') return undefined
  const message = `the event type "${eventType}" is not known in this workspace`
  const errors = [{ pointer: '/event_type', detail: 'is not known in this workspace' }]
  if (unknownEventTypes === 'warn') return { verdict: 'warn', warning: { code: 'unknown-event-type', message, errors } }
  const details = { event_type: eventType }
  return { verdict: 'refuse', error: new HubError('unknown-event-type', message, { errors, details }) }
}

function validateInTurn(validate: NonNullable<KnownType['validate']>, draft: Draft, time: CheckTime): Fault[] {
  if (time.leftMs <= 0) {
    time.unchecked += 1
    return [
      { pointer: '/payload', detail: 'could not be checked in time: those before it in the request took too long' },
    ]
  }
  return charge(time, draft.body.length, () => validateEvent(validate, draft))
}

/** From the text that is stored: every way in has one, whatever it was sent as. */
function validateEvent(validate: NonNullable<KnownType['validate']>, { body }: Draft): Fault[] {
  const event: unknown = JSON.parse(body)
  if (!isObject(event) || !Object.hasOwn(event, 'payload'))
    return [{ pointer: '/payload', detail: 'is missing, or bytes, which no JSON Schema describes' }]
  return validate(event['payload'], body.length)
}

const printed = 5

function print(errors: readonly Fault[]): string {
  const words = errors.slice(0, printed).map(({ pointer, detail }) => `${pointer} ${detail}`)
  const more = errors.length - printed
  return more > 0 ? `${words.join('; ')}; and ${more} more` : words.join('; ')
}
