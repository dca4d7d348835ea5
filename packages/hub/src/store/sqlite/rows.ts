import type { Rows } from '../inbox-rules/rows.ts'
import type { Database } from './database.ts'
import { failureRows } from './failure-rows.ts'
import { inboxRows } from './inbox-rows.ts'
import { leaseRows } from './lease-rows.ts'
import { logRows, readLog } from './log.ts'
import { parkedRows } from './parked-rows.ts'
import { subjectRows } from './subject-rows.ts'

/**
 * The rows that the rules of inboxes work on, over one connection.
 *
 * @param log how to know the state of a log: the writer has it in memory
 */
export function createRows(db: Database, log: Rows['readLog'] = (workspaceId) => readLog(db, workspaceId)): Rows {
  return {
    readLog: log,
    ...logRows(db),
    ...inboxRows(db),
    ...leaseRows(db),
    ...parkedRows(db),
    ...subjectRows(db),
    ...failureRows(db),
  }
}
