import { HubError } from '@sluice/protocol/error'
import type { DueEvent, ScheduledDraft, ScheduledEvents, ScheduledOutcome, ScheduledRow } from '../scheduled.ts'
import type { Draft } from '../store.ts'
import type { Connection } from './connections.ts'
import type { Parts } from './store-parts.ts'
import type { Transaction } from './transactions.ts'

type Columns<Row> = Omit<Row, 'dedup'> & { readonly dedup: string }

const columns = `id as place, scheduled_id as id, due_ms as "dueMs", at_ms as "atMs", event_type as "eventType", source, subject,
  body, notes, dedup`

const toRow = <Row extends ScheduledRow>({ dedup, ...rest }: Columns<Row>): Row =>
  ({ ...rest, dedup: JSON.parse(dedup) }) as unknown as Row // the columns above

/** Changes of what a workspace has scheduled follow one another; claims are made by the rows alone. */
export function createScheduledEvents({ connections, transactions, nowMs }: Parts): ScheduledEvents {
  const { query } = connections
  const change = <Result>(workspaceId: number, work: (transaction: Transaction) => Promise<Result>): Promise<Result> =>
    transactions.run(`scheduled/${workspaceId}`, work)
  return {
    findKept: async (workspaceId, drafts) => {
      const kept = await findKept(connections, workspaceId, drafts)
      return drafts.map((draft) => keptAs(kept, draft))
    },
    add: (workspaceId, drafts) =>
      change(workspaceId, (transaction) => add(transaction, { workspaceId, nowMs: nowMs() }, drafts)),
    list: async (workspaceId, { after, limit }) => {
      const found = await query<Columns<ScheduledRow>>(
        `select ${columns} from scheduled_event where workspace_id = $1 and (due_ms, scheduled_event.id) > ($2, $3)
         order by due_ms, scheduled_event.id limit $4`,
        [workspaceId, after.dueMs, after.place, limit],
      )
      return found.map(toRow)
    },
    find: async (workspaceId, id) => {
      const [found] = await query<Columns<ScheduledRow>>(
        `select ${columns} from scheduled_event where workspace_id = $1 and scheduled_id = $2`,
        [workspaceId, id],
      )
      return found && toRow(found)
    },
    claimDue: async (limit, forMs) => {
      const found = await query<Columns<DueEvent>>(
        `update scheduled_event set claimed_until_ms = $1 where id in (
           select id from scheduled_event where due_ms <= $2 and claimed_until_ms <= $2
             -- a workspace that is gone has none, though its rows may take a while to go
             and exists (select 1 from log where log.workspace_id = scheduled_event.workspace_id)
           order by due_ms, id limit $3
           for update skip locked)
         returning ${columns}, workspace_id as "workspaceId"`,
        [nowMs() + forMs, nowMs(), limit],
      )
      return found.map(toRow).toSorted((left, right) => left.dueMs - right.dueMs || left.place - right.place)
    },
    count: async (workspaceId, most) => {
      const [found] = await query<{ count: number }>(
        `select count(*)::int as count from (select 1 from scheduled_event where workspace_id = $1 limit $2) as waiting`,
        [workspaceId, most],
      )
      return found?.count ?? 0
    },
    remove: (workspaceId, ids) => change(workspaceId, (transaction) => remove(transaction, workspaceId, ids)),
    cancel: (workspaceId, id) =>
      change(workspaceId, async (transaction) => {
        const [found] = await transaction.query<{ untilMs: number }>(
          `select claimed_until_ms as "untilMs" from scheduled_event where workspace_id = $1 and scheduled_id = $2 for update`,
          [workspaceId, id],
        )
        if (!found) return 'unknown'
        if (found.untilMs > nowMs()) return 'claimed'
        takeOut(transaction, workspaceId, [id])
        return 'cancelled'
      }),
  }
}

type Place = { readonly workspaceId: number; readonly nowMs: number }
type Kept = { readonly fingerprint: string; readonly id: string; readonly atMs: number; readonly dueMs: number }

async function add(
  transaction: Transaction,
  place: Place,
  drafts: readonly ScheduledDraft[],
): Promise<ScheduledOutcome[]> {
  const { workspaceId, nowMs } = place
  const [kept, [log]] = await Promise.all([
    findKept(transaction, workspaceId, drafts),
    transaction.query(`select 1 as found from log where workspace_id = $1`, [workspaceId]),
  ])
  if (!log) throw new HubError('not-found', 'the workspace does not exist')
  const fresh: ScheduledDraft[] = []
  const outcomes = drafts.map((draft): ScheduledOutcome => {
    const known = keptAs(kept, draft)
    if (known) return known
    const { id, dueMs, dedup } = draft
    fresh.push(draft)
    for (const { key, fingerprint } of dedup) kept.set(key, { fingerprint, id, atMs: nowMs, dueMs })
    return { status: 'added', id, atMs: nowMs, dueMs }
  })
  if (fresh.length > 0) keep(transaction, place, fresh)
  return outcomes
}

function keptAs(kept: ReadonlyMap<string, Kept>, { dedup }: Draft): ScheduledOutcome | undefined {
  for (const { key, fingerprint } of dedup) {
    const known = kept.get(key)
    if (!known) continue
    const { id, atMs, dueMs } = known
    return known.fingerprint === fingerprint ? { status: 'repeated', id, atMs, dueMs } : { status: 'mismatch' }
  }
  return undefined
}

async function findKept(
  { query }: Connection,
  workspaceId: number,
  drafts: readonly Draft[],
): Promise<Map<string, Kept>> {
  const keys = drafts.flatMap(({ dedup }) => dedup.map(({ key }) => key))
  if (keys.length === 0) return new Map()
  const found = await query<Kept & { key: string }>(
    `select scheduled_key.key, scheduled_key.fingerprint, scheduled_event.scheduled_id as id, at_ms as "atMs", due_ms as "dueMs"
     from scheduled_key join scheduled_event using (workspace_id, scheduled_id)
     where workspace_id = $1 and scheduled_key.key = any($2::text[])`,
    [workspaceId, keys],
  )
  return new Map(found.map((row) => [row.key, row]))
}

function keep({ write }: Transaction, { workspaceId, nowMs }: Place, drafts: readonly ScheduledDraft[]): void {
  write(
    `insert into scheduled_event (workspace_id, at_ms, scheduled_id, due_ms, event_type, source, subject, body, notes, dedup)
     select $1, $2, made.* from unnest($3::text[], $4::bigint[], $5::text[], $6::text[], $7::text[], $8::text[], $9::text[],
       $10::text[]) as made`,
    [
      workspaceId,
      nowMs,
      drafts.map(({ id }) => id),
      drafts.map(({ dueMs }) => dueMs),
      drafts.map(({ eventType }) => eventType),
      drafts.map(({ source }) => source),
      drafts.map(({ subject }) => subject),
      drafts.map(({ body }) => body),
      drafts.map(({ notes }) => notes),
      drafts.map(({ dedup }) => JSON.stringify(dedup)),
    ],
  )
  const keys = drafts.flatMap(({ id, dedup }) => dedup.map((known) => ({ ...known, id })))
  if (keys.length === 0) return
  write(
    `insert into scheduled_key (workspace_id, key, fingerprint, scheduled_id)
     select $1, made.* from unnest($2::text[], $3::text[], $4::text[]) as made
     on conflict (workspace_id, key) do update set fingerprint = excluded.fingerprint, scheduled_id = excluded.scheduled_id`,
    [workspaceId, keys.map(({ key }) => key), keys.map(({ fingerprint }) => fingerprint), keys.map(({ id }) => id)],
  )
}

async function remove(transaction: Transaction, workspaceId: number, ids: readonly string[]): Promise<number> {
  const found = await transaction.query(
    `select 1 as found from scheduled_event where workspace_id = $1 and scheduled_id = any($2::text[]) for update`,
    [workspaceId, ids],
  )
  if (found.length > 0) takeOut(transaction, workspaceId, ids)
  return found.length
}

function takeOut({ write }: Transaction, workspaceId: number, ids: readonly string[]): void {
  for (const table of ['scheduled_key', 'scheduled_event'])
    write(`delete from ${table} where workspace_id = $1 and scheduled_id = any($2::text[])`, [workspaceId, ids])
}
