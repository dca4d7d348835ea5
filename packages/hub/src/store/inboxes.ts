import type { InboxSettings, InboxStatus } from '@sluice/protocol'
import type { Door } from './doors.ts'

export type NewInbox = {
  readonly settings: InboxSettings
  /** resolved by the caller: the first position that the inbox will look at */
  readonly start: number
  readonly door?: Door | null
}

export type InboxChange = {
  readonly settings?: InboxSettings
  readonly status?: InboxStatus
  /** members that change; null takes the door away */
  readonly door?: Partial<Door> | null
  /** changes nothing unless the inbox has this status */
  readonly ifStatus?: InboxStatus
}

export type InboxRow = {
  readonly key: string
  readonly settings: InboxSettings
  readonly status: InboxStatus
  readonly revision: number
  readonly generation: number
  readonly createdMs: number
  /** everything before it was handed out, passed over by the filter, or parked */
  readonly next: number
  /** of one that the hub itself delivers from */
  readonly door: Door | null
}

export type InboxProgress = {
  readonly behind: number
  readonly waiting: number
  readonly leased: number
  readonly parked: number
  readonly dead: number
  readonly blocked: boolean
  readonly oldestMs: number | null
}
