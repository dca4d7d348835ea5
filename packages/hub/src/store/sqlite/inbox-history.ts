import type { InboxSettings } from '@sluice/protocol'
import { rows, type Database } from './database.ts'
import type { Engine, InboxState } from './writer-state.ts'

/** What `explain` needs of the past: which settings held from which position on, seeks, expiries, replays past the filter. */
type Kind = 'settings' | 'seek' | 'expired' | 'replay'

type History = {
  readonly kind: Kind
  readonly from: number
  readonly to: number
  readonly settings?: InboxSettings
  readonly positions?: string
}

export function noteHistory(engine: Engine, inbox: InboxState, { kind, from, to, settings, positions }: History): void {
  engine.db
    .sql(
      `insert into inbox_history (inbox_id, kind, at_ms, revision, generation, from_position, to_position, settings, positions)
       values (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    )
    .run(
      inbox.id,
      kind,
      engine.nowMs,
      inbox.revision,
      inbox.generation,
      from,
      to,
      settings ? JSON.stringify(settings) : null,
      positions ?? null,
    )
}

export type HistoryRow = {
  readonly kind: Kind
  readonly revision: number
  readonly generation: number
  readonly from: number
  readonly to: number
  readonly settings: string | null
  readonly positions: string | null
}

/** Oldest first. */
export function readHistory(db: Database, inboxId: number): HistoryRow[] {
  return rows<HistoryRow>(
    db.sql(
      `select kind, revision, generation, from_position as "from", to_position as "to", settings, positions
       from inbox_history where inbox_id = ? order by id`,
    ),
    inboxId,
  )
}
