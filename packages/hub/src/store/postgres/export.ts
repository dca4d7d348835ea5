import { isOfInbox, movedColumns, movedKinds, partCharacters, partRows } from '../moving.ts'
import type { AnyRow, MovedKind, MovedRow } from '../moving.ts'
import type { Connections } from './connections.ts'

/** Rows of one fetch: an event may have half a megabyte. */
const fetchRows = 64

/** Whoever takes the rows may be slow, a pipe into another machine; but not for ever, because the server keeps what it would clean up. */
const patience = `set local statement_timeout = 0; set local idle_in_transaction_session_timeout = '10min'`

/** In one transaction that sees one state, through a cursor of the server's. */
export function exportRows(
  connections: Connections,
  workspaceId: number,
  take: (rows: readonly MovedRow[]) => Promise<void>,
): Promise<void> {
  return connections.look(async (client) => {
    await client.command(patience)
    for (const kind of movedKinds) {
      await client.command(`declare moved no scroll cursor for ${selectText(kind, Math.trunc(workspaceId))}`)
      let part: MovedRow[] = []
      let characters = 0
      for (;;) {
        const found = await client.queryOnce<AnyRow>(`fetch ${fetchRows} from moved`)
        for (const row of found) {
          part.push({ kind, row } as MovedRow) // the columns of that kind
          characters += typeof row['body'] === 'string' ? row['body'].length : 0
        }
        const isLast = found.length < fetchRows
        if (part.length > 0 && (isLast || part.length >= partRows || characters >= partCharacters)) {
          await take(part)
          part = []
          characters = 0
        }
        if (isLast) break
      }
      await client.command('close moved')
    }
  })
}

function selectText(kind: MovedKind, workspaceId: number): string {
  const names = Object.keys(movedColumns[kind])
  if (kind === 'log') {
    return `select ${names.join(', ')} from workspace join log on log.workspace_id = workspace.id
      where workspace.id = ${workspaceId}`
  }
  if (!isOfInbox(kind)) {
    return `select ${names.join(', ')} from ${kind} where workspace_id = ${workspaceId} order by ${orderOf[kind] ?? 'id'}`
  }
  const columns = names.map((name) => (name === 'inbox' ? 'inbox.key as inbox' : `${kind}.${name}`))
  return `select ${columns.join(', ')} from ${kind} join inbox on inbox.id = ${kind}.inbox_id
    where inbox.workspace_id = ${workspaceId} order by ${orderOf[kind] ?? `${kind}.id`}`
}

/** Where it is not the number of the row: tables without one. */
const orderOf: Partial<Record<MovedKind, string>> = {
  event: 'position',
  api_key: 'key_id',
  dedup: 'key',
  event_type_setting: 'workspace_id',
  event_type: 'name',
  event_type_version: 'name, version',
  quarantine_key: 'key',
  connection: 'key',
  oauth_client: 'integration',
  polling_trigger: 'key',
  budget: 'key',
  scheduled_key: 'key',
  schedule: 'key',
  source: 'key',
  trigger_seen: 'trigger_id, digest',
  void_lease: 'void_lease.inbox_id, void_lease.lease_id',
  lease_subject: 'lease_subject.inbox_id, lease_subject.subject',
  lease: 'lease.inbox_id, lease.lease_id',
}
