import { tryLast, type TriedFilter, type TryFilter } from '@sluice/protocol'
import type { MatchedEvent } from '../store/match-events.ts'
import type { Context, Workspace } from './context.ts'
import { toId } from './event-address.ts'
import { lookBack, openStep, type Range } from './look-back.ts'
import { toIso } from './to-wire.ts'

const samples = 20

/**
 * What a filter wants of the past, and in what it differs from another one: one step. Nothing is handed out.
 *
 * @throws HubError `invalid-cursor`
 */
export async function tryFilter(context: Context, workspace: Workspace, order: TryFilter): Promise<TriedFilter> {
  const { filter, compare_with: other, cursor } = order
  const scope = `${workspace.id}/try-filter`
  const step = await openStep(context, { scope, cursor, begin: () => findRange(context, workspace, order) })
  const { matched, ...looked } = await lookBack(context, workspace, step, other ? [filter, other] : [filter])
  const count = (wish: Wish): number => matched.filter((event) => wishOf(event) === wish).length
  const [both, onlyFilter, onlyOther] = [count('both'), count('filter'), count('compare_with')]
  const shown = other ? matched.filter((event) => wishOf(event) !== 'both') : matched
  return {
    matched: both + onlyFilter,
    matched_other: other ? both + onlyOther : null,
    only_filter: onlyFilter,
    only_other: onlyOther,
    events: shown.slice(0, samples).map((event) => toSample(workspace, event)),
    ...looked,
  }
}

type Wish = TriedFilter['events'][number]['wanted_by']

function wishOf({ wantedBy: [isWanted = false, isOther = false] }: MatchedEvent): Wish {
  if (isWanted && isOther) return 'both'
  return isWanted ? 'filter' : 'compare_with'
}

async function findRange(
  { store }: Context,
  workspace: Workspace,
  { last = tryLast.default }: TryFilter,
): Promise<Range> {
  const { head, trimmedTo } = await store.readHead(workspace.id)
  return { after: Math.max(trimmedTo, head - last), last: head }
}

function toSample(workspace: Workspace, event: MatchedEvent): TriedFilter['events'][number] {
  const { acceptedMs, eventType, source, subject } = event
  return {
    event_id: toId(workspace, event),
    timestamp: toIso(acceptedMs),
    event_type: eventType,
    source,
    subject,
    wanted_by: wishOf(event),
  }
}
