import { HubError } from '@sluice/protocol/error'
import type { ConnectionRow, Connections, NewConnection } from '../connections.ts'
import type { Parts } from './store-parts.ts'
import type { Transaction } from './transactions.ts'

type Columns = Omit<ConnectionRow, 'account'> & { readonly account: string | null }

const columns = `key, id, integration, user_id as "userId", access as "grant", sealed, account, account_error as "accountError",
  created_ms as "createdMs", updated_ms as "updatedMs"`

const toRow = ({ account, ...rest }: Columns): ConnectionRow => ({
  ...rest,
  account: account === null ? null : JSON.parse(account),
})

/** Changes of a workspace's connections follow one another. */
export function createConnectionRows({ connections, transactions, nowMs }: Parts): Connections {
  const { query } = connections
  const slotOf = (workspaceId: number): string => `connections/${workspaceId}`
  return {
    find: async (workspaceId, key) => {
      const [found] = await query<Columns>(`select ${columns} from connection where workspace_id = $1 and key = $2`, [
        workspaceId,
        key,
      ])
      return found && toRow(found)
    },
    list: async (workspaceId, { after, limit, userId }) => {
      const found = await query<Columns>(
        `select ${columns} from connection where workspace_id = $1 and key > $2
         and ($3::text is null or access = 'workspace' or user_id = $3) order by key limit $4`,
        [workspaceId, after, userId ?? null, limit],
      )
      return found.map(toRow)
    },
    put: (workspaceId, connection) =>
      transactions.run(slotOf(workspaceId), (transaction) =>
        put(transaction, { workspaceId, nowMs: nowMs() }, connection),
      ),
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

type Place = { readonly workspaceId: number; readonly nowMs: number }

async function put(
  { query, write }: Transaction,
  { workspaceId, nowMs }: Place,
  connection: NewConnection,
): Promise<boolean> {
  const { key, id, integration, userId, grant, sealed } = connection
  const [found] = await query<{ isThere: boolean; isKnown: boolean }>(
    `select exists (select 1 from log where workspace_id = $1) as "isThere",
       exists (select 1 from connection where workspace_id = $1 and key = $2) as "isKnown"`,
    [workspaceId, key],
  )
  if (!found?.isThere) throw new HubError('not-found', 'the workspace does not exist')
  write(
    `insert into connection (workspace_id, key, id, integration, user_id, access, sealed, created_ms, updated_ms)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $8)
     on conflict (workspace_id, key) do update set id = excluded.id, integration = excluded.integration,
       user_id = excluded.user_id, access = excluded.access, sealed = excluded.sealed, account = null, account_error = null,
       updated_ms = excluded.updated_ms`,
    [workspaceId, key, id, integration, userId, grant, sealed, nowMs],
  )
  return !found.isKnown
}
