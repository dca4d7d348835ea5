import type { KeyStatus } from '@sluice/protocol'
import { changeKey, type KeyChange } from '../change-key.ts'
import type { AuditRow, KeyRow } from '../store.ts'
import type { Connection } from './connections.ts'
import type { Transaction } from './transactions.ts'

type KeyColumns = Omit<KeyRow, 'allowedEventTypes' | 'allowedActions' | 'hmac'> & {
  allowedEventTypes: string | null
  allowedActions: string | null
  hmac: string | null
}

const keyColumns = `key_id as "keyId", workspace_id as "workspaceId", secret_hash as "secretHash", previous_hash as "previousHash",
  previous_until_ms as "previousUntilMs", user_id as "userId", user_email as "userEmail", role,
  allowed_event_types as "allowedEventTypes", allowed_actions as "allowedActions", rate_limit as "rateLimit",
  expires_ms as "expiresMs", status, created_ms as "createdMs", last_used_ms as "lastUsedMs", hmac`

function toKey(columns: KeyColumns): KeyRow {
  // As putKey has written them.
  const parse = <Value>(text: string | null): Value | null => (text === null ? null : JSON.parse(text))
  return {
    ...columns,
    allowedEventTypes: parse(columns.allowedEventTypes),
    allowedActions: parse(columns.allowedActions),
    hmac: parse(columns.hmac),
  }
}

export async function findKey({ query }: Connection, keyId: string): Promise<KeyRow | undefined> {
  const [found] = await query<KeyColumns>(`select ${keyColumns} from api_key where key_id = $1`, [keyId])
  return found && toKey(found)
}

type KeyPage = { readonly after: string; readonly limit: number; readonly status?: KeyStatus }

export async function listKeys(
  { query }: Connection,
  workspaceId: number,
  { after, limit, status }: KeyPage,
): Promise<KeyRow[]> {
  const found = await query<KeyColumns>(
    `select ${keyColumns} from api_key where workspace_id = $1 and key_id > $2 and ($3::text is null or status = $3)
     order by key_id limit $4`,
    [workspaceId, after, status ?? null, limit],
  )
  return found.map(toKey)
}

export function putKey({ write }: Transaction, key: KeyRow): void {
  const print = (value: object | null): string | null => (value === null ? null : JSON.stringify(value))
  write(
    `insert into api_key (key_id, workspace_id, secret_hash, previous_hash, previous_until_ms, user_id, user_email, role,
       allowed_event_types, allowed_actions, rate_limit, expires_ms, status, created_ms, last_used_ms, hmac)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)
     on conflict (key_id) do update set secret_hash = excluded.secret_hash, previous_hash = excluded.previous_hash,
       previous_until_ms = excluded.previous_until_ms, user_id = excluded.user_id, user_email = excluded.user_email,
       role = excluded.role, allowed_event_types = excluded.allowed_event_types, allowed_actions = excluded.allowed_actions,
       rate_limit = excluded.rate_limit, expires_ms = excluded.expires_ms, status = excluded.status,
       last_used_ms = excluded.last_used_ms, hmac = excluded.hmac`,
    [
      key.keyId,
      key.workspaceId,
      key.secretHash,
      key.previousHash,
      key.previousUntilMs,
      key.userId,
      key.userEmail,
      key.role,
      print(key.allowedEventTypes),
      print(key.allowedActions),
      key.rateLimit,
      key.expiresMs,
      key.status,
      key.createdMs,
      key.lastUsedMs,
      print(key.hmac),
    ],
  )
}

export async function updateKey(
  transaction: Transaction,
  keyId: string,
  change: KeyChange,
): Promise<KeyRow | undefined> {
  const known = await findKey(transaction, keyId)
  if (!known) return undefined
  const key = changeKey(known, change)
  putKey(transaction, key)
  return key
}

export function appendAudit({ write }: Transaction, entry: Omit<AuditRow, 'id' | 'atMs'>, nowMs: number): void {
  write(`insert into audit (workspace_id, at_ms, actor, verb, target, details) values ($1, $2, $3, $4, $5, $6)`, [
    entry.workspaceId,
    nowMs,
    entry.actor,
    entry.verb,
    entry.target,
    JSON.stringify(entry.details),
  ])
}

export async function listAudit(
  { query }: Connection,
  workspaceId: number,
  page: { before: number; limit: number },
): Promise<AuditRow[]> {
  const found = await query<Omit<AuditRow, 'details'> & { details: string }>(
    `select id, workspace_id as "workspaceId", at_ms as "atMs", actor, verb, target, details from audit
     where workspace_id = $1 and id < $2 order by id desc limit $3`,
    [workspaceId, page.before, page.limit],
  )
  return found.map((entry) => ({ ...entry, details: JSON.parse(entry.details) }))
}
