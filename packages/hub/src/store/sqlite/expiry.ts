import { expireInbox } from '../inbox-rules/expiry.ts'
import { wake } from '../inbox-rules/rows.ts'
import { rows } from './database.ts'
import { inboxOf, type Engine } from './writer-state.ts'

/** One step of the sweep over all inboxes. */
export async function expireLeases(engine: Engine): Promise<void> {
  const due = rows<{ workspaceId: number; key: string }>(
    engine.db.sql(
      `select distinct inbox.workspace_id as workspaceId, inbox.key as key from lease join inbox on inbox.id = lease.inbox_id
       where lease.until_ms <= ? limit 100`,
    ),
    engine.nowMs,
  )
  for (const { workspaceId, key } of due) {
    const inbox = inboxOf(engine, workspaceId, key)
    await expireInbox(engine, inbox)
    wake(engine, inbox)
  }
}
