import { matchesFilter, tryLast, type Filter, type TriedFilter, type TryFilter } from '@sluice/protocol'
import { toFilterSubject } from '../store/inbox-rules/scan.ts'
import type { StoredEvent } from '../store/store.ts'
import type { Context, Workspace } from './context.ts'
import { openCursorOf } from './cursors.ts'
import { toId } from './event-address.ts'
import { lookBack, type Range } from './look-back.ts'
import { toIso } from './to-wire.ts'

const samples = 20

/**
 * What a filter wants of the past, and in what it differs from another one: one step. Nothing is handed out.
 *
 * @throws HubError `invalid-cursor`
 */
export async function tryFilter(context: Context, workspace: Workspace, order: TryFilter): Promise<TriedFilter> {
  const { filter, compare_with: other } = order
  const range = await findRange(context, workspace, order)
  const counts = { matched: 0, only_filter: 0, only_other: 0 }
  const events: TriedFilter['events'] = []
  let lookedTo = range.after
  for await (const part of lookBack(context, workspace, range)) {
    for (const event of part.events) {
      const wantedBy = findWish(event, filter, other)
      if (wantedBy === undefined) continue
      if (wantedBy !== 'compare_with') counts.matched += 1
      if (wantedBy === 'filter') counts.only_filter += 1
      if (wantedBy === 'compare_with') counts.only_other += 1
      if (events.length < samples && (other === undefined || wantedBy !== 'both'))
        events.push({ ...toSample(workspace, event), wanted_by: wantedBy })
    }
    lookedTo = part.lookedTo
  }
  const done = lookedTo >= range.last
  return {
    ...counts,
    matched_other: other === undefined ? null : counts.matched - counts.only_filter + counts.only_other,
    events,
    looked_at: lookedTo - range.after,
    done,
    next_cursor: done ? null : context.cursors.seal(scopeOf(workspace), `${lookedTo} ${range.last}`),
  }
}

type Wish = TriedFilter['events'][number]['wanted_by']

/** Of events that were erased nothing is left that a filter could look at. */
function findWish(event: StoredEvent, filter: Filter, other: Filter | undefined): Wish | undefined {
  if (event.body === null) return undefined
  const subject = toFilterSubject(event)
  const [isWanted, isOther] = [matchesFilter(filter, subject), other !== undefined && matchesFilter(other, subject)]
  if (isWanted && isOther) return 'both'
  if (isWanted) return 'filter'
  return isOther ? 'compare_with' : undefined
}

const scopeOf = ({ id }: Workspace): string => `${id}/try-filter`

async function findRange(
  { store, cursors }: Context,
  workspace: Workspace,
  { last = tryLast.default, cursor }: TryFilter,
): Promise<Range> {
  if (cursor !== undefined) {
    const [after = 0, end = 0] = openCursorOf(cursors, scopeOf(workspace), cursor).split(' ').map(Number)
    return { after, last: end }
  }
  const { head, trimmedTo } = await store.readHead(workspace.id)
  return { after: Math.max(trimmedTo, head - last), last: head }
}

function toSample(workspace: Workspace, event: StoredEvent): Omit<TriedFilter['events'][number], 'wanted_by'> {
  const { acceptedMs, eventType, source, subject } = event
  return { event_id: toId(workspace, event), timestamp: toIso(acceptedMs), event_type: eventType, source, subject }
}
