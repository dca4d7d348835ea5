import type { Row } from './row.ts'
import { actionCall } from './rows/action-call.ts'
import { activeTriggers } from './rows/active-triggers.ts'
import { clientSend } from './rows/client-send.ts'
import { coldStart } from './rows/cold-start.ts'
import { growth } from './rows/growth.ts'
import { idleInboxes } from './rows/idle-inboxes.ts'
import { latency } from './rows/latency.ts'
import { leaseAckPostgres } from './rows/lease-ack-postgres.ts'
import { leaseAck } from './rows/lease-ack.ts'
import { memory } from './rows/memory.ts'
import { narrowFilter } from './rows/narrow-filter.ts'
import { publishBatchPostgres } from './rows/publish-batch-postgres.ts'
import { publishBatch } from './rows/publish-batch.ts'
import { publishSinglePostgres } from './rows/publish-single-postgres.ts'
import { publishSingle } from './rows/publish-single.ts'
import { session } from './rows/session.ts'
import { trimming } from './rows/trimming.ts'

/** In the order they run. `trimming` is the last of those that share the large log: it uses it up. */
export const rows: readonly Row[] = [
  publishSingle,
  publishBatch,
  leaseAck,
  publishSinglePostgres,
  publishBatchPostgres,
  leaseAckPostgres,
  latency,
  idleInboxes,
  activeTriggers,
  actionCall,
  clientSend,
  session,
  coldStart,
  growth,
  narrowFilter,
  memory,
  trimming,
]
