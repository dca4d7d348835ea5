import type { DoorRow } from '../doors.ts'
import { toInboxRow } from '../inbox-rules/change.ts'
import { behindMs } from '../inbox-rules/rows.ts'
import { rows, type Database } from './database.ts'
import { inboxColumns, toInboxState, type InboxColumns } from './writer-state.ts'

type Columns = InboxColumns & {
  readonly head: number
  readonly parkedMs: number | null
  readonly leasedMs: number | null
}

export function listDoors(db: Database): DoorRow[] {
  const statement = db.sql(
    `select ${inboxColumns}, (select head from workspace where id = inbox.workspace_id) as head,
       (select min(available_ms) from parked where inbox_id = inbox.id and available_ms < ${behindMs}) as parkedMs,
       (select min(until_ms) from lease where inbox_id = inbox.id) as leasedMs
     from inbox where door is not null order by id`,
  )
  return rows<Columns>(statement).map(({ head, parkedMs, leasedMs, ...columns }) => {
    const times = [parkedMs, leasedMs].filter((ms) => ms !== null)
    return {
      ...toInboxRow(toInboxState(columns)),
      workspaceId: columns.workspaceId,
      isBehind: columns.next <= head,
      availableMs: times.length > 0 ? Math.min(...times) : null,
    }
  })
}
