import { toSpan } from '../inbox-rules/parked.ts'
import { behindMs, maxSpan, type Parked, type ParkedRows, type ParkedSpan } from '../inbox-rules/rows.ts'
import { printRuns } from '../runs.ts'
import { early, type Ahead } from './asked-ahead.ts'
import type { Value } from './connections.ts'
import type { Transaction } from './transactions.ts'

const columns = `parked.id, parked.first, parked.last, parked.positions, parked.revision, parked.available_ms as "availableMs",
  parked.attempt, parked.alone, parked.lease_id as "leaseId", parked.released_by as "releasedBy", parked.subject`

export function parkedRows(transaction: Transaction, ahead: Ahead): ParkedRows {
  const write: Transaction['write'] = (text, values) => {
    ahead.available = undefined
    transaction.write(text, values)
  }
  return { ...readingRows(transaction, ahead), ...askingRows(transaction), ...writingRows({ ...transaction, write }) }
}

type WritingVerb = 'park' | 'parkEach' | 'removeParked' | 'keepParked' | 'shortenParked'

type AskingVerb = 'parkedSpans' | 'nextAvailableMs' | 'isOccupied'

function readingRows({ query }: Transaction, ahead: Ahead): Omit<ParkedRows, WritingVerb | AskingVerb> {
  const list = (sql: string, values: readonly Value[]): Promise<Parked[]> =>
    query<Parked>(`select ${columns} from parked where ${sql}`, values)
  return {
    available: (inbox, nowMs, limit) => {
      const known = ahead.available
      if (known?.inboxId === inbox.id && known.nowMs === nowMs && known.limit === limit) return known.found
      const found = early(
        list(`inbox_id = $1 and available_ms <= $2 order by available_ms, first limit $3`, [inbox.id, nowMs, limit]),
      )
      ahead.available = { inboxId: inbox.id, nowMs, limit, found }
      return found
    },
    availableInOrder: (inbox, nowMs, limit) =>
      list(
        `inbox_id = $1 and available_ms <= $2
         and not exists (select 1 from lease_subject as held where held.inbox_id = parked.inbox_id
           and held.subject = parked.subject)
         and not exists (select 1 from parked as earlier where earlier.inbox_id = parked.inbox_id
           and earlier.subject = parked.subject and earlier.first < parked.first)
         and not ($3::boolean and exists (select 1 from dead_letter as dead where dead.inbox_id = parked.inbox_id
           and dead.subject = parked.subject))
         order by available_ms, first limit $4`,
        [inbox.id, nowMs, inbox.settings.on_dead === 'block', limit],
      ),
    parkedAround: (inbox, positions) =>
      query<Parked>(
        `select distinct on (parked.id) ${columns} from unnest($2::bigint[]) as asked (position)
         join parked on parked.inbox_id = $1 and parked.first between asked.position - ${maxSpan} and asked.position
           and parked.last >= asked.position`,
        [inbox.id, positions],
      ),
    parkedAfter: (inbox, after, limit) =>
      list(`inbox_id = $1 and first > $2 and last > $3 order by first limit $4`, [
        inbox.id,
        after - maxSpan,
        after,
        limit,
      ]),
    parkedUpTo: (inbox, last) => list(`inbox_id = $1 and first <= $2 order by first`, [inbox.id, last]),
    parkedOfLease: (inbox, leaseId) => list(`inbox_id = $1 and lease_id = $2`, [inbox.id, leaseId]),
  }
}

function askingRows({ query }: Transaction): Pick<ParkedRows, AskingVerb> {
  return {
    parkedSpans: (inbox) =>
      query<ParkedSpan>(
        `select first, last, positions, available_ms as "availableMs" from parked where inbox_id = $1 order by first`,
        [inbox.id],
      ),
    nextAvailableMs: async (inbox, nowMs) => {
      const [found] = await query<{ at: number | null }>(
        `select min(available_ms) as at from parked where inbox_id = $1 and available_ms > $2 and available_ms < $3`,
        [inbox.id, nowMs, behindMs],
      )
      return found?.at ?? null
    },
    isOccupied: async (inbox) => {
      const [found] = await query<{ occupied: boolean }>(
        `select exists (select 1 from lease where inbox_id = $1) or exists (select 1 from parked where inbox_id = $1)
           as occupied`,
        [inbox.id],
      )
      return found?.occupied === true
    },
  }
}

function writingRows({ write }: Transaction): Pick<ParkedRows, WritingVerb> {
  return {
    park: (inbox, list) => {
      if (list.length === 0) return
      write(
        `insert into parked (inbox_id, first, last, positions, revision, available_ms, attempt, alone, lease_id, released_by, subject)
         select $1, made.* from unnest($2::bigint[], $3::bigint[], $4::text[], $5::int[], $6::bigint[], $7::int[], $8::boolean[],
           $9::text[], $10::text[], $11::text[]) as made`,
        [
          inbox.id,
          list.map(({ first }) => first),
          list.map(({ last }) => last),
          list.map(({ positions }) => positions),
          list.map(({ revision }) => revision),
          list.map(({ availableMs }) => availableMs),
          list.map(({ attempt }) => attempt),
          list.map(({ alone }) => String(alone)),
          list.map(({ leaseId }) => leaseId),
          list.map(({ releasedBy }) => releasedBy),
          list.map(({ subject }) => subject),
        ],
      )
    },
    parkEach: (inbox, positions, { availableMs, attempt, alone, leaseId, releasedBy }) => {
      if (positions.length === 0) return
      write(
        `insert into parked (inbox_id, first, last, positions, available_ms, attempt, alone, lease_id, released_by, subject)
         select $1, position, position, position::text, $4, $5, $6, $7, $8, subject from event
         where workspace_id = $2 and position = any($3::bigint[]) order by event.position`,
        [inbox.id, inbox.workspaceId, positions, availableMs, attempt, alone, leaseId, releasedBy],
      )
    },
    removeParked: (_inbox, id) => write(`delete from parked where id = $1`, [id]),
    keepParked: (_inbox, id, runs) => {
      const { first, last } = toSpan(runs)
      write(`update parked set first = $1, last = $2, positions = $3 where id = $4`, [first, last, printRuns(runs), id])
    },
    shortenParked: (_inbox, id, first) => write(`update parked set first = $1 where id = $2`, [first, id]),
  }
}
