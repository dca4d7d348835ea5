import type { InboxRow } from './store.ts'

/** What the hub needs, beside the settings, to deliver from an inbox by itself. Kept with the inbox as JSON. */
export type Door = {
  /** id of the key that has set it: with its authority the hub delivers */
  readonly keyId: string
  /** why the inbox is broken or disabled, or what it waits for */
  readonly reason: string | null
  /** of a broken one: when to try again, ms since 1970 */
  readonly probeMs: number | null
  /** tries since it broke */
  readonly probes: number
  /** of a push: its secrets and fields, as sealed JSON, and what they are sealed for */
  readonly sealed?: { readonly id: string; readonly text: string } | null
}

/** Before anything has happened at it. */
export const newDoor: Door = { keyId: '', reason: null, probeMs: null, probes: 0 }

export type DoorRow = InboxRow & {
  readonly workspaceId: number
  /** there are events that it has not looked at */
  readonly isBehind: boolean
  /** when something parked or leased is available again; null if nothing will be by time alone */
  readonly availableMs: number | null
}

export const parseDoor = (text: string | null): Door | null => (text === null ? null : (JSON.parse(text) as Door)) // written by `printDoor`

export const printDoor = (door: Door | null): string | null => (door === null ? null : JSON.stringify(door))

/** So many attempts that went well are listed for an inbox: enough to see what happens, and no row for each event. */
export const deliveredKept = 200
