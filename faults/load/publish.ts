import { setTimeout as sleep } from 'node:timers/promises'
import { toDigest, type Ledger, type Sent } from './ledger.ts'
import type { Random } from './random.ts'
import { request, type Answer, type Target } from './request.ts'

export type Draft = { readonly sent: Sent; readonly event: { event_type: string; payload: object; subject: string } }

/** Makes events and remembers those whose outcome nobody told, until they are sent again under the same key. */
export type Source = {
  readonly ledger: Ledger
  readonly random: Random
  readonly draft: () => Draft
  readonly again: Draft[]
}

export function createSource(ledger: Ledger, random: Random): Source {
  const draft = (): Draft => {
    const n = ledger.sent.size + 1
    const payload = { n, text: toText(random), nested: { list: [n, 'ü"\\', null], ok: true } }
    const key = random.chance(0.8) ? `fault-${n}` : undefined
    const subject = `subject-${n % 20}`
    const sent: Sent = { n, key, subject, digest: toDigest(payload), ids: new Set(), unknown: 0, refused: 0 }
    ledger.sent.set(n, sent)
    return { sent, event: { event_type: `fault.kind-${n % 7}`, payload, subject } }
  }
  return { ledger, random, draft, again: [] }
}

/** Mostly small, sometimes large enough for several pages and frames. */
function toText(random: Random): string {
  const length = random.chance(0.01) ? random.between(20_000, 120_000) : random.between(0, 1500)
  return 'é€x'.repeat(Math.ceil(length / 3)).slice(0, length)
}

// A hub that is away, or refuses, is asked again this much later.
const awayMs = 30

/** One publisher that waits for each answer; its ids must ascend. */
export async function publishSingles(target: Target, source: Source, signal: AbortSignal): Promise<void> {
  const sequence: string[] = []
  source.ledger.sequences.push(sequence)
  while (!signal.aborted) {
    const draft = source.again.pop() ?? source.draft()
    const isNew = draft.sent.unknown === 0
    const answer = await publishOne(target, draft)
    const id = noteSingle(source, draft, answer)
    // An event that was stored by an earlier try has an earlier place.
    if (id !== undefined && isNew) sequence.push(id)
    await sleep(id === undefined ? awayMs : source.random.between(0, 8))
  }
}

/** Sends what is still open until each has a verdict; for a hub that is known to be up. */
export async function publishAgain(target: Target, source: Source): Promise<void> {
  for (let draft = source.again.pop(); draft !== undefined; draft = source.again.pop()) {
    noteSingle(source, draft, await publishOne(target, draft))
  }
}

/** Tries until an event is accepted. Answers what was said last if none is within that time. */
export async function publishUntilAccepted(
  target: Target,
  source: Source,
  withinMs: number,
): Promise<string | undefined> {
  const endMs = Date.now() + withinMs
  for (;;) {
    const draft = source.draft()
    const answer = await publishOne(target, draft)
    if (noteSingle(source, draft, answer) !== undefined) return undefined
    if (Date.now() > endMs) {
      const said = answer.kind === 'answered' ? JSON.stringify(answer.body) : String(answer.cause)
      return `nothing was accepted within ${withinMs} ms: ${said}`
    }
    await sleep(50)
  }
}

export function publishOne(target: Target, { sent, event }: Draft): Promise<Answer> {
  const headers = sent.key === undefined ? {} : { 'idempotency-key': sent.key }
  return request(target, { method: 'POST', path: '/v1/events', body: event, headers })
}

/** Writes the outcome down; answers the id if the event was accepted. */
export function noteSingle(source: Source, draft: Draft, answer: Answer): string | undefined {
  if (answer.kind === 'unknown') {
    noteUnknown(source, draft)
    return undefined
  }
  if (answer.status === 200 || answer.status === 201) {
    const { event_id: id } = answer.body as { event_id: string }
    draft.sent.ids.add(id)
    return id
  }
  noteRefused(source, draft, answer)
  return undefined
}

/** Batches in the three forms that the hub takes, one after the other. */
export async function publishBatches(target: Target, source: Source, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    const drafts = Array.from({ length: source.random.between(2, 100) }, () => source.again.pop() ?? source.draft())
    const answer = await publishBatch(target, source, drafts)
    noteBatch(source, drafts, answer)
    await sleep(answer.kind === 'unknown' ? awayMs : source.random.between(20, 80))
  }
}

function publishBatch(target: Target, source: Source, drafts: readonly Draft[]): Promise<Answer> {
  const events = drafts.map(({ sent, event }) =>
    sent.key === undefined ? event : { ...event, idempotency_key: sent.key },
  )
  const order = { method: 'POST', path: '/v1/events/batch' } as const
  const form = source.random.between(0, 2)
  if (form === 0) return request(target, { ...order, body: { events } })
  if (form === 1) return request(target, { ...order, body: events })
  const lines = events.map((event) => JSON.stringify(event)).join('\n')
  return request(target, { ...order, body: lines, headers: { 'content-type': 'application/x-ndjson' } })
}

type ItemResult = { readonly index: number; readonly event_id?: string }

function noteBatch(source: Source, drafts: readonly Draft[], answer: Answer): void {
  if (answer.kind === 'unknown') {
    for (const draft of drafts) noteUnknown(source, draft)
    return
  }
  const results = answer.status === 200 ? (answer.body as { results: ItemResult[] }).results : []
  const byIndex = new Map(results.map((result) => [result.index, result]))
  for (const [index, draft] of drafts.entries()) {
    const id = byIndex.get(index)?.event_id
    if (id === undefined) noteRefused(source, draft, answer)
    else draft.sent.ids.add(id)
  }
}

/** Under a key it is safe to send again. Without one, a publisher has to choose: half of these take the risk. */
function noteUnknown(source: Source, draft: Draft): void {
  draft.sent.unknown += 1
  if (draft.sent.key !== undefined || source.random.chance(0.5)) source.again.push(draft)
}

/** 503 promises that nothing was stored. Half are sent again, half are left, to see that the promise holds. */
function noteRefused(source: Source, draft: Draft, answer: Answer & { kind: 'answered' }): void {
  if (answer.status !== 503 && answer.status !== 200) {
    throw new Error(`publishing was answered ${answer.status} ${JSON.stringify(answer.body)}`)
  }
  draft.sent.refused += 1
  if (source.random.chance(0.5)) source.again.push(draft)
}
