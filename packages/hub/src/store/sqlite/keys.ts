import type { KeyStatus } from '@sluice/protocol'
import { changeKey, type KeyChange } from '../change-key.ts'
import type { AuditRow, KeyRow } from '../store.ts'
import { row, rows, type Database } from './database.ts'
import type { Engine } from './writer-state.ts'

type KeyColumns = Omit<KeyRow, 'allowedEventTypes' | 'allowedActions' | 'hmac'> & {
  allowedEventTypes: string | null
  allowedActions: string | null
  hmac: string | null
}

const keyColumns = `key_id as keyId, workspace_id as workspaceId, secret_hash as secretHash, previous_hash as previousHash,
  previous_until_ms as previousUntilMs, user_id as userId, user_email as userEmail, role, allowed_event_types as allowedEventTypes,
  allowed_actions as allowedActions, rate_limit as rateLimit, expires_ms as expiresMs, status, created_ms as createdMs,
  last_used_ms as lastUsedMs, hmac`

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

export function findKey(db: Database, keyId: string): KeyRow | undefined {
  const found = row<KeyColumns>(db.sql(`select ${keyColumns} from api_key where key_id = ?`), keyId)
  return found && toKey(found)
}

type KeyPage = { readonly after: string; readonly limit: number; readonly status?: KeyStatus }

export function listKeys(db: Database, workspaceId: number, { after, limit, status }: KeyPage): KeyRow[] {
  const statement = db.sql(
    `select ${keyColumns} from api_key where workspace_id = ? and key_id > ? and (? is null or status = ?) order by key_id limit ?`,
  )
  return rows<KeyColumns>(statement, workspaceId, after, status ?? null, status ?? null, limit).map(toKey)
}

export function putKey(engine: Engine, key: KeyRow): void {
  const print = (value: object | null): string | null => (value === null ? null : JSON.stringify(value))
  engine.db
    .sql(
      `insert or replace into api_key (key_id, workspace_id, secret_hash, previous_hash, previous_until_ms, user_id, user_email, role,
         allowed_event_types, allowed_actions, rate_limit, expires_ms, status, created_ms, last_used_ms, hmac)
       values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    )
    .run(
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
    )
}

export function updateKey(engine: Engine, keyId: string, change: KeyChange): KeyRow | undefined {
  const known = findKey(engine.db, keyId)
  if (!known) return undefined
  const key = changeKey(known, change)
  putKey(engine, key)
  return key
}

export function appendAudit(engine: Engine, entry: Omit<AuditRow, 'id' | 'atMs'>): void {
  engine.db
    .sql(`insert into audit (workspace_id, at_ms, actor, verb, target, details) values (?, ?, ?, ?, ?, ?)`)
    .run(entry.workspaceId, engine.nowMs, entry.actor, entry.verb, entry.target, JSON.stringify(entry.details))
}

export function listAudit(db: Database, workspaceId: number, page: { before: number; limit: number }): AuditRow[] {
  const statement = db.sql(
    `select id, workspace_id as workspaceId, at_ms as atMs, actor, verb, target, details from audit
     where workspace_id = ? and id < ? order by id desc limit ?`,
  )
  return rows<Omit<AuditRow, 'details'> & { details: string }>(statement, workspaceId, page.before, page.limit).map(
    (entry) => ({
      ...entry,
      details: JSON.parse(entry.details),
    }),
  )
}
