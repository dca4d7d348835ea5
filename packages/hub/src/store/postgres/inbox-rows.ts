import type { InboxSettings } from '@sluice/protocol'
import { HubError } from '@sluice/protocol/error'
import type { HistoryRow, InboxState, InboxRows } from '../inbox-rules/rows.ts'
import type { Connection } from './connections.ts'
import type { Transaction } from './transactions.ts'

type Columns = Omit<InboxState, 'settings' | 'storedNext' | 'changed' | 'sweptMs'> & { settings: string }

export const inboxColumns = `inbox.id, inbox.workspace_id as "workspaceId", inbox.key, inbox.settings, inbox.status, inbox.revision,
  inbox.generation, inbox.created_ms as "createdMs", inbox.next, inbox.used`

export function toInboxState({
  id,
  workspaceId,
  key,
  settings,
  status,
  revision,
  generation,
  createdMs,
  next,
  used,
}: Columns): InboxState {
  return {
    id,
    workspaceId,
    key,
    settings: JSON.parse(settings),
    status,
    revision,
    generation,
    createdMs,
    next,
    used,
    storedNext: next,
    changed: false,
    sweptMs: 0,
  }
}

export type InboxColumns = Columns

export async function findInbox(
  connection: Connection,
  workspaceId: number,
  key: string,
): Promise<InboxState | undefined> {
  const [found] = await connection.query<Columns>(
    `select ${inboxColumns} from inbox where workspace_id = $1 and key = $2`,
    [workspaceId, key],
  )
  return found && toInboxState(found)
}

export async function listInboxes(
  connection: Connection,
  workspaceId: number,
  after: string,
  limit: number,
): Promise<InboxState[]> {
  const found = await connection.query<Columns>(
    `select ${inboxColumns} from inbox where workspace_id = $1 and key > $2 order by key limit $3`,
    [workspaceId, after, limit],
  )
  return found.map(toInboxState)
}

export function requireInbox(found: InboxState | undefined, key: string): InboxState {
  if (!found) throw new HubError('not-found', `inbox "${key}" does not exist; PUT /v1/inboxes/${key} makes it`)
  return found
}

const historyColumns = `kind, revision, generation, from_position as "from", to_position as "to", settings, positions`

export function inboxRows({ query, write }: Transaction): InboxRows {
  return {
    putInbox: (inbox) =>
      write(`update inbox set settings = $1, revision = $2, status = $3, generation = $4 where id = $5`, [
        JSON.stringify(inbox.settings),
        inbox.revision,
        inbox.status,
        inbox.generation,
        inbox.id,
      ]),
    noteHistory: (inbox, { kind, from, to, settings, positions }, nowMs) =>
      write(
        `insert into inbox_history (inbox_id, kind, at_ms, revision, generation, from_position, to_position, settings, positions)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
        [
          inbox.id,
          kind,
          nowMs,
          inbox.revision,
          inbox.generation,
          from,
          to,
          settings ? JSON.stringify(settings) : null,
          positions ?? null,
        ],
      ),
    readHistory: (inbox) =>
      query<HistoryRow>(`select ${historyColumns} from inbox_history where inbox_id = $1 order by id`, [inbox.id]),
    readLastHistory: async (inbox) =>
      (
        await query<HistoryRow>(
          `select ${historyColumns} from inbox_history where inbox_id = $1 order by id desc limit 1`,
          [inbox.id],
        )
      )[0],
    extendLastHistory: (inbox, { to, positions }) =>
      write(
        `update inbox_history set to_position = $2, positions = $3 where id =
           (select id from inbox_history where inbox_id = $1 order by id desc limit 1)`,
        [inbox.id, to, positions ?? null],
      ),
    readSettings: async (inbox, revision): Promise<InboxSettings | undefined> => {
      const [found] = await query<{ settings: string }>(
        `select settings from inbox_history where inbox_id = $1 and kind = 'settings' and revision = $2`,
        [inbox.id, revision],
      )
      return found && JSON.parse(found.settings)
    },
  }
}
