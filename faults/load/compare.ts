import type { HandedOut, InboxLedger, Ledger, Sent } from './ledger.ts'
import { createTally, type Tally } from './tally.ts'

/** What the store holds in the end, as its own interface shows it: the whole log, oldest first. */
export type StoredLog = readonly { readonly id: string; readonly n: number; readonly digest: string }[]

export type Comparison = {
  readonly accepted: number
  /** stored twice after a try whose outcome nobody told, without a key: the one case that may double */
  readonly doubledWithoutKey: number
  /** counts of what must not happen */
  readonly faults: Readonly<Record<(typeof faultNames)[number], number>>
  /** the first few of each fault, in words */
  readonly violations: readonly string[]
}

const faultNames = [
  'lost',
  'damaged',
  'handedOutBeforeStored',
  'doubled',
  'refusedButStored',
  'outOfOrder',
  'ackedCameBack',
  'leasedTwice',
  'wrongAttempt',
  'followedWrong',
  'neverHandedOut',
] as const

// The hub says when a lease ends; its answer takes a moment to come here, and its clock and this one differ by as much.
const leaseToleranceMs = 250

export type StoreView = {
  /** what a search lists */
  readonly log: StoredLog
  /** accepted ids that could not be read one by one */
  readonly missing: readonly string[]
}

/** Compares what publishers and consumers were told with what the store holds. Every inbox must have been drained. */
export function compareLedger(ledger: Ledger, { log, missing }: StoreView): Comparison {
  const tally = createTally()
  const stored = new Map(log.map((event) => [event.id, event]))
  const accepted = [...ledger.sent.values()].flatMap(({ ids }) => [...ids])
  for (const id of new Set([...missing, ...accepted.filter((each) => !stored.has(each))])) tally.fault('lost', id)
  const idsByNumber = Map.groupBy(log, (event) => event.n)
  for (const sent of ledger.sent.values()) {
    const ids = (idsByNumber.get(sent.n) ?? []).map(({ id }) => id)
    compareSent(sent, ids, tally)
  }
  for (const event of log) {
    const sent = ledger.sent.get(event.n)
    if (sent === undefined || sent.digest !== event.digest) tally.fault('damaged', `stored ${event.id}`)
  }
  for (const ids of ledger.sequences) compareOrder(ids, 'accepted', tally)
  for (const [inbox, own] of ledger.inboxes) compareInbox(inbox, own, { log, stored, tally })
  for (const own of ledger.inboxes.values()) if (own.byKey) compareSubjects(own, ledger, tally)
  for (const { ids } of ledger.followers) compareFollower(ids, log, tally)
  return {
    accepted: [...ledger.sent.values()].filter(({ ids }) => ids.size > 0).length,
    doubledWithoutKey: tally.count('doubledWithoutKey'),
    faults: Object.fromEntries(faultNames.map((name) => [name, tally.count(name)])) as Comparison['faults'], // every name
    violations: tally.faults,
  }
}

/** @param ids under which the store holds the event */
function compareSent(sent: Sent, ids: readonly string[], tally: Tally): void {
  if (new Set([...ids, ...sent.ids]).size > 1) {
    // Without a key, only a try whose outcome nobody told may have been repeated.
    const mayDouble = sent.key === undefined && sent.unknown > 0
    if (mayDouble) tally.add('doubledWithoutKey')
    else tally.fault('doubled', `event ${sent.n} as ${ids.join(', ')}`)
  }
  if (sent.ids.size === 0 && sent.unknown === 0 && ids.length > 0) {
    tally.fault('refusedButStored', `event ${sent.n} as ${ids.join(', ')}`)
  }
}

function compareOrder(ids: readonly string[], what: string, tally: Tally): void {
  let last = ''
  for (const id of ids) {
    if (id <= last) tally.fault('outOfOrder', `${what}: ${id} after ${last}`)
    else last = id
  }
}

/** The later event of a subject may only be asked for once the earlier one is done: an id that comes afterwards goes back. */
function compareSubjects({ handedOut }: InboxLedger, { sent }: Ledger, tally: Tally): void {
  const bySubject = Map.groupBy(handedOut, ({ n }) => sent.get(n)?.subject)
  for (const [subject, deliveries] of bySubject) {
    let last: HandedOut | undefined
    for (const delivery of deliveries) {
      if (last !== undefined && delivery.id < last.id && delivery.askedMs > last.receivedMs) {
        tally.fault('outOfOrder', `${subject}: ${delivery.id} after ${last.id}`)
      }
      if (last === undefined || delivery.id > last.id) last = delivery
    }
  }
}

/** A reader of the log sees all of it, and nothing appears before what it has seen. */
function compareFollower(ids: readonly string[], log: StoredLog, tally: Tally): void {
  const seen = new Set(ids)
  if (seen.size < ids.length) tally.fault('followedWrong', `${ids.length - seen.size} events came twice`)
  compareOrder(ids, 'followed', tally)
  for (const { id } of log) if (!seen.has(id)) tally.fault('followedWrong', `${id} did not come`)
}

function compareInbox(
  inbox: string,
  own: InboxLedger,
  { log, stored, tally }: { log: StoredLog; stored: ReadonlyMap<string, { digest: string }>; tally: Tally },
): void {
  const deliveries = Map.groupBy(own.handedOut, ({ id }) => id)
  for (const [id, times] of deliveries) {
    const event = stored.get(id)
    if (event === undefined) tally.fault('handedOutBeforeStored', `${inbox}: ${id}`)
    else if (times.some(({ digest }) => digest !== event.digest)) tally.fault('damaged', `${inbox}: ${id}`)
    compareDeliveries(inbox, times, own, tally)
  }
  if (own.inOrder) {
    const firsts = own.handedOut.filter(({ attempt }) => attempt === 1)
    compareOrder(
      firsts.map(({ id }) => id),
      `${inbox}: handed out`,
      tally,
    )
  }
  for (const { id } of log) {
    if (!deliveries.has(id) && !own.acked.has(id)) tally.fault('neverHandedOut', `${inbox}: ${id}`)
  }
}

function compareDeliveries(inbox: string, times: readonly HandedOut[], own: InboxLedger, tally: Tally): void {
  for (const [index, time] of times.entries()) {
    const ackedMs = own.acked.get(time.id)
    if (ackedMs !== undefined && time.askedMs > ackedMs) tally.fault('ackedCameBack', `${inbox}: ${time.id}`)
    for (const earlier of times.slice(0, index)) {
      const givenBack = own.released.has(`${earlier.leaseId} ${earlier.id}`)
      const overlaps = time.receivedMs < earlier.leasedUntilMs - leaseToleranceMs
      // Only of two that cannot have been under way at the same time it is known which came first.
      const isLater = time.askedMs > earlier.receivedMs && earlier.leaseId !== time.leaseId
      if (isLater && time.attempt <= earlier.attempt) {
        tally.fault('wrongAttempt', `${inbox}: ${time.id} as attempt ${time.attempt} after ${earlier.attempt}`)
      }
      if (overlaps && !givenBack && earlier.leaseId !== time.leaseId) {
        tally.fault('leasedTwice', `${inbox}: ${time.id} by ${earlier.leaseId} and ${time.leaseId}`)
      }
    }
  }
}
