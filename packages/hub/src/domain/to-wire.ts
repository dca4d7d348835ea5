import { inboxDefaults, type Attempt, type AuditEntry, type Inbox, type Key, type Verdict } from '@sluice/protocol'
import type {
  AttemptRow,
  AuditRow,
  DeadLetterRow,
  InboxProgress,
  InboxRow,
  KeyRow,
  StoredEvent,
  VerdictRow,
} from '../store/store.ts'
import type { Workspace } from './context.ts'
import { toId } from './event-address.ts'

let lastMs = 0
let lastIso = new Date(0).toISOString()

/** ISO 8601 in UTC. Neighbouring events share their millisecond, and printing one takes longer than remembering it. */
export function toIso(ms: number): string {
  if (ms !== lastMs) {
    lastIso = new Date(ms).toISOString()
    lastMs = ms
  }
  return lastIso
}

const isoOrNull = (ms: number | null): string | null => (ms === null ? null : toIso(ms))

/** The event as JSON text: the hub's own members are put in front of the publisher's, whose text is not touched. */
export function toEventText(
  workspace: Workspace,
  event: Pick<StoredEvent, 'acceptedMs' | 'position' | 'body'>,
  attempt?: number,
): string {
  const { acceptedMs } = event
  const id = toId(workspace, event)
  const own = `{"event_id":"${id}","timestamp":"${toIso(acceptedMs)}",${attempt === undefined ? '' : `"attempt":${attempt},`}`
  return own + (event.body ?? '{}').slice(1)
}

export function toWireInbox(inbox: InboxRow, progress: InboxProgress, nowMs: number): Omit<Inbox, 'door'> {
  const { behind, waiting, leased, parked, dead, blocked, oldestMs } = progress
  return {
    key: inbox.key,
    status: inbox.status,
    // One that is older than a setting has its default.
    ...inboxDefaults,
    ...inbox.settings,
    revision: inbox.revision,
    generation: inbox.generation,
    created_at: toIso(inbox.createdMs),
    blocked,
    behind,
    waiting,
    leased,
    parked,
    dead,
    oldest_age_seconds: oldestMs === null ? null : Math.max(0, Math.round((nowMs - oldestMs) / 1000)),
  }
}

/** Never a hash, and nothing that is sealed. */
export function toWireKey(key: KeyRow, workspace: string): Key {
  return {
    key_id: key.keyId,
    workspace,
    user_id: key.userId,
    user_email: key.userEmail,
    role: key.role,
    allowed_event_types: key.allowedEventTypes,
    allowed_actions: key.allowedActions,
    rate_limit: key.rateLimit,
    expires_at: isoOrNull(key.expiresMs),
    status: key.status,
    hmac: key.hmac !== null,
    require_hmac: key.hmac?.required ?? false,
    created_at: toIso(key.createdMs),
    last_used_at: isoOrNull(key.lastUsedMs),
  }
}

export function toWireAttempt(workspace: Workspace, attempt: AttemptRow): Attempt {
  return {
    event_id: toId(workspace, attempt),
    attempt: attempt.attempt,
    outcome: attempt.outcome,
    reason: attempt.reason,
    at: toIso(attempt.atMs),
    lease_id: attempt.leaseId,
    ms: attempt.ms,
    result: attempt.result,
  }
}

export function toWireVerdict(workspace: Workspace, verdict: VerdictRow): Verdict {
  return {
    inbox: verdict.inbox,
    verdict: verdict.verdict,
    rule: verdict.rule,
    revision: verdict.revision,
    reason: verdict.reason,
    attempts: verdict.attempts,
    lease_id: verdict.leaseId,
    leased_until: isoOrNull(verdict.leasedUntilMs),
    available_at: isoOrNull(verdict.availableMs),
    history: verdict.history.map((attempt) => toWireAttempt(workspace, attempt)),
  }
}

/** As JSON text: the copy of the event is the publisher's own text. */
export function toDeadLetterText(workspace: Workspace, letter: DeadLetterRow): string {
  const own = JSON.stringify({
    event_id: toId(workspace, letter),
    event_type: letter.eventType,
    attempts: letter.attempts,
    reason: letter.reason,
    dead_at: toIso(letter.deadMs),
  })
  return `${own.slice(0, -1)},"event":${toEventText(workspace, letter)}}`
}

export function toWireAudit(entry: AuditRow): AuditEntry {
  return { at: toIso(entry.atMs), actor: entry.actor, verb: entry.verb, target: entry.target, details: entry.details }
}
