import type { LogState, Rows } from '../inbox-rules/rows.ts'
import { failureRows } from './failure-rows.ts'
import { inboxRows } from './inbox-rows.ts'
import { leaseRows } from './lease-rows.ts'
import { logRows, readLog } from './log.ts'
import { parkedRows } from './parked-rows.ts'
import { subjectRows } from './subject-rows.ts'
import { createAhead } from './asked-ahead.ts'
import type { Connection } from './connections.ts'
import type { Transaction } from './transactions.ts'

/**
 * The rows that the rules of inboxes work on, in one transaction.
 *
 * @param log the state of the log, as it was read at the beginning of the transaction
 */
export function createRows(transaction: Transaction, log: Rows['readLog']): Rows {
  const ahead = createAhead()
  return {
    readLog: log,
    ...logRows(transaction),
    ...inboxRows(transaction),
    ...leaseRows(transaction, ahead),
    ...parkedRows(transaction, ahead),
    ...subjectRows(transaction, ahead),
    ...failureRows(transaction),
  }
}

/** The same for looking only. */
export function createReadRows(connection: Connection): Rows {
  const refuse = (): never => {
    throw new Error('these rows are for reading')
  }
  const transaction: Transaction = { query: connection.query, write: refuse }
  const logs = new Map<number, Promise<LogState>>()
  const readOnce = (workspaceId: number): Promise<LogState> => {
    const known = logs.get(workspaceId) ?? readLog(connection, workspaceId)
    logs.set(workspaceId, known)
    return known
  }
  return createRows(transaction, readOnce)
}
