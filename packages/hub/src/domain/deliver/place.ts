import type { Filter } from '@sluice/protocol'
import type { InboxRow } from '../../store/store.ts'
import { createSleeper } from '../notifier.ts'
import { createBreaker, type Breaker } from './breaker.ts'
import type { DoorPlace, OpenDoor } from './door.ts'

export type Opened = DoorPlace & { readonly door: OpenDoor; readonly until: number }

/** What this node has in mind of an inbox that it may deliver from. Times are of `performance.now()`. */
export type Place = {
  readonly workspaceId: number
  readonly key: string
  /** as it was last seen: which news are worth a look */
  filter: Filter
  /** of the settings that had it */
  revision: number
  readonly sleeper: ReturnType<typeof createSleeper>
  readonly breaker: Breaker
  /** the next delivery begins no sooner, where a pace is set */
  nextAt: number
  /** this node alone delivers from it until then */
  claimedUntil: number
  /** another node delivers from it, and is asked again then */
  lostUntil: number
  /** nothing is delivered before, as the other side has asked for */
  holdUntil: number
  /** its door as it was looked at last, for as long as that is good */
  opened: Opened | undefined
  /** its door says that it waits */
  saysWhy: boolean
  /** when it was last found to have nothing */
  lookedAt: number
  /** there may be something new since the last look began */
  kicked: boolean
  serving: Promise<void> | undefined
  alarm: NodeJS.Timeout | undefined
}

/** Notes the filter of the inbox as it is now. Answers whether it may be another one. */
export function noteSettings(place: Place, { settings, revision }: Pick<InboxRow, 'settings' | 'revision'>): boolean {
  if (place.revision === revision) return false
  place.filter = settings.filter
  place.revision = revision
  return true
}

export function createPlace({ workspaceId, key }: Pick<Place, 'workspaceId' | 'key'>): Place {
  return {
    workspaceId,
    key,
    filter: {},
    revision: 0,
    sleeper: createSleeper(),
    breaker: createBreaker(),
    nextAt: 0,
    claimedUntil: 0,
    lostUntil: 0,
    holdUntil: 0,
    opened: undefined,
    saysWhy: false,
    lookedAt: 0,
    kicked: false,
    serving: undefined,
    alarm: undefined,
  }
}
