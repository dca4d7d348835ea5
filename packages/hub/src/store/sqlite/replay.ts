import { HubError } from '@sluice/protocol/error'
import { matchesFilter } from '@sluice/protocol/match'
import type { DeadLetterChoice } from '../store.ts'
import { rows, type Database } from './database.ts'
import { discardDeadLetter, findDeadLetter } from './dead-letters.ts'
import { inboxOf, wake, type Engine, type InboxState } from './writer-state.ts'
import { noteHistory } from './inbox-history.ts'
import { readEvent, toFilterSubject } from './log.ts'
import { filterOf, findParked, park } from './parked.ts'
import { leaseOf } from './settle.ts'

type Replay = {
  readonly position: number
  /** the filter of now wants it */
  readonly matches: boolean
}

export function replayEvent(
  engine: Engine,
  workspaceId: number,
  key: string,
  { position, matches }: Replay,
): 'replayed' | 'already-waiting' | 'leased' {
  const inbox = inboxOf(engine, workspaceId, key)
  if (isWaiting(engine, inbox, { position, matches })) return 'already-waiting'
  if (leaseOf(engine, inbox, position)) return 'leased'
  parkAgain(engine, inbox, position)
  discardDeadLetter(engine, inbox, position)
  noteHistory(engine, inbox, { kind: 'replay', from: position, to: position })
  wake(engine, inbox)
  return 'replayed'
}

function isWaiting(engine: Engine, inbox: InboxState, { position, matches }: Replay): boolean {
  const parked = findParked(engine.db, inbox.id, position)
  if (!parked) return position >= inbox.next && matches
  if (parked.positions !== null) return true
  const event = readEvent(engine.db, inbox.workspaceId, position)
  return event !== undefined && matchesFilter(filterOf(engine.db, inbox, parked), toFilterSubject(event))
}

function isKept(engine: Engine, inbox: InboxState, position: number): boolean {
  const event = readEvent(engine.db, inbox.workspaceId, position)
  return event !== undefined && event.body !== null
}

/** Parked as if it had never been handed out. */
function parkAgain(engine: Engine, inbox: InboxState, position: number): void {
  park(engine, inbox, { runs: [[position, position]], availableMs: 0, attempt: 0, alone: false, leaseId: null })
}

/** A seek has brought the event back: it waits, or is out, already. */
function isUnderWay(engine: Engine, inbox: InboxState, position: number): boolean {
  const parked = findParked(engine.db, inbox.id, position)
  return position >= inbox.next || parked !== undefined || leaseOf(engine, inbox, position) !== undefined
}

/** Dead letters that one request settles at most. */
const settleMax = 10_000

type Settling = { readonly choice: DeadLetterChoice; readonly action: 'replay' | 'discard' | 'count' }

export function settleDeadLetters(
  engine: Engine,
  workspaceId: number,
  key: string,
  { choice, action }: Settling,
): number {
  const inbox = inboxOf(engine, workspaceId, key)
  const positions = chooseDeadLetters(engine.db, inbox.id, choice)
  if (action === 'count') return positions.length
  if (positions.length > settleMax)
    throw new HubError('conflict', `${positions.length} dead letters match; narrow the filter to ${settleMax} or fewer`)
  // What has expired cannot be handed out: its dead letter holds the last copy and stays.
  const settled = action === 'discard' ? positions : positions.filter((position) => isKept(engine, inbox, position))
  for (const position of settled) {
    if (action === 'replay' && !isUnderWay(engine, inbox, position)) parkAgain(engine, inbox, position)
    discardDeadLetter(engine, inbox, position)
  }
  wake(engine, inbox)
  return settled.length
}

function chooseDeadLetters(
  db: Database,
  inboxId: number,
  { positions, eventType, afterMs, beforeMs }: DeadLetterChoice,
): number[] {
  if (positions) return [...new Set(positions)].filter((position) => findDeadLetter(db, inboxId, position))
  const statement = db.sql(
    `select position from dead_letter where inbox_id = ? and (? is null or event_type glob ?) and dead_ms >= ? and dead_ms < ? order by position`,
  )
  const glob = eventType === undefined ? null : eventType.replace(/[[?]/g, (character) => `[${character}]`)
  return rows<{ position: number }>(
    statement,
    inboxId,
    glob,
    glob,
    afterMs ?? 0,
    beforeMs ?? Number.MAX_SAFE_INTEGER,
  ).map(({ position }) => position)
}
