import { isOfInbox, movedColumns, movedKinds, partCharacters, partRows } from '../moving.ts'
import type { AnyRow, MovedKind, MovedRow } from '../moving.ts'
import { openDatabase, type Database } from './database.ts'
import { eventTable } from './log.ts'

/**
 * Over a connection of its own, in one read transaction: what is committed meanwhile is not seen, and the write-ahead log
 * grows until the export ends, because a checkpoint cannot pass what is being read.
 */
export async function exportRows(
  file: string,
  workspaceId: number,
  take: (rows: readonly MovedRow[]) => Promise<void>,
): Promise<void> {
  const db = openDatabase(file, 'reader')
  try {
    db.raw.exec('begin')
    for (const kind of movedKinds) {
      for (const part of inParts(kind, readKind(db, kind, workspaceId))) await take(part)
    }
  } finally {
    db.raw.close()
  }
}

function* inParts(kind: MovedKind, rows: Iterable<AnyRow>): Generator<readonly MovedRow[]> {
  let part: MovedRow[] = []
  let characters = 0
  for (const row of rows) {
    part.push({ kind, row } as MovedRow) // the columns of that kind
    characters += typeof row['body'] === 'string' ? row['body'].length : 100
    if (part.length < partRows && characters < partCharacters) continue
    yield part
    part = []
    characters = 0
  }
  if (part.length > 0) yield part
}

function* readKind({ raw }: Database, kind: MovedKind, workspaceId: number): Generator<AnyRow> {
  const columns = movedColumns[kind]
  const statement = raw.prepare(selectText(kind, workspaceId))
  for (const found of statement.iterate(workspaceId)) {
    const row = found as AnyRow // texts and numbers: no column holds a blob
    yield Object.fromEntries(
      Object.entries(columns).map(([name, type]) => [name, type === 'boolean' ? row[name] === 1 : (row[name] ?? null)]),
    )
  }
}

function selectText(kind: MovedKind, workspaceId: number): string {
  const names = Object.keys(movedColumns[kind])
  if (kind === 'log') return `select ${names.join(', ')} from workspace where id = ?`
  if (kind === 'event')
    return `select ${names.join(', ')} from ${eventTable(workspaceId)} where ? > 0 order by position`
  if (!isOfInbox(kind)) {
    return `select ${names.join(', ')} from ${kind} where workspace_id = ? order by ${orderOf[kind] ?? 'id'}`
  }
  const columns = names.map((name) => (name === 'inbox' ? 'inbox.key as inbox' : `${kind}.${name}`))
  return `select ${columns.join(', ')} from ${kind} join inbox on inbox.id = ${kind}.inbox_id
    where inbox.workspace_id = ? order by ${orderOf[kind] ?? `${kind}.id`}`
}

/** Where it is not the number of the row: tables without one. */
const orderOf: Partial<Record<MovedKind, string>> = {
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
