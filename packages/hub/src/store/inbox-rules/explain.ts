import type { Filter, InboxSettings } from '@sluice/protocol'
import { failedRule, isOpenFilter } from '@sluice/protocol/match'
import { hasPosition, parseRuns } from '../runs.ts'
import type { AttemptRow, StoredEvent, VerdictRow } from '../store.ts'
import { findParked } from './parked.ts'
import { behindMs, filterOf, type HistoryRow, type InboxState, type Rows, type Session } from './rows.ts'
import { toFilterSubject } from './scan.ts'

type Subject = {
  readonly position: number
  readonly event: StoredEvent | undefined
  readonly trimmedTo: number
  readonly nowMs: number
}

/** One verdict for each inbox, from its progress and history: acknowledged events have left no row of their own. */
export async function explainEvent(
  { rows, nowMs }: Pick<Session, 'rows' | 'nowMs'>,
  workspaceId: number,
  inboxes: readonly InboxState[],
  position: number,
): Promise<VerdictRow[]> {
  const event = await rows.readEvent(workspaceId, position)
  const { trimmedTo } = await rows.readLog(workspaceId)
  const subject = { position, event, trimmedTo, nowMs }
  return Promise.all(inboxes.map((inbox) => explainInbox(rows, inbox, subject)))
}

type Finding = Omit<Partial<VerdictRow>, 'inbox' | 'history'> & Pick<VerdictRow, 'verdict'>

async function explainInbox(rows: Rows, inbox: InboxState, subject: Subject): Promise<VerdictRow> {
  const history = await rows.readAttempts(inbox, subject.position)
  const verdict = (await held(rows, inbox, subject)) ?? passed(await rows.readHistory(inbox), subject, history)
  return {
    inbox: inbox.key,
    rule: null,
    revision: null,
    reason: null,
    attempts: history.at(-1)?.attempt ?? 0,
    leaseId: null,
    leasedUntilMs: null,
    availableMs: null,
    ...verdict,
    history,
  }
}

/** The verdict of an event that the inbox still has, in whatever way, or has not come to. */
async function held(
  rows: Rows,
  inbox: InboxState,
  { position, event, trimmedTo, nowMs }: Subject,
): Promise<Finding | undefined> {
  const dead = await rows.findDeadLetter(inbox, position)
  if (dead) return { verdict: 'dead', reason: dead.reason, attempts: dead.attempts }
  for (const lease of await rows.leasesAround(inbox, [position])) {
    const part = lease.held.find(({ runs }) => hasPosition(runs, position))
    if (!part) continue
    const verdict = lease.untilMs > nowMs ? 'leased' : 'waiting'
    return { verdict, attempts: part.attempt, leaseId: lease.leaseId, leasedUntilMs: lease.untilMs }
  }
  const parked = await findParked(rows, inbox, position)
  if (!parked && position < inbox.next) return undefined
  if (position <= trimmedTo) return { verdict: 'expired' }
  if (!event || event.body === null) return { verdict: 'erased' }
  if (parked && parked.positions !== null) {
    const delayed = parked.availableMs > nowMs && parked.availableMs !== behindMs
    return {
      verdict: delayed ? 'parked' : 'waiting',
      attempts: parked.attempt,
      availableMs: delayed ? parked.availableMs : null,
    }
  }
  const filter = parked ? await filterOf(rows, inbox, parked) : inbox.settings.filter
  const revision = parked?.revision ?? inbox.revision
  return filtered(filter, revision, event) ?? { verdict: 'waiting', revision }
}

function filtered(filter: Filter, revision: number, event: StoredEvent): Finding | undefined {
  const rule = failedRule(filter, toFilterSubject(event))
  return rule === undefined ? undefined : { verdict: 'filtered', rule, revision }
}

/** The verdict of an event that the inbox is done with: walks back through its seeks to the pass that covered it. */
function passed(
  history: readonly HistoryRow[],
  { position, event }: Subject,
  failures: readonly AttemptRow[],
): Finding {
  const attempts = (failures.at(-1)?.attempt ?? 0) + 1
  let settingsAfter: HistoryRow[] = []
  for (const entry of history.toReversed()) {
    if (entry.kind === 'replay' && entry.from === position) return { verdict: 'acknowledged', attempts }
    if (entry.kind === 'expired' && isWithin(entry, position)) return { verdict: 'expired', attempts: attempts - 1 }
    if (entry.kind === 'erased' && isWithin(entry, position)) return { verdict: 'erased', attempts: attempts - 1 }
    if (entry.kind === 'settings') settingsAfter = [entry, ...settingsAfter]
    if (entry.kind !== 'seek') continue
    if (position >= entry.to) break
    if (isWithin({ ...entry, to: entry.to - 1 }, position)) {
      const replayed = !isVoided(entry, position) && wasReplayed(history.slice(0, history.indexOf(entry)), position)
      return replayed ? { verdict: 'acknowledged', attempts } : { verdict: 'passed-by-seek', attempts: attempts - 1 }
    }
    settingsAfter = []
  }
  const start = history[0]
  if (start && position < start.from && !history.some((entry) => entry.kind === 'seek' && entry.to <= position)) {
    return { verdict: 'before-start', attempts: 0 }
  }
  const deciding = decidingSettings(history, settingsAfter, position)
  if (!deciding?.settings) return { verdict: 'acknowledged', attempts }
  const settings: InboxSettings = JSON.parse(deciding.settings)
  if (event && event.body !== null)
    return (
      filtered(settings.filter, deciding.revision, event) ?? {
        verdict: 'acknowledged',
        revision: deciding.revision,
        attempts,
      }
    )
  const unknown = event ? 'erased' : 'expired'
  return { verdict: isOpenFilter(settings.filter) ? 'acknowledged' : unknown, revision: deciding.revision, attempts }
}

/** Waiting or leased when the seek or the expiry came. */
function isVoided({ positions }: { positions: string | null }, position: number): boolean {
  return positions !== null && hasPosition(parseRuns(positions), position)
}

/** Since the seek before: handed out past the filter, ahead of the inbox's place. */
function wasReplayed(earlier: readonly HistoryRow[], position: number): boolean {
  const pass = earlier.slice(earlier.findLastIndex((entry) => entry.kind === 'seek') + 1)
  return pass.some((entry) => entry.kind === 'replay' && entry.from === position)
}

function isWithin(entry: { from: number; to: number; positions: string | null }, position: number): boolean {
  return (entry.from <= position && position <= entry.to) || isVoided(entry, position)
}

/** The settings in force when the pass came to the position: the last within the pass at or below it, else those before it. */
function decidingSettings(
  history: readonly HistoryRow[],
  ofPass: readonly HistoryRow[],
  position: number,
): HistoryRow | undefined {
  const within = ofPass.findLast((entry) => entry.from <= position)
  if (within) return within
  const before = ofPass[0] ? history.slice(0, history.indexOf(ofPass[0])) : history
  return before.findLast((entry) => entry.kind === 'settings') ?? history[0]
}
