import { reservedPrefix } from '@sluice/protocol/glob'
import type { AppendOutcome, Draft } from '../store.ts'
import { row } from './database.ts'
import { eventTable } from './log.ts'
import { workspaceOf, type Engine } from './writer-state.ts'

/** How long a deduplication key is remembered. */
const dedupMs = 7 * 86_400_000

export function appendEvents(engine: Engine, workspaceId: number, drafts: readonly Draft[]): AppendOutcome[] {
  const workspace = workspaceOf(engine, workspaceId)
  const insert = engine.db.sql(
    `insert into ${eventTable(workspaceId)} (position, accepted_ms, event_type, source, subject, body, notes) values (?, ?, ?, ?, ?, ?, ?)`,
  )
  workspace.acceptedMs = Math.max(workspace.acceptedMs, engine.nowMs)
  return drafts.map((draft) => {
    const known = draft.dedup.length === 0 ? undefined : findDuplicate(engine, workspaceId, draft)
    if (known) return known
    const position = workspace.head + 1
    const { acceptedMs } = workspace
    insert.run(position, acceptedMs, draft.eventType, draft.source, draft.subject, draft.body, draft.notes)
    workspace.head = position
    workspace.changed = true
    if (draft.eventType.startsWith(reservedPrefix)) workspace.irregularTo = position
    for (const { key, fingerprint } of draft.dedup)
      remember(engine, { workspaceId, key, fingerprint, position, acceptedMs })
    return { status: 'stored', position, acceptedMs }
  })
}

/** The event of the log that carries one of the draft's deduplication keys. */
export function findDuplicate(
  engine: Pick<Engine, 'db' | 'nowMs'>,
  workspaceId: number,
  draft: Draft,
): AppendOutcome | undefined {
  for (const { key, fingerprint } of draft.dedup) {
    const known = row<{ fingerprint: string; position: number; acceptedMs: number }>(
      engine.db.sql(
        `select fingerprint, position, accepted_ms as acceptedMs from dedup where workspace_id = ? and key = ? and expires_ms > ?`,
      ),
      workspaceId,
      key,
      engine.nowMs,
    )
    if (!known) continue
    if (known.fingerprint !== fingerprint) return { status: 'mismatch' }
    return { status: 'duplicate', position: known.position, acceptedMs: known.acceptedMs }
  }
  return undefined
}

type DedupRow = { workspaceId: number; key: string; fingerprint: string; position: number; acceptedMs: number }

function remember(engine: Engine, { workspaceId, key, fingerprint, position, acceptedMs }: DedupRow): void {
  engine.db
    .sql(
      `insert or replace into dedup (workspace_id, key, fingerprint, position, accepted_ms, expires_ms) values (?, ?, ?, ?, ?, ?)`,
    )
    .run(workspaceId, key, fingerprint, position, acceptedMs, engine.nowMs + dedupMs)
}
