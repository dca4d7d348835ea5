import { setTimeout as sleep } from 'node:timers/promises'
import { inboxLedger, toDigest, type InboxLedger, type Ledger } from './ledger.ts'
import type { Random } from './random.ts'
import { request, requireAnswer, type Answer, type Target } from './request.ts'

type LeasedEvent = {
  readonly event_id: string
  readonly attempt: number
  readonly payload: { readonly n: number }
}
export type Lease = {
  readonly lease_id: string
  readonly leased_until: string | null
  readonly events: readonly LeasedEvent[]
}
type Settled = { readonly results: readonly { readonly event_id: string; readonly status: string }[] }

export type ConsumerOptions = {
  readonly inbox: string
  readonly ledger: Ledger
  readonly random: Random
  readonly signal: AbortSignal
  /** hands some events back instead of acknowledging them */
  readonly givesBack: boolean
}

const leaseSeconds = 2

/** Leases, works for a moment, settles; and asks again under the same lease id when an answer was lost. */
export async function consume(target: Target, options: ConsumerOptions): Promise<void> {
  const { inbox, ledger, random, signal } = options
  const own = inboxLedger(ledger, inbox)
  while (!signal.aborted) {
    const leaseId = own.unanswered.pop() ?? `faults-${random.between(0, 2 ** 31)}-${own.handedOut.length}`
    const order = { lease_id: leaseId, limit: random.between(1, 60), lease_seconds: leaseSeconds, wait_seconds: 0.2 }
    const askedMs = Date.now()
    const answer = await request(target, { method: 'POST', path: `/v1/inboxes/${inbox}/lease`, body: order })
    if (answer.kind === 'unknown') own.unanswered.push(leaseId)
    const lease = noteLease(own, answer, askedMs)
    if (lease === undefined || lease.events.length === 0) {
      await sleep(random.between(1, 10))
      continue
    }
    await sleep(random.between(0, 20))
    await settle(target, own, lease, options)
  }
}

async function settle(target: Target, own: InboxLedger, lease: Lease, options: ConsumerOptions): Promise<void> {
  const { inbox, random, givesBack } = options
  const ids = lease.events.map((event) => event.event_id)
  const back = givesBack && random.chance(0.2) ? ids.slice(0, random.between(1, ids.length)) : []
  if (back.length > 0) {
    // Noted before it is sent: from then on others may be given the events.
    for (const id of back) own.released.add(`${lease.lease_id} ${id}`)
    const body = {
      lease_id: lease.lease_id,
      event_ids: back,
      delay_seconds: random.between(0, 1),
      reason: 'given back',
    }
    await request(target, { method: 'POST', path: `/v1/inboxes/${inbox}/release`, body })
  }
  const rest = ids.slice(back.length)
  if (rest.length === 0) return
  const body = { lease_id: lease.lease_id, ...(random.chance(0.5) && { event_ids: rest }) }
  noteAck(own, await request(target, { method: 'POST', path: `/v1/inboxes/${inbox}/ack`, body }))
}

function noteLease(own: InboxLedger, answer: Answer, askedMs: number): Lease | undefined {
  if (answer.kind === 'unknown') return undefined
  if (answer.status === 503) return undefined
  if (answer.status !== 200) throw new Error(`leasing was answered ${answer.status} ${JSON.stringify(answer.body)}`)
  const lease = answer.body as Lease
  const receivedMs = Date.now()
  for (const { event_id: id, attempt, payload } of lease.events) {
    const leasedUntilMs = Date.parse(lease.leased_until ?? '')
    const delivery = { id, n: payload.n, digest: toDigest(payload), attempt, leaseId: lease.lease_id }
    own.handedOut.push({ ...delivery, leasedUntilMs, askedMs, receivedMs })
  }
  return lease
}

/** Only a confirmed acknowledgement counts; one whose answer was lost may or may not have been made. */
function noteAck(own: InboxLedger, answer: Answer): void {
  if (answer.kind === 'unknown' || answer.status === 503) return
  // 409: some of the lease went to others meanwhile; the answer still says what was done with each id.
  const body = answer.body as Settled & { details?: Settled }
  const results = answer.status === 409 ? body.details?.results : body.results
  if (results === undefined || (answer.status !== 200 && answer.status !== 409)) {
    throw new Error(`acknowledging was answered ${answer.status} ${JSON.stringify(answer.body)}`)
  }
  const nowMs = Date.now()
  for (const { event_id: id, status } of results) {
    if (status !== 'acked' && status !== 'already') continue
    if (!own.acked.has(id)) own.acked.set(id, nowMs)
  }
}

/** Peeks at the default inbox and acknowledges by id, as the simplest clients do. */
export async function pollDefault(
  target: Target,
  { ledger, random, signal }: Omit<ConsumerOptions, 'inbox'>,
): Promise<void> {
  const own = inboxLedger(ledger, 'default')
  while (!signal.aborted) {
    const askedMs = Date.now()
    const page = await request(target, { path: '/v1/events/inbox?limit=20' })
    if (page.kind === 'answered' && page.status >= 500 && page.status !== 503) {
      throw new Error(`peeking was answered ${page.status} ${JSON.stringify(page.body)}`)
    }
    if (page.kind === 'answered' && page.status === 200) {
      for (const { event_id: id, payload } of (page.body as { events: LeasedEvent[] }).events) {
        const peeked = { id, n: payload.n, digest: toDigest(payload), attempt: 0, leaseId: 'peek', leasedUntilMs: 0 }
        own.handedOut.push({ ...peeked, askedMs, receivedMs: Date.now() })
        if (signal.aborted) return
        const answer = await request(target, { method: 'DELETE', path: `/v1/events/${id}` })
        if (answer.kind === 'answered' && answer.status === 204) own.acked.set(id, Date.now())
      }
    }
    await sleep(random.between(10, 50))
  }
}

type Progress = { readonly behind: number; readonly waiting: number; readonly leased: number; readonly parked: number }

/** How much an inbox still holds, of whatever kind. */
export async function readProgress(target: Target, inbox: string): Promise<Progress & { readonly left: number }> {
  const { behind, waiting, leased, parked } = await requireAnswer<Progress>(target, { path: `/v1/inboxes/${inbox}` })
  return { behind, waiting, leased, parked, left: behind + waiting + leased + parked }
}

/** Leases and acknowledges until the inbox holds nothing any more. Answers what it still holds after `timeoutMs`, in words. */
async function drain(
  target: Target,
  ledger: Ledger,
  { inbox, timeoutMs }: { inbox: string; timeoutMs: number },
): Promise<string | undefined> {
  const own = inboxLedger(ledger, inbox)
  const endMs = Date.now() + timeoutMs
  for (;;) {
    const askedMs = Date.now()
    const body = { limit: 500, lease_seconds: 30 }
    const answer = await request(target, { method: 'POST', path: `/v1/inboxes/${inbox}/lease`, body })
    const lease = noteLease(own, answer, askedMs)
    if (lease !== undefined && lease.events.length > 0) {
      const ack = { method: 'POST', path: `/v1/inboxes/${inbox}/ack`, body: { lease_id: lease.lease_id } } as const
      noteAck(own, await request(target, ack))
      continue
    }
    const progress = await readProgress(target, inbox)
    if (progress.left === 0) return undefined
    if (Date.now() > endMs) return `inbox "${inbox}" does not come to an end: ${JSON.stringify(progress)}`
    await sleep(100)
  }
}

/** Drains every inbox of the ledger, one after the other. Answers those that do not come to an end, in words. */
export async function drainAll(target: Target, ledger: Ledger): Promise<string[]> {
  const stuck: (string | undefined)[] = []
  for (const inbox of ledger.inboxes.keys()) stuck.push(await drain(target, ledger, { inbox, timeoutMs: 60_000 }))
  return stuck.filter((text) => text !== undefined)
}
