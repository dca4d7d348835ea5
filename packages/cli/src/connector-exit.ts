import type { SyncFailure } from '@sluice/sdk/sync'
import { exitCodes } from './exit.ts'

/** Exit codes that only `sluice connectors` has: who must act. */
const syncCodes: Readonly<Record<SyncFailure['kind'], number>> = {
  configuration: 10,
  auth: 11,
  rate_limit: 12,
  remote: 13,
  bug: 14,
  destination: exitCodes.failed,
  cancelled: exitCodes.failed,
}

export const toSyncCode = (failure: SyncFailure | undefined): number =>
  failure ? syncCodes[failure.kind] : exitCodes.done
