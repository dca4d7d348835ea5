import { HubError } from '@sluice/protocol/error'
import {
  toAccess,
  toGrant,
  type ConnectionRow,
  type Connections,
  type NewConnection,
  type RefreshClaim,
  type RefreshEnd,
} from '../connections.ts'
import type { Parts } from './store-parts.ts'
import type { Transaction } from './transactions.ts'

type Columns<Row> = Omit<Row, 'account' | 'grant'> & {
  readonly account: string | null
  readonly access: string
  readonly grantedKeys: string | null
}

const columns = `workspace_id as "workspaceId", key, id, integration, user_id as "userId", access, granted_keys as "grantedKeys", sealed, method,
  expires_ms as "expiresMs", refresh_ms as "refreshMs", account, account_error as "accountError", broken, generation,
  created_ms as "createdMs", updated_ms as "updatedMs"`

const toRow = <Row extends ConnectionRow>({ account, access, grantedKeys, ...rest }: Columns<Row>): Row =>
  ({
    ...rest,
    grant: toGrant(access, grantedKeys),
    account: account === null ? null : JSON.parse(account),
  }) as unknown as Row // the columns above

/** Changes of a workspace's connections follow one another. */
export function createConnectionRows(parts: Parts): Connections {
  return { ...createRows(parts), ...createRefreshes(parts) }
}

type RefreshVerb = 'listDue' | 'claimRefresh' | 'renewRefresh' | 'noteSending' | 'finishRefresh'

function createRows({ connections, transactions, nowMs }: Parts): Omit<Connections, RefreshVerb> {
  const { query } = connections
  return {
    find: async (workspaceId, key) => {
      const [found] = await query<Columns<ConnectionRow>>(
        `select ${columns} from connection where workspace_id = $1 and key = $2`,
        [workspaceId, key],
      )
      return found && toRow(found)
    },
    list: async (workspaceId, { after, limit, holder }) => {
      const found = await query<Columns<ConnectionRow>>(
        `select ${columns} from connection where workspace_id = $1 and key > $2
         and ($3::text is null or access = 'workspace' or user_id = $3
           or (access = 'keys' and granted_keys::jsonb ? $4::text)) order by key limit $5`,
        [workspaceId, after, holder?.userId ?? null, holder?.keyId ?? null, limit],
      )
      return found.map(toRow)
    },
    put: (workspaceId, connection) =>
      transactions.run(slotOf(workspaceId), (transaction) =>
        put(transaction, { workspaceId, nowMs: nowMs() }, connection),
      ),
    setGrant: (workspaceId, key, grant) => {
      const { access, grantedKeys } = toAccess({ grant })
      const values = [workspaceId, key, access, grantedKeys, nowMs()]
      return transactions.run(slotOf(workspaceId), async (transaction) => {
        const changed = await transaction.query(
          `update connection set access = $3, granted_keys = $4, updated_ms = $5 where workspace_id = $1 and key = $2 returning 1`,
          values,
        )
        return changed.length > 0
      })
    },
    setAccount: (workspaceId, key, { id, account, error }) =>
      transactions.run(slotOf(workspaceId), async ({ write }) =>
        write(
          `update connection set account = $4, account_error = $5 where workspace_id = $1 and key = $2 and id = $3`,
          [workspaceId, key, id, account && JSON.stringify(account), error],
        ),
      ),
    remove: (workspaceId, key) =>
      transactions.run(slotOf(workspaceId), async (transaction) => {
        const gone = await transaction.query(
          `delete from connection where workspace_id = $1 and key = $2 returning 1 as gone`,
          [workspaceId, key],
        )
        return gone.length > 0
      }),
  }
}

const slotOf = (workspaceId: number): string => `connections/${workspaceId}`

type Place = { readonly workspaceId: number; readonly nowMs: number }

async function put(
  { query, write }: Transaction,
  { workspaceId, nowMs }: Place,
  connection: NewConnection,
): Promise<boolean> {
  const { key, id, integration, userId, sealed, method, expiresMs, refreshMs } = connection
  const { access, grantedKeys } = toAccess(connection)
  const [found] = await query<{ isThere: boolean; isKnown: boolean }>(
    `select exists (select 1 from log where workspace_id = $1) as "isThere",
       exists (select 1 from connection where workspace_id = $1 and key = $2) as "isKnown"`,
    [workspaceId, key],
  )
  if (!found?.isThere) throw new HubError('not-found', 'the workspace does not exist')
  write(
    `insert into connection (workspace_id, key, id, integration, user_id, access, granted_keys, sealed, method, expires_ms,
       refresh_ms, created_ms, updated_ms)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $12)
     on conflict (workspace_id, key) do update set id = excluded.id, integration = excluded.integration,
       user_id = excluded.user_id, access = excluded.access, granted_keys = excluded.granted_keys, sealed = excluded.sealed,
       method = excluded.method, expires_ms = excluded.expires_ms, refresh_ms = excluded.refresh_ms, account = null,
       account_error = null, broken = null, unanswered = null, generation = 0, held_until_ms = 0,
       updated_ms = excluded.updated_ms`,
    [workspaceId, key, id, integration, userId, access, grantedKeys, sealed, method, expiresMs, refreshMs, nowMs],
  )
  return !found.isKnown
}

/** Each looks first and writes then, so that a commit in doubt is found out: whether a request may leave depends on it. */
function createRefreshes({ connections, transactions, nowMs }: Parts): Pick<Connections, RefreshVerb> {
  const hold = (claim: RefreshClaim, forMs: number, sending: number): Promise<boolean> =>
    transactions.run(slotOf(claim.workspaceId), async (transaction) => {
      if (!(await isPresent(transaction, claim, claim.fence))) return false
      transaction.write(
        `update connection set held_until_ms = $3, unanswered = nullif(coalesce(unanswered, 0) + $4::bigint, 0)
         where workspace_id = $1 and key = $2`,
        [claim.workspaceId, claim.key, nowMs() + forMs, sending],
      )
      return true
    })
  return {
    listDue: (limit) =>
      connections.query(
        `select workspace_id as "workspaceId", key from connection
         where refresh_ms <= $1 and held_until_ms <= $1 order by refresh_ms limit $2`,
        [nowMs(), limit],
      ),
    claimRefresh: (workspaceId, key, { id, generation }, forMs) =>
      transactions.run(slotOf(workspaceId), async ({ query, write }) => {
        const [found] = await query<Columns<RefreshClaim>>(
          `select ${columns}, fence + 1 as fence, coalesce(unanswered, 0) as unanswered
           from connection where workspace_id = $1 and key = $2 and id = $3 and generation = $4
           and held_until_ms + case when unanswered > 0 and held_until_ms > 0 then $6::bigint else 0 end <= $5`,
          [workspaceId, key, id, generation, nowMs(), forMs],
        )
        if (!found) return undefined
        const { fence } = found
        write(`update connection set fence = $3, held_until_ms = $4 where workspace_id = $1 and key = $2`, [
          workspaceId,
          key,
          fence,
          nowMs() + forMs,
        ])
        return toRow(found)
      }),
    renewRefresh: (claim, forMs) => hold(claim, forMs, 0),
    noteSending: (claim, forMs) => hold(claim, forMs, 1),
    finishRefresh: (claim, end) =>
      transactions.run(slotOf(claim.workspaceId), async (transaction) => {
        const isKept = await isPresent(transaction, claim, end.kind === 'tokens' ? null : claim.fence)
        if (isKept) finish(transaction, { claim, nowMs: nowMs() }, end)
        return isKept
      }),
  }
}

type Seen = Pick<RefreshClaim, 'workspaceId' | 'key' | 'id' | 'generation'>

/** Whether the tokens that were seen are the present ones, and the fence is the highest. */
async function isPresent({ query }: Transaction, seen: Seen, fence: number | null): Promise<boolean> {
  const { workspaceId, key, id, generation } = seen
  const found = await query(
    `select 1 as found from connection where workspace_id = $1 and key = $2 and id = $3 and generation = $4
     and ($5::bigint is null or fence = $5)`,
    [workspaceId, key, id, generation, fence],
  )
  return found.length > 0
}

type Finishing = { readonly claim: RefreshClaim; readonly nowMs: number }

function finish({ write }: Transaction, { claim, nowMs }: Finishing, end: RefreshEnd): void {
  const place = [claim.workspaceId, claim.key]
  if (end.kind === 'tokens')
    write(
      `update connection set sealed = $3, expires_ms = $4, refresh_ms = $5, updated_ms = $6, generation = generation + 1,
         broken = null, unanswered = null, held_until_ms = 0 where workspace_id = $1 and key = $2`,
      [...place, end.sealed, end.expiresMs, end.refreshMs, nowMs],
    )
  else if (end.kind === 'later')
    write(
      `update connection set refresh_ms = $3, unanswered = nullif($4::bigint, 0), held_until_ms = 0
       where workspace_id = $1 and key = $2`,
      [...place, end.refreshMs, end.unanswered],
    )
  else
    write(
      `update connection set broken = $3, updated_ms = $4, refresh_ms = null, held_until_ms = 0
       where workspace_id = $1 and key = $2`,
      [...place, end.reason, nowMs],
    )
}
