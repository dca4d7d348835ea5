import { defaultInbox } from '@sluice/protocol/defaults'
import { HubError } from '@sluice/protocol/error'
import {
  holdsSomething,
  integrationTables,
  isOfInbox,
  lateKinds,
  movedColumns,
  refuseGap,
  refuseHeld,
  refuseKey,
  refuseSecond,
  scheduleTables,
} from '../moving.ts'
import type { AnyRow, Held, ImportChunk, ImportState, MovedKind } from '../moving.ts'
import { sourceTables } from '../sources.ts'
import type { Connection } from './connections.ts'
import type { Locks } from './locks.ts'
import type { Transaction } from './transactions.ts'
import { deleteRowsOf, findWorkspace } from './workspaces.ts'

type Unfinished = ImportState & { readonly workspaceId: number }

export async function findImport({ query }: Connection, workspace: string): Promise<Unfinished | undefined> {
  const found = await query<Unfinished>(
    `select workspace_id as "workspaceId", file, chunks, digest from unfinished_import where workspace = $1`,
    [workspace],
  )
  return found[0]
}

async function requireImport(transaction: Transaction, workspace: string): Promise<Unfinished> {
  const found = await findImport(transaction, workspace)
  if (!found) throw new HubError('conflict', `no import into workspace "${workspace}" is under way`)
  return found
}

/** In the transaction of the slot that all changes to workspaces and keys share, as the others here. */
export async function beginImport(transaction: Transaction, workspace: string, file: string): Promise<void> {
  if (await findImport(transaction, workspace)) throw refuseSecond(workspace)
  await requireEmpty(transaction, workspace)
  // A number that no workspace has had or will have.
  transaction.write(
    `insert into unfinished_import (workspace, workspace_id, file, chunks, digest)
     values ($1, nextval(pg_get_serial_sequence('workspace', 'id')), $2, 0, '')`,
    [workspace, file],
  )
}

/** Answers the number of the empty workspace of that key, if there is one. */
async function requireEmpty(transaction: Transaction, workspace: string): Promise<number | undefined> {
  const found = await findWorkspace(transaction, workspace)
  if (!found) return undefined
  const [held] = await transaction.query<Held>(
    `select head, (select count(*) from inbox where workspace_id = $1 and key <> $2) as inboxes,
       (select count(*) from event_type where workspace_id = $1) as types,
       (select count(*) from quarantine where workspace_id = $1) as kept,
       (select count(*) from connection where workspace_id = $1) as connections,
       (select count(*) from oauth_client where workspace_id = $1) as clients,
       (select count(*) from polling_trigger where workspace_id = $1) as triggers,
       (select count(*) from budget where workspace_id = $1) as budgets,
       (select count(*) from scheduled_event where workspace_id = $1)
         + (select count(*) from schedule where workspace_id = $1) as scheduled,
       (select count(*) from source where workspace_id = $1) as sources
     from log where workspace_id = $1`,
    [found.id, defaultInbox],
  )
  if (held && holdsSomething(held)) throw refuseHeld(workspace, held)
  return found.id
}

export async function importChunk(
  transaction: Transaction,
  workspace: string,
  { number, digest, rows }: ImportChunk,
): Promise<void> {
  const { workspaceId, chunks } = await requireImport(transaction, workspace)
  if (number !== chunks + 1) throw refuseGap(number, chunks)
  await refuseKnown(
    transaction,
    rows.flatMap((moved) => (moved.kind === 'api_key' ? [moved.row.key_id] : [])),
  )
  for (const [kind, list] of Map.groupBy(rows, (moved) => moved.kind)) {
    const contents = list.map(({ row }) => row)
    if (lateKinds.has(kind)) keepForLater(transaction, { workspaceId, kind, contents })
    else insert(transaction, { workspaceId, kind, contents })
  }
  transaction.write(`update unfinished_import set chunks = $2, digest = $3 where workspace = $1`, [
    workspace,
    number,
    digest,
  ])
}

async function refuseKnown({ query }: Transaction, keyIds: readonly string[]): Promise<void> {
  if (keyIds.length === 0) return
  const [known] = await query<{ keyId: string }>(
    `select key_id as "keyId" from api_key where key_id = any($1::text[]) limit 1`,
    [keyIds],
  )
  if (known) throw refuseKey(known.keyId)
}

type Contents = { readonly workspaceId: number; readonly kind: MovedKind; readonly contents: readonly AnyRow[] }

function keepForLater({ write }: Transaction, { workspaceId, kind, contents }: Contents): void {
  write(
    `insert into late_row (workspace_id, kind, content)
     select $1, $2, content from unnest($3::text[]) with ordinality as made (content, number) order by number`,
    [workspaceId, kind, contents.map((content) => print(content))],
  )
}

/** One statement for all rows of a kind, however many: they travel as JSON. */
function insert({ write }: Transaction, { workspaceId, kind, contents }: Contents): void {
  const types = Object.entries(movedColumns[kind]).map(([name, type]) => `${name} ${typeOf[type]}`)
  const names = Object.keys(movedColumns[kind])
  const made = `rows from (json_to_recordset($2::json) as (${types.join(', ')})) with ordinality
    as made (${names.join(', ')}, number)`
  const own = names.filter((name) => name !== 'inbox')
  const columns = own.map((name) => `made.${name}`).join(', ')
  const text = isOfInbox(kind)
    ? `insert into ${kind} (inbox_id, ${own.join(', ')})
       select inbox.id, ${columns} from ${made} join inbox on inbox.workspace_id = $1 and inbox.key = made.inbox
       order by made.number`
    : `insert into ${kind} (workspace_id, ${own.join(', ')}) select $1, ${columns} from ${made} order by made.number`
  write(text, [workspaceId, print(contents)])
}

const typeOf = { number: 'bigint', 'number?': 'bigint', text: 'text', 'text?': 'text', boolean: 'boolean' } as const

/** Postgres keeps no NUL in a text. Names and ids have none; a reason that a consumer gave might. */
function print(value: AnyRow | readonly AnyRow[]): string {
  return JSON.stringify(value, (_name, member: unknown) =>
    typeof member === 'string' ? member.replaceAll('\0', '\u{fffd}').toWellFormed() : member,
  )
}

/** After whoever is changing the empty workspace, as when one is removed. */
export async function finishImport(transaction: Transaction, locks: Locks, workspace: string): Promise<void> {
  const { workspaceId } = await requireImport(transaction, workspace)
  const empty = await findWorkspace(transaction, workspace)
  if (empty)
    for (const slot of ['log', 'connections', 'triggers', 'scheduled', 'sources'])
      await transaction.query(locks.take, [...locks.key(`${slot}/${empty.id}`)])
  const replaced = await requireEmpty(transaction, workspace)
  if (replaced !== undefined) await replace(transaction, replaced, workspaceId)
  const late = await transaction.query<{ kind: MovedKind; content: string }>(
    `select kind, content from late_row where workspace_id = $1 order by id`,
    [workspaceId],
  )
  for (const [kind, list] of Map.groupBy(late, (row) => row.kind)) {
    const contents = list.map(({ content }) => JSON.parse(content) as AnyRow) // as importChunk has written it
    if (kind === 'log') putLog(transaction, { workspace, workspaceId }, contents[0] ?? {})
    else insert(transaction, { workspaceId, kind, contents })
  }
  endImport(transaction, workspaceId)
}

type Place = { readonly workspace: string; readonly workspaceId: number }

function putLog({ write }: Transaction, { workspace, workspaceId }: Place, log: AnyRow): void {
  const { tag = 0, created_ms: createdMs = 0, earlier_tags: earlierTags = '[]' } = log
  write(
    `insert into workspace (id, key, tag, earlier_tags, created_ms) overriding system value values ($1, $2, $3, $4, $5)`,
    [workspaceId, workspace, tag, earlierTags, createdMs],
  )
  write(`insert into log (workspace_id, head, accepted_ms, trimmed_to, irregular_to) values ($1, $2, $3, $4, $5)`, [
    workspaceId,
    ...['head', 'accepted_ms', 'trimmed_to', 'irregular_to'].map((name) => log[name] ?? 0),
  ])
}

/** The empty workspace goes; its keys and its audit stay. */
async function replace(transaction: Transaction, empty: number, workspaceId: number): Promise<void> {
  const { query, write } = transaction
  for (const table of ['api_key', 'audit'] as const) {
    write(`update ${table} set workspace_id = $2 where workspace_id = $1`, [empty, workspaceId])
  }
  for (const { id } of await query<{ id: number }>(`select id from inbox where workspace_id = $1`, [empty])) {
    deleteRowsOf(transaction, id)
  }
  write(`delete from inbox where workspace_id = $1`, [empty])
  write(`delete from log where workspace_id = $1`, [empty])
  write(`delete from dedup where workspace_id = $1`, [empty])
  for (const table of ['event_type_setting', ...integrationTables, ...scheduleTables, ...sourceTables])
    write(`delete from ${table} where workspace_id = $1`, [empty])
  write(`delete from workspace where id = $1`, [empty])
}

function endImport({ write }: Transaction, workspaceId: number): void {
  write(`delete from late_row where workspace_id = $1`, [workspaceId])
  write(`delete from unfinished_import where workspace_id = $1`, [workspaceId])
}

/** What it has written becomes a removed workspace, whose rows go in small steps. */
export async function discardImport(transaction: Transaction, workspace: string): Promise<boolean> {
  const found = await findImport(transaction, workspace)
  if (!found) return false
  transaction.write(
    `insert into workspace (id, key, tag, created_ms) overriding system value values ($1, null, 0, 0)`,
    [found.workspaceId],
  )
  transaction.write(`delete from audit where workspace_id = $1`, [found.workspaceId])
  endImport(transaction, found.workspaceId)
  return true
}
