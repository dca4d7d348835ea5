import type { InboxSettings } from '@sluice/protocol'
import { HubError } from '@sluice/protocol/error'
import { parseDoor, printDoor, type DoorRow } from '../doors.ts'
import { toInboxRow } from '../inbox-rules/change.ts'
import { behindMs } from '../inbox-rules/rows.ts'
import type { HistoryRow, InboxState, InboxRows } from '../inbox-rules/rows.ts'
import type { Connection } from './connections.ts'
import type { Transaction } from './transactions.ts'

type Columns = Omit<InboxState, 'settings' | 'door' | 'storedNext' | 'changed' | 'sweptMs'> & {
  settings: string
  door: string | null
}

export const inboxColumns = `inbox.id, inbox.workspace_id as "workspaceId", inbox.key, inbox.settings, inbox.status, inbox.revision,
  inbox.generation, inbox.created_ms as "createdMs", inbox.next, inbox.door, inbox.used`

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
  door,
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
    door: parseDoor(door),
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

export async function listDoors({ query }: Connection): Promise<DoorRow[]> {
  const found = await query<Columns & Pick<DoorRow, 'isBehind' | 'availableMs'>>(
    `select ${inboxColumns}, inbox.next <= log.head as "isBehind",
       least((select min(available_ms) from parked where inbox_id = inbox.id and available_ms < $1),
         (select min(until_ms) from lease where inbox_id = inbox.id)) as "availableMs"
     from inbox join log on log.workspace_id = inbox.workspace_id where inbox.door is not null order by inbox.id`,
    [behindMs],
  )
  return found.map(({ isBehind, availableMs, ...columns }) => {
    return { ...toInboxRow(toInboxState(columns)), workspaceId: columns.workspaceId, isBehind, availableMs }
  })
}

export function requireInbox(found: InboxState | undefined, key: string): InboxState {
  if (!found) throw new HubError('not-found', `inbox "${key}" does not exist; PUT /v1/inboxes/${key} makes it`)
  return found
}

const historyColumns = `kind, revision, generation, from_position as "from", to_position as "to", settings, positions`

export function inboxRows({ query, write }: Transaction): InboxRows {
  return {
    putInbox: (inbox) =>
      write(`update inbox set settings = $1, revision = $2, status = $3, generation = $4, door = $6 where id = $5`, [
        JSON.stringify(inbox.settings),
        inbox.revision,
        inbox.status,
        inbox.generation,
        inbox.id,
        printDoor(inbox.door),
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
