import { HubError, type Quotas } from '@sluice/protocol'
import type { Store } from '../store/store.ts'
import type { Workspace } from './context.ts'
import { publishOwnEvent } from './own-events.ts'

/** How many events a workspace may still publish today (in UTC), of so many. */
export type DayCounts = {
  readonly take: (workspace: Workspace, count: number) => Promise<number>
}

const dayMs = 86_400_000
/** What other nodes have published is seen this late. */
const refreshMs = 1000
/** At this share of a quota the workspace is told. */
const nearShare = 0.8

type Day = { readonly day: number; readonly first: number; head: number; readAtMs: number; toldNear: boolean }

/**
 * Counts by the log's own positions: a quota costs no write, and its price is a look at the head of the log once a second. Several
 * nodes may together go beyond it by what they publish within that second.
 */
export function createDayCounts(store: Pick<Store, 'nowMs' | 'findPosition' | 'readHead' | 'appendEvents'>): DayCounts {
  const days = new Map<number, Day>()
  const read = async ({ id }: Workspace): Promise<Day> => {
    const nowMs = store.nowMs()
    const day = Math.floor(nowMs / dayMs)
    const known = days.get(id)
    if (known?.day === day && nowMs - known.readAtMs < refreshMs) return known
    const first = known?.day === day ? known.first : await store.findPosition(id, day * dayMs)
    const { head } = await store.readHead(id)
    const fresh = { day, first, head, readAtMs: nowMs, toldNear: known?.day === day && known.toldNear }
    days.set(id, fresh)
    return fresh
  }
  return {
    take: async (workspace, count) => {
      const { events_per_day: limit } = workspace.quotas
      if (limit === undefined) return count
      const today = await read(workspace)
      const used = today.head - today.first + 1
      const taken = Math.max(0, Math.min(count, limit - used))
      today.head += taken
      if (used + taken >= limit * nearShare && !today.toldNear) {
        today.toldNear = true
        await tellNear(store, workspace, { day: today.day, limit, used: used + taken })
      }
      return taken
    },
  }
}

type Near = { readonly day: number; readonly limit: number; readonly used: number }

/** Once a day, also where several nodes see it. */
async function tellNear(
  store: Pick<Store, 'appendEvents'>,
  { id, key }: Workspace,
  { day, limit, used }: Near,
): Promise<void> {
  const payload = { workspace: key, quota: 'events_per_day', limit, used }
  const once = `${day}\0${limit}`
  await publishOwnEvent(store, id, { eventType: 'sluice.quota.near', subject: key, payload, once })
}

/** What is said of events beyond the quota. */
export function toQuotaError({ quotas, key }: Workspace, nowMs: number): HubError {
  const { events_per_day: limit = 0 } = quotas
  const leftMs = dayMs - (nowMs % dayMs)
  return new HubError(
    'quota-exceeded',
    `workspace "${key}" may publish ${limit} events a day, and has; there is room again at midnight UTC`,
    { retryAfterSeconds: Math.ceil(leftMs / 1000) },
  )
}

/** @throws HubError `quota-exceeded` unless one more may be made */
export function requireRoom(quotas: Quotas, quota: 'inboxes', count: number): void {
  const limit = quotas[quota]
  if (limit === undefined || count < limit) return
  throw new HubError(
    'quota-exceeded',
    `this workspace may have ${limit} ${quota}, and has ${count}; remove some, or ask an administrator for a larger quota`,
  )
}
