import type { Moving } from '../moving.ts'
import { exportRows } from './export.ts'
import { beginImport, discardImport, findImport, finishImport, importChunk } from './import.ts'
import type { Parts } from './store-parts.ts'
import type { Transaction } from './transactions.ts'
import { purgeRemoved, renewTags } from './workspaces.ts'

type MovingParts = Pick<Parts, 'connections' | 'transactions' | 'locks' | 'workspaces' | 'keys' | 'nowMs'>

export function createMoving({ connections, transactions, locks, workspaces, keys, nowMs }: MovingParts): Moving {
  const slotOf = (workspace: string): string => `import/${workspace}`
  /** Changes to workspaces follow one another, and chunks of an import wait for them. */
  const alone = <Result>(workspace: string, work: (transaction: Transaction) => Promise<Result>): Promise<Result> =>
    transactions.run('admin', async (transaction) => {
      await transaction.query(locks.take, [...locks.key(slotOf(workspace))])
      return work(transaction)
    })
  const forget = (): void => {
    workspaces.clear()
    keys.clear()
  }
  return {
    exportRows: (workspaceId, take) => exportRows(connections, workspaceId, take),
    findImport: (workspace) => findImport(connections, workspace),
    beginImport: (workspace, file) => alone(workspace, (transaction) => beginImport(transaction, workspace, file)),
    importChunk: (workspace, chunk) =>
      transactions.run(slotOf(workspace), (transaction) => importChunk(transaction, workspace, chunk)),
    finishImport: async (workspace) => {
      await alone(workspace, (transaction) => finishImport(transaction, locks, workspace))
      forget()
    },
    discardImport: async (workspace) => {
      const discarded = await alone(workspace, (transaction) => discardImport(transaction, workspace))
      if (discarded) await purgeRemoved(connections, nowMs())
      return discarded
    },
    renewTags: async () => {
      await transactions.run('admin', renewTags)
      forget()
    },
  }
}
