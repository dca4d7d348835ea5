import {
  expandRuns,
  hasPosition,
  parseRuns,
  printRuns,
  splitRuns,
  toRuns,
  withoutPositions,
  type Runs,
} from '../runs.ts'
import { maxSpan, type InboxState, type NewParked, type Parked, type ParkedAs, type Rows } from './rows.ts'

/** As if it had never been handed out. */
export const untouched: ParkedAs = { availableMs: 0, attempt: 0, alone: false, leaseId: null, releasedBy: null }

/** Parks events that are known to match. With key ordering each becomes a row of its own, which knows its subject. */
export function park(rows: Rows, inbox: InboxState, runs: Runs, as: ParkedAs): void {
  if (runs.length === 0) return
  if (inbox.settings.ordering === 'key') return rows.parkEach(inbox, expandRuns(runs), as)
  rows.park(
    inbox,
    splitSpans(runs).map((part) => ({
      ...toSpan(part),
      positions: printRuns(part),
      revision: null,
      subject: null,
      ...as,
    })),
  )
}

/** A row of one event whose subject is known. */
export function toParkedEvent(
  { position, subject }: { position: number; subject: string | null },
  as: ParkedAs,
): NewParked {
  return { first: position, last: position, positions: String(position), revision: null, subject, ...as }
}

type Range = { readonly first: number; readonly last: number; readonly revision: number }

/** Parks a range that was passed over and may hold events that the filter of that time did not want. */
export function parkRange(rows: Rows, inbox: InboxState, { first, last, revision }: Range): void {
  if (first > last) return
  const starts = Array.from({ length: Math.ceil((last - first + 1) / maxSpan) }, (_, index) => first + index * maxSpan)
  rows.park(
    inbox,
    starts.map((start) => ({
      first: start,
      last: Math.min(last, start + maxSpan - 1),
      positions: null,
      revision,
      subject: null,
      ...untouched,
    })),
  )
}

export function toSpan(runs: Runs): { first: number; last: number } {
  return { first: runs[0]?.[0] ?? 0, last: runs.at(-1)?.[1] ?? 0 }
}

function splitSpans(runs: Runs): Runs[] {
  const { first, last } = toSpan(runs)
  if (last - first < maxSpan) return [runs]
  const parts = new Map<number, number[]>()
  for (const position of expandRuns(runs)) {
    const part = Math.floor(position / maxSpan)
    const list = parts.get(part)
    if (list) list.push(position)
    else parts.set(part, [position])
  }
  return [...parts.values()].map(toRuns)
}

/** The row that holds a position. A range row holds all of its positions, wanted or not; a row that names the position goes before it. */
export function holderOf(candidates: readonly Parked[], position: number): Parked | undefined {
  return (
    candidates.find(({ positions }) => positions !== null && hasPosition(parseRuns(positions), position)) ??
    candidates.find(({ positions, first, last }) => positions === null && first <= position && position <= last)
  )
}

export async function findParked(rows: Rows, inbox: InboxState, position: number): Promise<Parked | undefined> {
  return holderOf(await rows.parkedAround(inbox, [position]), position)
}

/** Takes the first `count` positions out of a row and leaves the rest. */
export function takeParked(rows: Rows, inbox: InboxState, parked: Parked, count: number): Runs {
  const [taken, rest] = splitRuns(runsOf(parked), count)
  keepOnly(rows, inbox, parked, rest)
  return taken
}

/** Leaves only what comes after a position in a range row. */
export function shortenRange(rows: Rows, inbox: InboxState, parked: Parked, scannedTo: number): void {
  if (scannedTo >= parked.last) return rows.removeParked(inbox, parked.id)
  if (scannedTo >= parked.first) rows.shortenParked(inbox, parked.id, scannedTo + 1)
}

/** All positions that a row may hold. */
export function runsOf(parked: Parked): Runs {
  return parked.positions === null ? [[parked.first, parked.last]] : parseRuns(parked.positions)
}

/** Takes positions out of a row that names its positions. */
export function dropPositions(rows: Rows, inbox: InboxState, parked: Parked, positions: readonly number[]): void {
  keepOnly(rows, inbox, parked, withoutPositions(runsOf(parked), new Set(positions)))
}

function keepOnly(rows: Rows, inbox: InboxState, parked: Parked, rest: Runs): void {
  if (rest.length === 0) rows.removeParked(inbox, parked.id)
  else rows.keepParked(inbox, parked.id, rest)
}

/** Takes one position out of a row, wherever it stands. */
export function removePosition(rows: Rows, inbox: InboxState, parked: Parked, position: number): void {
  if (parked.positions !== null) return dropPositions(rows, inbox, parked, [position])
  rows.removeParked(inbox, parked.id)
  const revision = parked.revision ?? inbox.revision
  parkRange(rows, inbox, { first: parked.first, last: position - 1, revision })
  parkRange(rows, inbox, { first: position + 1, last: parked.last, revision })
}
