import { HubError, toValidationError } from '@sluice/protocol'
import type { ScheduledOutcome } from '../../store/scheduled.ts'
import type { Draft } from '../../store/store.ts'
import type { Context, Workspace } from '../context.ts'
import { mismatch, toPublished, type Published } from '../published.ts'
import { toIso } from '../to-wire.ts'

/** An event that may have to wait. */
export type Publishable = Draft & {
  /** ms since 1970 */
  readonly deliverAtMs?: number
}

const dayMs = 86_400_000
const longestMs = 366 * dayMs
/** Events of a workspace that wait at a time. */
const mostWaiting = 100_000

/** Whether it is for later. What is due already is published at once. */
export const isForLater = ({ deliverAtMs }: Publishable, nowMs: number): boolean =>
  deliverAtMs !== undefined && deliverAtMs > nowMs

/**
 * Keeps events until they are due. In the order of the drafts; one that was published or kept before under the same key is
 * answered as that.
 */
export async function scheduleEvents(
  { store, newId }: Pick<Context, 'store' | 'newId'>,
  workspace: Workspace,
  drafts: readonly Publishable[],
): Promise<(Published | HubError)[]> {
  const latestMs = store.nowMs() + longestMs
  const repetitions = await store.quarantine.findRepetitions(workspace.id, drafts)
  const known = drafts.map(({ deliverAtMs = 0 }, at): Published | HubError | undefined => {
    const repetition = repetitions[at]
    if (repetition) return toPublished(workspace, repetition)
    if (deliverAtMs <= latestMs) return undefined
    return toValidationError([{ pointer: '/deliver_at', detail: 'is more than 366 days ahead' }])
  })
  await refuseTooMany(store, workspace, drafts.length)
  const fresh = drafts.filter((_draft, at) => known[at] === undefined)
  const waiting = fresh.map(({ deliverAtMs: dueMs = 0, ...draft }) => ({ ...draft, id: newId(), dueMs }))
  const outcomes = waiting.length === 0 ? [] : await store.scheduled.add(workspace.id, waiting)
  let next = 0
  return known.map((result) => {
    if (result) return result
    const outcome = outcomes[next]
    next += 1
    return outcome ? toScheduled(outcome) : mismatch()
  })
}

/** With a quota of a day there wait no more than that: what is due is published whatever the quota says. */
async function refuseTooMany({ scheduled }: Context['store'], workspace: Workspace, count: number): Promise<void> {
  const most = Math.min(mostWaiting, workspace.quotas.events_per_day ?? mostWaiting)
  if ((await scheduled.count(workspace.id, most + 1)) + count <= most) return
  throw new HubError(
    'quota-exceeded',
    `${most} events of workspace "${workspace.key}" may wait for their time; wait until some are due, or cancel some`,
  )
}

function toScheduled(outcome: ScheduledOutcome): Published | HubError {
  if (outcome.status === 'mismatch') return mismatch()
  const { id, atMs, dueMs } = outcome
  return { status: 'scheduled', eventId: id, timestamp: toIso(atMs), deliverAt: toIso(dueMs) }
}
