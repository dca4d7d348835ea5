import { HubError } from '@sluice/protocol/error'
import type { EventTypeChange, EventTypeRow, EventTypes, EventTypeVersionRow } from '../event-types.ts'
import type { Connection } from './connections.ts'
import type { Parts } from './store-parts.ts'
import type { Transaction } from './transactions.ts'

const columns = `name, description, schema, category, entity, action, mode, version, revision, created_ms as "createdMs",
  updated_ms as "updatedMs"`

/** Changes of a workspace's definitions follow one another. */
export function createEventTypes({ connections, transactions, workspaces, nowMs }: Parts): EventTypes {
  const change = async <Result>(
    workspaceId: number,
    work: (transaction: Transaction) => Promise<Result>,
  ): Promise<Result> => {
    const result = await transactions.run(`event-types/${workspaceId}`, work)
    // Rows of workspaces carry the revision.
    workspaces.clear()
    return result
  }
  return {
    find: (workspaceId, names) => findEventTypes(connections, workspaceId, names),
    list: (workspaceId, { after, limit, category }) =>
      connections.query<EventTypeRow>(
        `select ${columns} from event_type where workspace_id = $1 and name > $2 and ($3::text is null or category = $3)
         order by name limit $4`,
        [workspaceId, after, category ?? null, limit],
      ),
    listVersions: (workspaceId, name, limit) =>
      connections.query<EventTypeVersionRow>(
        `select version, schema, created_ms as "createdMs" from event_type_version where workspace_id = $1 and name = $2
         order by version desc limit $3`,
        [workspaceId, name, limit],
      ),
    save: (workspaceId, changes) =>
      change(workspaceId, (transaction) => save(transaction, { workspaceId, nowMs: nowMs() }, changes)),
    remove: (workspaceId, name) => change(workspaceId, (transaction) => remove(transaction, workspaceId, name)),
    setUnknown: (workspaceId, unknown) =>
      change(workspaceId, async (transaction) => {
        await countUp(transaction, workspaceId)
        transaction.write(`update event_type_setting set unknown = $2 where workspace_id = $1`, [workspaceId, unknown])
      }),
  }
}

function findEventTypes({ query }: Connection, workspaceId: number, names: readonly string[]): Promise<EventTypeRow[]> {
  return query<EventTypeRow>(`select ${columns} from event_type where workspace_id = $1 and name = any($2::text[])`, [
    workspaceId,
    names,
  ])
}

type Place = { readonly workspaceId: number; readonly nowMs: number }

async function save(transaction: Transaction, place: Place, changes: readonly EventTypeChange[]): Promise<boolean> {
  const { workspaceId } = place
  const names = changes.map(({ name }) => name)
  const known = await findEventTypes(transaction, workspaceId, names)
  const before = new Map(known.map((found) => [found.name, found]))
  if (changes.some(({ name, expects }) => (before.get(name)?.revision ?? 0) !== expects)) return false
  const revision = await countUp(transaction, workspaceId)
  put(transaction, { ...place, revision }, changes)
  keepVersions(
    transaction,
    place,
    changes.filter(({ name, version }) => version !== (before.get(name)?.version ?? 0)),
  )
  return true
}

/** One statement for all of them, however many. */
function put(
  { write }: Transaction,
  { workspaceId, nowMs, revision }: Place & { readonly revision: number },
  changes: readonly EventTypeChange[],
): void {
  write(
    `insert into event_type (workspace_id, name, description, schema, category, entity, action, mode, version, revision,
       created_ms, updated_ms)
     select $1, made.*, $10, $11, $11 from unnest($2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[],
       $8::text[], $9::int[]) as made
     on conflict (workspace_id, name) do update set description = excluded.description, schema = excluded.schema,
       category = excluded.category, entity = excluded.entity, action = excluded.action, mode = excluded.mode,
       version = excluded.version, revision = excluded.revision, updated_ms = excluded.updated_ms`,
    [
      workspaceId,
      changes.map(({ name }) => name),
      changes.map(({ description }) => description),
      changes.map(({ schema }) => schema),
      changes.map(({ category }) => category),
      changes.map(({ entity }) => entity),
      changes.map(({ action }) => action),
      changes.map(({ mode }) => mode),
      changes.map(({ version }) => version),
      revision,
      nowMs,
    ],
  )
}

function keepVersions(
  { write }: Transaction,
  { workspaceId, nowMs }: Place,
  changes: readonly EventTypeChange[],
): void {
  write(
    `insert into event_type_version (workspace_id, name, version, schema, created_ms)
     select $1, made.*, $5 from unnest($2::text[], $3::int[], $4::text[]) as made`,
    [
      workspaceId,
      changes.map(({ name }) => name),
      changes.map(({ version }) => version),
      changes.map(({ schema }) => schema),
      nowMs,
    ],
  )
}

/**
 * The next revision of the workspace's definitions.
 *
 * @throws HubError `not-found`
 */
async function countUp({ query, write }: Transaction, workspaceId: number): Promise<number> {
  const [found] = await query<{ revision: number }>(
    `select coalesce(event_type_setting.revision, 0) + 1 as revision from log
     left join event_type_setting using (workspace_id) where workspace_id = $1`,
    [workspaceId],
  )
  if (!found) throw new HubError('not-found', 'the workspace does not exist')
  write(
    `insert into event_type_setting (workspace_id, unknown, revision) values ($1, 'allow', $2)
     on conflict (workspace_id) do update set revision = excluded.revision`,
    [workspaceId, found.revision],
  )
  return found.revision
}

async function remove(transaction: Transaction, workspaceId: number, name: string): Promise<boolean> {
  const { write } = transaction
  if ((await findEventTypes(transaction, workspaceId, [name])).length === 0) return false
  write(`delete from event_type where workspace_id = $1 and name = $2`, [workspaceId, name])
  write(`delete from event_type_version where workspace_id = $1 and name = $2`, [workspaceId, name])
  await countUp(transaction, workspaceId)
  return true
}
