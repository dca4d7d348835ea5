import { HubError } from '@sluice/protocol'
import type { QuarantineOutcome } from '../store/quarantine.ts'
import type { Context, Workspace } from './context.ts'
import { isWatched, judgeEvents, type Judgement } from './event-types/judge.ts'
import { mismatch, toPublished, type Published } from './published.ts'
import { toQuotaError } from './quotas.ts'
import { isForLater, scheduleEvents, type Publishable } from './schedules/publish-later.ts'
import { toIso } from './to-wire.ts'

/**
 * Stores events that are well-formed, as the definitions of their types say: in the log or until they are due, apart in quarantine, or not at
 * all. Every way in ends here. In the order of the drafts; what was not stored has an error in its place.
 */
export async function storeEvents(
  context: Context,
  workspace: Workspace,
  drafts: readonly Publishable[],
): Promise<(Published | HubError)[]> {
  if (drafts.length === 0) return []
  if (workspace.quotas.events_per_day === undefined) return storeAll(context, workspace, drafts)
  const room = await context.dayCounts.take(workspace, drafts.length)
  const stored = room === 0 ? [] : await storeAll(context, workspace, drafts.slice(0, room))
  return drafts.map((_draft, at) => stored[at] ?? toQuotaError(workspace, context.store.nowMs()))
}

async function storeAll(
  context: Context,
  workspace: Workspace,
  drafts: readonly Publishable[],
): Promise<(Published | HubError)[]> {
  if (!isWatched(workspace)) return append(context, workspace, drafts)
  const judgements = await judgeEvents(context, workspace, { drafts })
  const isPlain = judgements.every((judgement) => judgement === undefined)
  if (isPlain && drafts.every(({ dedup }) => dedup.length === 0)) return append(context, workspace, drafts)
  return storeJudged(context, workspace, pair(drafts, judgements))
}

type Judged = { readonly index: number; readonly draft: Publishable; readonly judgement: Judgement }

const pair = (drafts: readonly Publishable[], judgements: readonly Judgement[]): Judged[] =>
  drafts.map((draft, index) => ({ index, draft, judgement: judgements[index] }))

/** Into the log, now or when they are due. In the order of the drafts. */
async function append(
  context: Context,
  workspace: Workspace,
  drafts: readonly Publishable[],
): Promise<(Published | HubError)[]> {
  const nowMs = context.store.nowMs()
  const later = drafts.filter((draft) => isForLater(draft, nowMs))
  if (later.length === 0) return appendNow(context, workspace, drafts)
  const others = drafts.filter((draft) => !isForLater(draft, nowMs))
  const scheduled = await scheduleEvents(context, workspace, later)
  const appended = await appendNow(context, workspace, others)
  const results = new Map([...zip(later, scheduled), ...zip(others, appended)])
  return drafts.map((draft) => results.get(draft) ?? mismatch())
}

function zip<Left, Right>(left: readonly Left[], right: readonly Right[]): (readonly [Left, Right])[] {
  return right.flatMap((one, at) => {
    const other = left[at]
    return other === undefined ? [] : [[other, one] as const]
  })
}

async function appendNow(
  { store, counts, activity }: Context,
  workspace: Workspace,
  drafts: readonly Publishable[],
): Promise<(Published | HubError)[]> {
  const outcomes = drafts.length === 0 ? [] : await store.appendEvents(workspace.id, drafts)
  activity.note(workspace.id, 'published', outcomes.filter(({ status }) => status === 'stored').length)
  return drafts.map((_draft, index) => {
    const outcome = outcomes[index]
    if (!outcome) throw new Error('the store gave no outcome for an event')
    if (outcome.status === 'stored') counts.published += 1
    if (outcome.status === 'duplicate') counts.duplicates += 1
    return toPublished(workspace, outcome)
  })
}

/**
 * What waits in quarantine, or was stored before, under the same key is answered as that, whatever its schema says today: it is
 * kept once.
 */
async function storeJudged(
  context: Context,
  workspace: Workspace,
  judged: readonly Judged[],
): Promise<(Published | HubError)[]> {
  const known = await findKept(context, workspace, judged)
  const isTaken = ({ judgement }: Judged): boolean => judgement === undefined || judgement.verdict === 'warn'
  const rest = judged.filter(({ index }) => !known.has(index))
  const [taken, kept] = [rest.filter(isTaken), rest.filter((one) => !isTaken(one))]
  const results = new Map(known)
  // One after the other: two of one request may have the same key.
  const appended = await append(context, workspace, draftsOf(taken))
  for (const [at, result] of appended.entries()) results.set(taken[at]?.index ?? -1, warn(result, taken[at]))
  const others = await keepBack(context, workspace, kept)
  for (const [at, result] of others.entries()) results.set(kept[at]?.index ?? -1, result)
  return judged.map(({ index, judgement }) => {
    const result = results.get(index)
    if (!result) throw new Error('an event was left out')
    count(context, judgement, result)
    return result
  })
}

/** By index, those that wait in quarantine already. */
async function findKept(
  { store }: Context,
  workspace: Workspace,
  judged: readonly Judged[],
): Promise<Map<number, Published | HubError>> {
  const keyed = judged.filter(({ draft }) => draft.dedup.length > 0)
  const kept = keyed.length === 0 ? [] : await store.quarantine.findKept(workspace.id, draftsOf(keyed))
  return new Map(
    keyed.flatMap(({ index, judgement }, at) => {
      const outcome = kept[at]
      return outcome ? [[index, toQuarantined(outcome, judgement)] as const] : []
    }),
  )
}

const draftsOf = (judged: readonly Judged[]): Publishable[] => judged.map(({ draft }) => draft)

function warn(result: Published | HubError, judged: Judged | undefined): Published | HubError {
  const { judgement } = judged ?? {}
  if (result instanceof HubError || judgement?.verdict !== 'warn') return result
  return { ...result, warnings: [judgement.warning] }
}

/** Those that are refused, and those that wait apart. */
async function keepBack(
  context: Context,
  workspace: Workspace,
  judged: readonly Judged[],
): Promise<(Published | HubError)[]> {
  if (judged.length === 0) return []
  const repetitions = await context.store.quarantine.findRepetitions(workspace.id, draftsOf(judged))
  const results = judged.map(({ judgement }, at): Published | HubError | undefined => {
    const repetition = repetitions[at]
    if (repetition) return toPublished(workspace, repetition)
    return judgement?.verdict === 'refuse' ? judgement.error : undefined
  })
  const waiting = judged.filter((_one, at) => results[at] === undefined)
  const added = waiting.length === 0 ? [] : await quarantine(context, workspace, waiting)
  let next = 0
  return results.map((result) => {
    if (result) return result
    const published = added[next]
    next += 1
    return published ?? mismatch()
  })
}

async function quarantine(
  { store, newId }: Context,
  workspace: Workspace,
  judged: readonly Judged[],
): Promise<(Published | HubError)[]> {
  const drafts = judged.flatMap(({ draft, judgement }) => {
    if (judgement?.verdict !== 'quarantine') return []
    const { version, warning } = judgement
    return [{ ...draft, id: newId(), version, faults: JSON.stringify(warning.errors) }]
  })
  const outcomes = await store.quarantine.add(workspace.id, drafts)
  return outcomes.map((outcome, at) => toQuarantined(outcome, judged[at]?.judgement))
}

function toQuarantined(outcome: QuarantineOutcome, judgement: Judgement): Published | HubError {
  if (outcome.status === 'mismatch') return mismatch()
  const warnings = judgement?.verdict === 'quarantine' ? [judgement.warning] : []
  return { status: 'quarantined', eventId: outcome.id, timestamp: toIso(outcome.atMs), warnings }
}

/** What `append` has not counted. */
function count({ counts }: Context, judgement: Judgement, result: Published | HubError): void {
  if (judgement && result === refusalOf(judgement)) counts.refused += 1
  if (result instanceof HubError) return
  if (result.status === 'quarantined') counts.quarantined += 1
  else if (judgement?.verdict === 'warn') counts.warned += result.status === 'accepted' ? 1 : 0
  else if (judgement) counts.duplicates += 1
}

const refusalOf = (judgement: NonNullable<Judgement>): HubError | undefined =>
  judgement.verdict === 'refuse' ? judgement.error : undefined
