import { HubError } from '@sluice/protocol/error'
import type { Quarantine, QuarantineDraft, QuarantineOutcome, QuarantineRow, ReleaseDraft } from '../quarantine.ts'
import type { AppendOutcome, Draft } from '../store.ts'
import { appendEvents, findKnown, findRepetition } from './append.ts'
import type { Connection } from './connections.ts'
import type { Parts } from './store-parts.ts'
import type { Transaction } from './transactions.ts'

type Columns = Omit<QuarantineRow, 'dedup'> & { readonly dedup: string }

const columns = `id as place, quarantine_id as id, at_ms as "atMs", event_type as "eventType", source, subject, body, notes, dedup,
  version, faults`

const toRow = ({ dedup, ...rest }: Columns): QuarantineRow => ({ ...rest, dedup: JSON.parse(dedup) })

/** Changes of a workspace's quarantine follow one another. */
export function createQuarantine({ connections, transactions, wakes, nowMs }: Parts): Quarantine {
  const { query } = connections
  const slotOf = (workspaceId: number): string => `quarantine/${workspaceId}`
  return {
    findRepetitions: async (workspaceId, drafts) => {
      const known = await findKnown(connections, workspaceId, drafts, nowMs())
      return drafts.map((draft) => findRepetition(known, draft))
    },
    findKept: async (workspaceId, drafts) => {
      const kept = await findKept(connections, workspaceId, drafts)
      return drafts.map((draft) => keptAs(kept, draft))
    },
    add: (workspaceId, drafts) =>
      transactions.run(slotOf(workspaceId), (transaction) => add(transaction, { workspaceId, nowMs: nowMs() }, drafts)),
    list: async (workspaceId, { after, limit, eventType }) => {
      const found = await query<Columns>(
        `select ${columns} from quarantine where workspace_id = $1 and quarantine.id > $2 and ($3::text is null or event_type = $3)
         order by quarantine.id limit $4`,
        [workspaceId, after, eventType ?? null, limit],
      )
      return found.map(toRow)
    },
    find: async (workspaceId, ids) => {
      const found = await query<Columns>(
        `select ${columns} from quarantine where workspace_id = $1 and quarantine_id = any($2::text[]) order by quarantine.id`,
        [workspaceId, ids],
      )
      return found.map(toRow)
    },
    release: async (workspaceId, drafts) => {
      const outcomes = await transactions.run(`log/${workspaceId}`, (transaction) =>
        release(transaction, { workspaceId, nowMs: nowMs() }, drafts),
      )
      const appended = drafts.filter((_draft, at) => outcomes[at]?.status === 'stored')
      if (appended.length > 0) wakes.announce({ workspaceId, appended })
      return outcomes
    },
    remove: (workspaceId, choice) =>
      transactions.run(slotOf(workspaceId), (transaction) => remove(transaction, workspaceId, choice)),
    count: async (workspaceId, eventType) => {
      const [found] = await query<{ count: number }>(
        `select count(*) as count from quarantine where workspace_id = $1 and ($2::text is null or event_type = $2)`,
        [workspaceId, eventType ?? null],
      )
      return found?.count ?? 0
    },
  }
}

type Place = { readonly workspaceId: number; readonly nowMs: number }
type Kept = { readonly fingerprint: string; readonly id: string; readonly atMs: number }

async function add(
  transaction: Transaction,
  place: Place,
  drafts: readonly QuarantineDraft[],
): Promise<QuarantineOutcome[]> {
  const { workspaceId, nowMs } = place
  const [kept, [log]] = await Promise.all([
    findKept(transaction, workspaceId, drafts),
    transaction.query(`select 1 as found from log where workspace_id = $1`, [workspaceId]),
  ])
  if (!log) throw new HubError('not-found', 'the workspace does not exist')
  const fresh: QuarantineDraft[] = []
  const outcomes = drafts.map((draft): QuarantineOutcome => {
    const known = keptAs(kept, draft)
    if (known) return known
    fresh.push(draft)
    for (const { key, fingerprint } of draft.dedup) kept.set(key, { fingerprint, id: draft.id, atMs: nowMs })
    return { status: 'added', id: draft.id, atMs: nowMs }
  })
  if (fresh.length > 0) keep(transaction, place, fresh)
  return outcomes
}

function keptAs(kept: ReadonlyMap<string, Kept>, { dedup }: Draft): QuarantineOutcome | undefined {
  for (const { key, fingerprint } of dedup) {
    const known = kept.get(key)
    if (!known) continue
    if (known.fingerprint !== fingerprint) return { status: 'mismatch' }
    return { status: 'repeated', id: known.id, atMs: known.atMs }
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
    `select quarantine_key.key, quarantine_key.fingerprint, quarantine.quarantine_id as id, quarantine.at_ms as "atMs"
     from quarantine_key join quarantine using (workspace_id, quarantine_id)
     where workspace_id = $1 and quarantine_key.key = any($2::text[])`,
    [workspaceId, keys],
  )
  return new Map(found.map((row) => [row.key, row]))
}

function keep({ write }: Transaction, { workspaceId, nowMs }: Place, drafts: readonly QuarantineDraft[]): void {
  write(
    `insert into quarantine (workspace_id, at_ms, quarantine_id, event_type, source, subject, body, notes, dedup, version, faults)
     select $1, $2, made.* from unnest($3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[], $9::text[],
       $10::int[], $11::text[]) as made`,
    [
      workspaceId,
      nowMs,
      drafts.map(({ id }) => id),
      drafts.map(({ eventType }) => eventType),
      drafts.map(({ source }) => source),
      drafts.map(({ subject }) => subject),
      drafts.map(({ body }) => body),
      drafts.map(({ notes }) => notes),
      drafts.map(({ dedup }) => JSON.stringify(dedup)),
      drafts.map(({ version }) => version),
      drafts.map(({ faults }) => faults),
    ],
  )
  const keys = drafts.flatMap(({ id, dedup }) => dedup.map((known) => ({ ...known, id })))
  if (keys.length === 0) return
  write(
    `insert into quarantine_key (workspace_id, key, fingerprint, quarantine_id)
     select $1, made.* from unnest($2::text[], $3::text[], $4::text[]) as made
     on conflict (workspace_id, key) do update set fingerprint = excluded.fingerprint, quarantine_id = excluded.quarantine_id`,
    [workspaceId, keys.map(({ key }) => key), keys.map(({ fingerprint }) => fingerprint), keys.map(({ id }) => id)],
  )
}

/** In the log's slot. Against `remove`, which has another, the rows are locked, by both in the order of their ids. */
async function release(
  transaction: Transaction,
  { workspaceId, nowMs }: Place,
  drafts: readonly ReleaseDraft[],
): Promise<(AppendOutcome | undefined)[]> {
  const found = await transaction.query<{ id: string }>(
    `select quarantine_id as id from quarantine where workspace_id = $1 and quarantine_id = any($2::text[])
     order by quarantine.id for update`,
    [workspaceId, drafts.map(({ id }) => id)],
  )
  const there = new Set(found.map(({ id }) => id))
  const places = drafts.flatMap(({ id }, place) => (there.delete(id) ? place : []))
  const taken = drafts.filter((_draft, place) => places.includes(place))
  const appended = await appendEvents(transaction, workspaceId, taken, nowMs)
  const gone = taken.flatMap(({ id }, at) => (appended[at]?.status === 'mismatch' ? [] : id))
  if (gone.length > 0) takeOut(transaction, workspaceId, gone)
  const outcomes = new Map(places.map((place, at) => [place, appended[at]]))
  return drafts.map((_draft, place) => outcomes.get(place))
}

async function remove(
  transaction: Transaction,
  workspaceId: number,
  choice: Parameters<Quarantine['remove']>[1],
): Promise<number> {
  const found = await transaction.query<{ id: string }>(
    `select quarantine_id as id from quarantine
     where workspace_id = $1 and (event_type = $2 or quarantine_id = any($3::text[])) order by quarantine.id for update`,
    [workspaceId, 'eventType' in choice ? choice.eventType : null, 'ids' in choice ? choice.ids : []],
  )
  if (found.length === 0) return 0
  const ids = found.map(({ id }) => id)
  takeOut(transaction, workspaceId, ids)
  return ids.length
}

function takeOut({ write }: Transaction, workspaceId: number, ids: readonly string[]): void {
  write(`delete from quarantine_key where workspace_id = $1 and quarantine_id = any($2::text[])`, [workspaceId, ids])
  write(`delete from quarantine where workspace_id = $1 and quarantine_id = any($2::text[])`, [workspaceId, ids])
}
