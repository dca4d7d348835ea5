import { toHeld, toHeldText } from '../inbox-rules/held.ts'
import type { HeldLease, LeaseRows } from '../inbox-rules/rows.ts'
import { early, leaseName, type Ahead } from './asked-ahead.ts'
import type { Transaction } from './transactions.ts'

type Columns = { leaseId: string; untilMs: number; held: string }

const columns = `lease_id as "leaseId", until_ms as "untilMs", held`

const toLease = ({ held, ...lease }: Columns): HeldLease => ({ ...lease, held: toHeld(held) })

export function leaseRows({ query, write }: Transaction, ahead: Ahead): LeaseRows {
  const list = async (sql: string, values: Parameters<typeof query>[1]): Promise<HeldLease[]> =>
    (await query<Columns>(`select ${columns} from lease where ${sql}`, values)).map(toLease)
  const rows: LeaseRows = {
    findLease: (inbox, leaseId) => {
      const name = leaseName(inbox, leaseId)
      const known = ahead.leases.get(name)
      if (known) return known
      const found = early(list(`inbox_id = $1 and lease_id = $2`, [inbox.id, leaseId]).then(([lease]) => lease))
      ahead.leases.set(name, found)
      return found
    },
    listLeases: (inbox) => list(`inbox_id = $1`, [inbox.id]),
    leasesAround: (inbox, positions) =>
      list(
        `inbox_id = $1 and exists (select 1 from unnest($2::bigint[]) as asked (position)
           where asked.position between lease.first and lease.last)`,
        [inbox.id, positions],
      ),
    dueLeases: (inbox, nowMs) => {
      const { due } = ahead
      if (due?.inboxId === inbox.id && due.nowMs === nowMs) return due.found
      const found = early(list(`inbox_id = $1 and until_ms <= $2`, [inbox.id, nowMs]))
      ahead.due = { inboxId: inbox.id, nowMs, found }
      return found
    },
    nextExpiryMs: async (inbox) =>
      (await query<{ at: number | null }>(`select min(until_ms) as at from lease where inbox_id = $1`, [inbox.id]))[0]
        ?.at ?? null,
    putLease: (inbox, lease) => {
      const { leaseId, untilMs, held } = lease
      ahead.due = undefined
      ahead.leases.set(leaseName(inbox, leaseId), Promise.resolve(lease))
      const { text, first, last } = toHeldText(held)
      write(
        `insert into lease (inbox_id, lease_id, until_ms, first, last, held) values ($1, $2, $3, $4, $5, $6)
         on conflict (inbox_id, lease_id) do update set until_ms = excluded.until_ms, first = excluded.first,
           last = excluded.last, held = excluded.held`,
        [inbox.id, leaseId, untilMs, first, last, text],
      )
    },
    removeLease: (inbox, leaseId) => {
      ahead.due = undefined
      ahead.leases.set(leaseName(inbox, leaseId), Promise.resolve(undefined))
      write(`delete from lease where inbox_id = $1 and lease_id = $2`, [inbox.id, leaseId])
    },
    extendLease: async (inbox, leaseId, untilMs) => {
      const lease = await rows.findLease(inbox, leaseId)
      if (!lease) return false
      ahead.due = undefined
      ahead.leases.set(leaseName(inbox, leaseId), Promise.resolve({ ...lease, untilMs }))
      write(`update lease set until_ms = $1 where inbox_id = $2 and lease_id = $3`, [untilMs, inbox.id, leaseId])
      return true
    },
    ...voidRows({ query, write }, ahead),
  }
  return rows
}

function voidRows(
  { query, write }: Pick<Transaction, 'query' | 'write'>,
  ahead: Ahead,
): Pick<LeaseRows, 'isVoid' | 'forgetVoid' | 'voidAll'> {
  return {
    isVoid: async (inbox, leaseId) =>
      (await query(`select 1 as found from void_lease where inbox_id = $1 and lease_id = $2`, [inbox.id, leaseId]))
        .length > 0,
    forgetVoid: (inbox, leaseId) =>
      write(`delete from void_lease where inbox_id = $1 and lease_id = $2`, [inbox.id, leaseId]),
    voidAll: (inbox, nowMs) => {
      ahead.leases.clear()
      ahead.due = undefined
      ahead.available = undefined
      write(
        `insert into void_lease (inbox_id, lease_id, at_ms)
         select inbox_id, lease_id, $2::bigint from lease where inbox_id = $1
         union select inbox_id, lease_id, $2::bigint from parked where inbox_id = $1 and lease_id is not null
         on conflict (inbox_id, lease_id) do update set at_ms = excluded.at_ms`,
        [inbox.id, nowMs],
      )
      write(`delete from lease where inbox_id = $1`, [inbox.id])
      write(`delete from lease_subject where inbox_id = $1`, [inbox.id])
      write(`delete from parked where inbox_id = $1`, [inbox.id])
    },
  }
}
