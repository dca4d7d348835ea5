import { createHash } from 'node:crypto'
import {
  HubError,
  limits,
  startOfJson,
  type JsonObject,
  type Quarantined,
  type QuarantineReleased,
  type QuarantineSelection,
  type ReleaseQuarantined,
  type ReleaseResult,
} from '@sluice/protocol'
import type { QuarantineRow } from '../store/quarantine.ts'
import { noteDeed, type Caller } from './audit.ts'
import type { Context, Workspace } from './context.ts'
import { openPosition } from './cursors.ts'
import { openCheckTime, type CheckTime } from './event-types/check-time.ts'
import { judgeEvents, type Judgement } from './event-types/judge.ts'
import { membersOf } from './json-text.ts'
import { toPage, type Page, type PageRequest } from './page.ts'
import { toPublished, type Published } from './published.ts'
import { toIso } from './to-wire.ts'

function toWire({ id, eventType, atMs, version, faults }: QuarantineRow): Quarantined {
  return {
    quarantine_id: id,
    event_type: eventType,
    quarantined_at: toIso(atMs),
    version,
    errors: JSON.parse(faults),
  }
}

/** Oldest first. */
export async function listQuarantine(
  { store, cursors }: Context,
  workspace: Workspace,
  { limit, cursor, eventType }: PageRequest & { readonly eventType?: string | undefined },
): Promise<Page> {
  const scope = `${workspace.id}/quarantine/${eventType ?? ''}`
  const after = openPosition(cursors, scope, cursor, 0)
  const page = { after, limit: limit + 1, ...(eventType !== undefined && { eventType }) }
  const rows = await store.quarantine.list(workspace.id, page)
  return toPage({
    cursors,
    scope,
    limit,
    rows,
    placeOf: ({ place }) => place,
    print: (row) => JSON.stringify(toWire(row)),
  })
}

/** As JSON text: the event is the publisher's own text. @throws HubError `not-found` */
export async function showQuarantined(context: Context, workspace: Workspace, id: string): Promise<string> {
  const row = await requireQuarantined(context, workspace, id)
  return `${JSON.stringify(toWire(row)).slice(0, -1)},"event":${row.body}}`
}

async function requireQuarantined({ store }: Context, workspace: Workspace, id: string): Promise<QuarantineRow> {
  const [row] = await store.quarantine.find(workspace.id, [id.slice(0, 64)])
  if (!row) throw noneThere(id)
  return row
}

const noneThere = (id: string): HubError =>
  new HubError(
    'not-found',
    `there is no ${id.slice(0, 64)} in quarantine; it may have been released, fixed or discarded meanwhile`,
  )

/** Bodies that are in memory at a time. */
const stepRows = 100
/** As many as a selection by ids may name. */
const maxReleased = limits.leaseMax

/**
 * Checks quarantined events again by the definitions of now, and publishes those that pass: each once. Of a type, those for which the time of a
 * request does not suffice are left to the next one, by `next_cursor`.
 */
export async function releaseQuarantined(
  context: Context,
  caller: Caller,
  order: ReleaseQuarantined,
): Promise<QuarantineReleased> {
  const { workspace } = caller
  const { dry_run: dryRun = false, event_type: eventType } = order
  const time = openCheckTime()
  const results: ReleaseResult[] = []
  let nextCursor: string | null = null
  for await (const { rows, hasMore, unknown = [] } of select(context, workspace, order)) {
    const some = await releaseSome(context, workspace, { rows, dryRun, time, isOfType: eventType !== undefined })
    results.push(...some, ...unknown.map(toUnknown))
    const last = rows[some.length - 1]
    const isLeft = hasMore || some.length < rows.length
    nextCursor = last && isLeft ? context.cursors.seal(scopeOf(workspace, eventType), String(last.place)) : null
    if (isLeft && time.leftMs <= 0) break
  }
  const released = results.filter(({ status }) => status === 'released').length
  if (released > 0 && !dryRun) {
    const target = eventType ?? 'quarantine'
    await noteDeed(context, caller, { verb: 'quarantine.release', target, details: { released } })
  }
  return { released, kept: results.length - released, dry_run: dryRun, next_cursor: nextCursor, results }
}

const scopeOf = (workspace: Workspace, eventType = ''): string => `${workspace.id}/release/${eventType}`
const toUnknown = (id: string): ReleaseResult => ({ quarantine_id: id, status: 'unknown' })

type Selected = {
  readonly rows: QuarantineRow[]
  /** of the type, after these */
  readonly hasMore: boolean
  readonly unknown?: string[]
}

function select(context: Context, workspace: Workspace, order: ReleaseQuarantined): AsyncGenerator<Selected> {
  const { quarantine_ids: ids, event_type: eventType = '', cursor } = order
  return ids ? selectIds(context, workspace, [...new Set(ids)]) : selectType(context, workspace, { eventType, cursor })
}

async function* selectIds({ store }: Context, workspace: Workspace, ids: readonly string[]): AsyncGenerator<Selected> {
  for (let at = 0; at < ids.length; at += stepRows) {
    const wanted = ids.slice(at, at + stepRows)
    const rows = await store.quarantine.find(workspace.id, wanted)
    const found = new Set(rows.map(({ id }) => id))
    yield { rows, hasMore: false, unknown: wanted.filter((id) => !found.has(id)) }
  }
}

async function* selectType(
  { store, cursors }: Context,
  workspace: Workspace,
  { eventType, cursor }: { readonly eventType: string; readonly cursor: string | undefined },
): AsyncGenerator<Selected> {
  let after = openPosition(cursors, scopeOf(workspace, eventType), cursor, 0)
  for (let count = stepRows; count <= maxReleased; count += stepRows) {
    const found = await store.quarantine.list(workspace.id, { after, limit: stepRows + 1, eventType })
    const rows = found.slice(0, stepRows)
    after = rows.at(-1)?.place ?? after
    const hasMore = found.length > rows.length
    yield { rows, hasMore }
    if (!hasMore) return
  }
}

type Some = {
  readonly rows: readonly QuarantineRow[]
  readonly dryRun: boolean
  readonly time: CheckTime
  readonly isOfType: boolean
}

/** In the order of the rows. Of a type, the last ones have no result if there was no time to check them. */
async function releaseSome(
  context: Context,
  workspace: Workspace,
  { rows: all, dryRun, time, isOfType }: Some,
): Promise<ReleaseResult[]> {
  const judgements = await judgeEvents(context, workspace, { drafts: all, time })
  const rows = isOfType ? all.slice(0, all.length - time.unchecked) : all
  const results = rows.map((row, at) => refusedResult(row, judgements[at]))
  const passing = rows.filter((_row, at) => results[at] === undefined)
  const published = dryRun ? [] : await publishAll(context, workspace, passing)
  let next = 0
  return rows.map(({ id }, at) => {
    const refused = results[at]
    if (refused) return refused
    if (dryRun) return { quarantine_id: id, status: 'released' }
    const one = published[next]
    next += 1
    if (!one) return toUnknown(id)
    if (one instanceof HubError)
      return { quarantine_id: id, status: 'refused', errors: [{ pointer: '', detail: one.message }] }
    return { quarantine_id: id, status: 'released', event_id: one.eventId }
  })
}

function refusedResult({ id }: QuarantineRow, judgement: Judgement): ReleaseResult | undefined {
  if (judgement?.verdict === 'quarantine')
    return { quarantine_id: id, status: 'refused', errors: judgement.warning.errors }
  if (judgement?.verdict === 'refuse')
    return { quarantine_id: id, status: 'refused', errors: [...(judgement.error.errors ?? [])] }
  return undefined
}

/** Under the publisher's deduplication keys. Undefined for those that somebody else has taken out meanwhile: they are not published. */
async function publishAll(
  { store, counts, activity }: Context,
  workspace: Workspace,
  rows: readonly QuarantineRow[],
): Promise<(Published | HubError | undefined)[]> {
  if (rows.length === 0) return []
  const drafts = rows.map(({ id, eventType, source, subject, body, notes, dedup }) => {
    return { id, eventType, source, subject, body, notes, dedup }
  })
  const outcomes = await store.quarantine.release(workspace.id, drafts)
  return outcomes.map((outcome) => {
    if (!outcome) return undefined
    const published = toPublished(workspace, outcome)
    if (!(published instanceof HubError)) counts.released += 1
    if (outcome.status === 'stored') {
      counts.published += 1
      activity.note(workspace.id, 'published', 1)
    }
    return published
  })
}

export type Fix = { readonly id: string; readonly payload: JsonObject }

/**
 * Publishes a quarantined event with another payload. A publisher that sends the old one again under its key is answered `duplicate`.
 *
 * @throws HubError `not-found`, also if somebody else released, fixed or discarded it meanwhile, `schema-mismatch` if it still does not match,
 * `payload-too-large`
 */
export async function fixQuarantined(context: Context, caller: Caller, { id, payload }: Fix): Promise<Published> {
  const { workspace } = caller
  const row = await requireQuarantined(context, workspace, id)
  const fixed = { ...row, body: withPayload(row.body, payload) }
  const [judgement] = await judgeEvents(context, workspace, { drafts: [fixed] })
  if (judgement?.verdict === 'refuse') throw judgement.error
  if (judgement?.verdict === 'quarantine') {
    const { message, errors } = judgement.warning
    throw new HubError('schema-mismatch', message, { errors })
  }
  const [published] = await publishAll(context, workspace, [fixed])
  if (!published) throw noneThere(id)
  if (published instanceof HubError) throw published
  const { eventId, status } = published
  // The digest says whose payload was stored, and not what was in it.
  const details = { event_id: eventId, status, payload_sha256: toDigest(JSON.stringify(payload)) }
  await noteDeed(context, caller, { verb: 'quarantine.fix', target: id, details })
  return published
}

const toDigest = (text: string): string => createHash('sha256').update(text).digest('hex')

/** The text of the event with another payload; everything else stays as it came. */
function withPayload(body: string, payload: JsonObject): string {
  const text = JSON.stringify(payload)
  if (Buffer.byteLength(text) > limits.payloadBytes)
    throw new HubError('payload-too-large', `the payload has more than ${limits.payloadBytes} bytes`)
  const start = startOfJson(body)
  const member = membersOf(body, start).find(({ name }) => name === 'payload' || name === 'payload_base64')
  if (member) return `${body.slice(0, member.start)}"payload":${text}${body.slice(member.end)}`
  // A CloudEvent may come without any. It has a type at least.
  return `{"payload":${text},${body.slice(start + 1)}`
}

/** Gives events up; answers how many. With `dry_run` it only counts them. */
export async function discardQuarantined(
  context: Context,
  caller: Caller,
  selection: QuarantineSelection,
): Promise<number> {
  const { store } = context
  const { workspace } = caller
  const { quarantine_ids: ids, event_type: eventType = '' } = selection
  if (selection.dry_run)
    return ids
      ? (await store.quarantine.find(workspace.id, ids)).length
      : store.quarantine.count(workspace.id, eventType)
  const count = await store.quarantine.remove(workspace.id, ids ? { ids } : { eventType })
  const target = ids ? 'quarantine' : eventType
  await noteDeed(context, caller, { verb: 'quarantine.discard', target, details: { count } })
  return count
}
