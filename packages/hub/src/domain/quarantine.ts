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
import type { Draft } from '../store/store.ts'
import { noteDeed, type Caller } from './audit.ts'
import type { Context, Workspace } from './context.ts'
import { openPosition } from './cursors.ts'
import { digest } from './dedup.ts'
import { judgeEvents, type Judgement } from './event-types/judge.ts'
import { membersOf } from './json-text.ts'
import { toPage, type Page, type PageRequest } from './page.ts'
import { append, type Published } from './store-events.ts'
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
  if (!row) throw new HubError('not-found', `there is no ${id.slice(0, 64)} in quarantine; it may have been released`)
  return row
}

/** Bodies that are in memory at a time. */
const stepRows = 100
/** As many as a selection by ids may name. */
const maxReleased = limits.leaseMax

/**
 * Checks quarantined events again by the definitions of now, and publishes those that pass: each once, also when a node ends in the middle
 * and the release is repeated.
 */
export async function releaseQuarantined(
  context: Context,
  caller: Caller,
  order: ReleaseQuarantined,
): Promise<QuarantineReleased> {
  const { workspace } = caller
  const { dry_run: dryRun = false, event_type: eventType } = order
  const results: ReleaseResult[] = []
  let nextCursor: string | null = null
  for await (const { rows, next, unknown = [] } of select(context, workspace, order)) {
    results.push(...(await releaseSome(context, workspace, { rows, dryRun })))
    results.push(...unknown.map((id) => ({ quarantine_id: id, status: 'unknown' as const })))
    nextCursor = next ?? null
  }
  const released = results.filter(({ status }) => status === 'released').length
  if (released > 0 && !dryRun) {
    const target = eventType ?? 'quarantine'
    await noteDeed(context, caller, { verb: 'quarantine.release', target, details: { released } })
  }
  return { released, kept: results.length - released, dry_run: dryRun, next_cursor: nextCursor, results }
}

type Selected = {
  readonly rows: QuarantineRow[]
  /** after the last of these, if there are more than one request takes */
  readonly next?: string | undefined
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
    yield { rows, unknown: wanted.filter((id) => !found.has(id)) }
  }
}

async function* selectType(
  { store, cursors }: Context,
  workspace: Workspace,
  { eventType, cursor }: { readonly eventType: string; readonly cursor: string | undefined },
): AsyncGenerator<Selected> {
  const scope = `${workspace.id}/release/${eventType}`
  let after = openPosition(cursors, scope, cursor, 0)
  for (let count = stepRows; count <= maxReleased; count += stepRows) {
    const found = await store.quarantine.list(workspace.id, { after, limit: stepRows + 1, eventType })
    const rows = found.slice(0, stepRows)
    after = rows.at(-1)?.place ?? after
    const hasMore = found.length > rows.length
    yield { rows, next: hasMore && count === maxReleased ? cursors.seal(scope, String(after)) : undefined }
    if (!hasMore) return
  }
}

type Some = { readonly rows: readonly QuarantineRow[]; readonly dryRun: boolean }

async function releaseSome(context: Context, workspace: Workspace, { rows, dryRun }: Some): Promise<ReleaseResult[]> {
  const judgements = await judgeEvents(context, workspace, rows)
  const nowMs = context.store.nowMs()
  const results = rows.map((row, at) => keptResult(row, judgements[at], nowMs))
  const passing = rows.filter((_row, at) => results[at] === undefined)
  const published = dryRun || passing.length === 0 ? [] : await publishOnce(context, workspace, passing)
  let next = 0
  return results.map((result, at) => {
    if (result) return result
    const quarantineId = rows[at]?.id ?? ''
    const one = published[next]
    next += 1
    if (one instanceof HubError)
      return { quarantine_id: quarantineId, status: 'refused', errors: [{ pointer: '', detail: one.message }] }
    return { quarantine_id: quarantineId, status: 'released', ...(one && { event_id: one.eventId }) }
  })
}

/** The log remembers a deduplication key for 7 days: what was being released before that may or may not be there. */
const doubtMs = 6 * 86_400_000

const isInDoubt = ({ releasingMs }: QuarantineRow, nowMs: number): boolean =>
  releasingMs !== null && nowMs - releasingMs > doubtMs

function keptResult(row: QuarantineRow, judgement: Judgement, nowMs: number): ReleaseResult | undefined {
  if (isInDoubt(row, nowMs)) return { quarantine_id: row.id, status: 'in-doubt' }
  if (judgement?.verdict === 'quarantine')
    return { quarantine_id: row.id, status: 'refused', errors: judgement.warning.errors }
  if (judgement?.verdict === 'refuse')
    return { quarantine_id: row.id, status: 'refused', errors: [...(judgement.error.errors ?? [])] }
  return undefined
}

/** Under the publisher's deduplication keys, and one of the quarantine's, which is looked for first. */
function toDraft({ id, eventType, source, subject, body, notes, dedup }: QuarantineRow): Draft {
  const own = { key: digest(`quarantine\0${id}`), fingerprint: '' }
  return { eventType, source, subject, body, notes, dedup: [own, ...dedup] }
}

/** Into the log, then out of the quarantine; whoever ends in between is answered `duplicate` the next time. */
async function publishOnce(
  context: Context,
  workspace: Workspace,
  rows: readonly QuarantineRow[],
): Promise<(Published | HubError)[]> {
  const { store, counts } = context
  const ids = rows.map(({ id }) => id)
  await store.quarantine.markReleasing(workspace.id, ids, true)
  const results = await append(context, workspace, rows.map(toDraft)).catch(async (error: unknown) => {
    // Nothing was stored, so nothing is in doubt.
    await store.quarantine.markReleasing(workspace.id, ids, false).catch(() => {})
    throw error
  })
  const refused = ids.filter((_id, at) => results[at] instanceof HubError)
  const released = ids.filter((_id, at) => !(results[at] instanceof HubError))
  if (refused.length > 0) await store.quarantine.markReleasing(workspace.id, refused, false)
  await store.quarantine.remove(workspace.id, { ids: released })
  counts.released += released.length
  return results
}

export type Fix = { readonly id: string; readonly payload: JsonObject }

/**
 * Publishes a quarantined event with another payload. A publisher that sends the old one again under its key is answered `duplicate`.
 *
 * @throws HubError `not-found`, `schema-mismatch` if it still does not match, `payload-too-large`, `conflict` if it is in doubt
 * whether it was published before
 */
export async function fixQuarantined(context: Context, caller: Caller, { id, payload }: Fix): Promise<Published> {
  const { workspace } = caller
  const row = await requireQuarantined(context, workspace, id)
  if (isInDoubt(row, context.store.nowMs()))
    throw new HubError('conflict', `it is in doubt whether ${id} was published; look for it, then discard it`)
  const fixed = { ...row, body: withPayload(row.body, payload) }
  const [judgement] = await judgeEvents(context, workspace, [fixed])
  if (judgement?.verdict === 'refuse') throw judgement.error
  if (judgement?.verdict === 'quarantine') {
    const { message, errors } = judgement.warning
    throw new HubError('schema-mismatch', message, { errors })
  }
  const [published] = await publishOnce(context, workspace, [fixed])
  if (!published) throw new Error('an event was left out')
  if (published instanceof HubError) throw published
  await noteDeed(context, caller, { verb: 'quarantine.fix', target: id, details: { event_id: published.eventId } })
  return published
}

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
