import type { EventTypes } from '../event-types.ts'
import type { Memo } from '../memo.ts'
import type { Quarantine } from '../quarantine.ts'
import type { Store, WorkspaceRow } from '../store.ts'
import type { Database } from './database.ts'
import { findEventTypes, listEventTypes, listVersions } from './event-types.ts'
import type { GroupCommit } from './group-commit.ts'
import { countQuarantined, findKept, findQuarantined, findRepetitions, listQuarantined } from './quarantine.ts'

type Parts = {
  readonly group: GroupCommit
  readonly db: Database
  readonly workspaces: Memo<WorkspaceRow | undefined>
  readonly nowMs: () => number
}

/** Event types, and the events that they keep back. */
export function createDefinitions(parts: Parts): Pick<Store, 'eventTypes' | 'quarantine'> {
  return { eventTypes: createEventTypes(parts), quarantine: createQuarantine(parts) }
}

/** Reads on this thread, by key; writes in the writer's. */
function createEventTypes({ group, db, workspaces }: Parts): EventTypes {
  /** Rows of workspaces carry the revision. */
  const changed = <Value>(value: Value): Value => {
    workspaces.clear()
    return value
  }
  return {
    find: async (workspaceId, names) => findEventTypes(db, workspaceId, names),
    list: async (workspaceId, page) => listEventTypes(db, workspaceId, page),
    listVersions: async (workspaceId, name, limit) => listVersions(db, workspaceId, name, limit),
    save: async (workspaceId, changes) => changed(await group.write('saveEventTypes', workspaceId, changes)),
    remove: async (workspaceId, name) => changed(await group.write('removeEventType', workspaceId, name)),
    setUnknown: async (workspaceId, unknown) =>
      changed(await group.write('setUnknownEventTypes', workspaceId, unknown)),
  }
}

function createQuarantine({ group, db, nowMs }: Parts): Quarantine {
  return {
    findRepetitions: async (workspaceId, drafts) => findRepetitions(db, workspaceId, drafts, nowMs()),
    add: (workspaceId, drafts) => group.write('addQuarantined', workspaceId, drafts),
    list: async (workspaceId, page) => listQuarantined(db, workspaceId, page),
    find: async (workspaceId, ids) => findQuarantined(db, workspaceId, ids),
    findKept: async (workspaceId, drafts) => drafts.map((draft) => findKept({ db }, workspaceId, draft)),
    release: (workspaceId, drafts) => group.write('releaseQuarantined', workspaceId, drafts),
    remove: (workspaceId, choice) => group.write('removeQuarantined', workspaceId, choice),
    count: async (workspaceId, eventType) => countQuarantined(db, workspaceId, eventType),
  }
}
