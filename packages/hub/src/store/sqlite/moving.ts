import type { Memo } from '../memo.ts'
import type { Moving } from '../moving.ts'
import type { KeyRow, WorkspaceRow } from '../store.ts'
import type { Database } from './database.ts'
import { exportRows } from './export.ts'
import type { GroupCommit } from './group-commit.ts'
import { findImport } from './import.ts'

type Parts = {
  readonly file: string
  readonly group: GroupCommit
  readonly db: Database
  readonly workspaces: Memo<WorkspaceRow | undefined>
  readonly keys: Memo<KeyRow | undefined>
}

export function createMoving({ file, group, db, workspaces, keys }: Parts): Moving {
  const forget = (): void => {
    workspaces.clear()
    keys.clear()
  }
  return {
    exportRows: (workspaceId, take) => exportRows(file, workspaceId, take),
    findImport: async (workspace) => findImport(db, workspace),
    beginImport: (workspace, name) => group.write('beginImport', workspace, name),
    importChunk: (workspace, chunk) => group.write('importChunk', workspace, chunk),
    finishImport: async (workspace) => {
      await group.write('finishImport', workspace)
      forget()
    },
    discardImport: (workspace) => group.write('discardImport', workspace),
    renewTags: async () => {
      await group.write('renewTags')
      forget()
    },
  }
}
