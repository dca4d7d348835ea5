import { setTimeout as pause } from 'node:timers/promises'
import type { DoorRow } from '../../store/doors.ts'
import type { Wake } from '../../store/store.ts'
import type { Authenticator } from '../authenticate.ts'
import type { Context } from '../context.ts'
import { openActionDoor } from './action-door.ts'
import type { OpenDoorOf } from './door.ts'
import { openPushDoor } from './push-door.ts'
import { createInterest } from './interest.ts'
import { unclaim, type Node } from './claim-inbox.ts'
import { createPlace, noteSettings, type Place } from './place.ts'
import { createGate, createRoom } from './room.ts'
import { serve } from './serve.ts'

export type Delivering = {
  /** Begins nothing more; what is under way has `graceMs`, and is ended then. */
  readonly close: (graceMs: number) => Promise<void>
}

type Options = {
  readonly context: Context
  readonly authenticator: Authenticator
  readonly onError: (error: unknown) => void
}

/** Should news be lost, or another node: how often all inboxes with a door are listed. */
const listEveryMs = 5000
/** What has a filter that passes nearly everything by moves on no more often than this. */
const lookEveryMs = 30_000
/** News of an inbox that is not known: it may have a door since. */
const soonMs = 50
const looksAtATime = 16
const deliveriesAtATime = 256

type Places = Map<string, Place>

/**
 * Delivers from the inboxes that have a door: the role `deliver` of a node. An inbox costs nothing while it has nothing: it is
 * looked at when something comes for it, or when its time has come.
 */
export function startDelivering({ context, authenticator, onError }: Options): Delivering {
  const [closing, ending] = [new AbortController(), new AbortController()]
  const places: Places = new Map()
  const node: Node = {
    context,
    holder: context.newId(),
    openDoor: openDoors(context, authenticator),
    gate: createGate(looksAtATime),
    room: createRoom(deliveriesAtATime, (place) => kick(node, place)),
    kick: (place) => kick(node, place),
    interest: createInterest(places),
    closing: closing.signal,
    ending: ending.signal,
    onError: (error) => void (ending.signal.aborted || onError(error)),
  }
  const listing = createListing(node, places)
  const unsubscribe = context.store.onWake((wake) => spread(node, places, { wake, onUnknown: listing.soon }))
  return {
    close: async (graceMs) => {
      closing.abort()
      unsubscribe()
      await listing.ended
      const timer = setTimeout(() => ending.abort(), graceMs)
      for (const place of places.values()) clearTimeout(place.alarm)
      for (const { serving } of places.values()) await serving
      clearTimeout(timer)
      await Promise.all([...places.values()].map((place) => unclaim(node, place).catch(onError)))
    },
  }
}

function openDoors(context: Context, authenticator: Authenticator): OpenDoorOf {
  return async (place) => {
    const { action, push } = place.inbox.settings
    if (action) return openActionDoor({ context, authenticator }, place, action)
    if (push) return openPushDoor(context, place, push)
    return {
      status: 'disabled',
      reason: 'this hub does not know how to deliver from here; it may be older than the inbox',
    }
  }
}

/** Something may have come for an inbox. */
function kick(node: Node, place: Place): void {
  place.kicked = true
  place.sleeper.nudge()
  if (place.serving || node.closing.aborted) return
  clearTimeout(place.alarm)
  place.serving = serve(node, place)
    .catch((error: unknown) => {
      node.onError(error)
      return lookEveryMs
    })
    .then((retryMs) => {
      place.serving = undefined
      if (place.kicked) return kick(node, place)
      if (retryMs !== null) setAlarm(node, place, retryMs)
    })
}

function setAlarm(node: Node, place: Place, ms: number): void {
  clearTimeout(place.alarm)
  place.alarm = setTimeout(() => kick(node, place), Math.min(Math.max(1, ms), lookEveryMs))
  place.alarm.unref()
}

type News = { readonly wake: Wake; readonly onUnknown: () => void }

function spread(node: Node, places: Places, { wake, onUnknown }: News): void {
  const { workspaceId, inbox } = wake
  if (inbox !== undefined) {
    const place = places.get(`${workspaceId}/${inbox}`)
    if (!place) return onUnknown()
    // Its settings may have changed.
    place.opened = undefined
    return kick(node, place)
  }
  for (const place of node.interest.wanting(wake)) if (!place.kicked) kick(node, place)
}

type Listing = {
  /** Lists in a moment. */
  readonly soon: () => void
  readonly ended: Promise<void>
}

function createListing(node: Node, places: Places): Listing {
  let hurry = new AbortController()
  const { closing } = node
  const run = async (): Promise<void> => {
    while (!closing.aborted) {
      await list(node, places).catch(node.onError)
      await pause(soonMs, undefined, { signal: closing, ref: false }).catch(() => {})
      const early = AbortSignal.any([closing, hurry.signal])
      await pause(listEveryMs, undefined, { signal: early, ref: false }).catch(() => {})
      hurry = new AbortController()
    }
  }
  return { soon: () => hurry.abort(), ended: run() }
}

async function list(node: Node, places: Places): Promise<void> {
  const rows = await node.context.store.listDoors()
  const known = new Set(rows.map(toName))
  for (const [name, place] of places) {
    if (known.has(name) || place.serving) continue
    clearTimeout(place.alarm)
    places.delete(name)
    node.interest.forget()
  }
  for (const row of rows) {
    const place = places.get(toName(row)) ?? createPlace(row)
    places.set(toName(row), place)
    if (noteSettings(place, row)) node.interest.forget()
    if (isDue(row, place, node.context.store.nowMs())) kick(node, place)
  }
}

const toName = ({ workspaceId, key }: Pick<Place, 'workspaceId' | 'key'>): string => `${workspaceId}/${key}`

function isDue({ status, door, isBehind, availableMs }: DoorRow, place: Place, nowMs: number): boolean {
  if (place.serving) return false
  if (status === 'broken') return (door?.probeMs ?? 0) <= nowMs
  if (status !== 'active') return false
  if (availableMs !== null && availableMs <= nowMs) return true
  if (!isBehind) place.lookedAt = performance.now()
  return isBehind && (place.lookedAt === 0 || performance.now() - place.lookedAt > lookEveryMs)
}
