import type { HeldRequest, ServiceLimits } from '@sluice/sdk/outbound'
import type { AccountEnvelope, ActionEnvelope, PollEnvelope, ProgressReport } from '@sluice/sdk/integration'

/** Where an integration's code is. */
type RunTarget = {
  /** the folder that holds its `config.json` and its handlers */
  readonly folder: string
  /** runs of one tenant never share a process with those of another */
  readonly workspaceId: number
  /** how urgent it is, 0 the most; default 0 */
  readonly rank?: number
  /** for whom: users of one rank take turns; default nobody */
  readonly user?: string
}

export type RunOrder = RunTarget & {
  readonly call:
    | { readonly kind: 'action'; readonly name: string; readonly inputs: unknown }
    | {
        readonly kind: 'poll'
        readonly name: string
        readonly inputs: unknown
        readonly place: { readonly last_poll_ts: string | null; readonly state: unknown }
      }
    | { readonly kind: 'account' }
  /** `{ auth_type, credentials }` */
  readonly auth: Readonly<Record<string, unknown>>
  /** for handlers; `idempotency_key` is the same for each attempt to do the same */
  readonly metadata: Readonly<Record<string, unknown>>
  /** no write request is sent; those that were made are in the outcome */
  readonly dryRun?: boolean
  /** the run is ended after this, whatever it does */
  readonly deadlineMs: number
}

export type Envelope = ActionEnvelope | PollEnvelope | AccountEnvelope

/** Why there is no envelope: what the handler did to its process, or somebody else with it. */
export type RunFailure = {
  readonly reason: 'crashed' | 'exited' | 'timed-out' | 'too-much-memory' | 'cancelled'
  /** for people */
  readonly message: string
}

export type RunOutcome = {
  readonly result: Envelope | RunFailure
  /** what the handler printed and logged, the last 64 KB */
  readonly output: string
  readonly ms: number
  /** the handler was never asked: its process could not be started or loaded, or the run was ended before */
  readonly unsent?: boolean
  /** true if the service answered 401 to a request that was made with the credentials */
  readonly unauthorized?: boolean
  /** of a dry run: the write requests that were not sent, and whether it ended at the last of them */
  readonly dryRun?: { readonly requests: readonly HeldRequest[]; readonly stopped: boolean }
}

/** Leave for requests that a run makes with its account. */
type Permits = {
  /** Waits for leave to make one. @throws HubError `rate-limit-exceeded`, if that would take too long */
  readonly ask: (options: { readonly withinMs: number; readonly signal: AbortSignal }) => Promise<void>
  /** What the service has said. */
  readonly learn: (limits: ServiceLimits) => Promise<void>
}

export type RunOptions = {
  /** left out: it makes as many as it likes */
  readonly permits?: Permits | undefined
  /** tells the handler to end, and ends its process if it does not */
  readonly signal?: AbortSignal | undefined
  readonly onProgress?: ((report: ProgressReport) => void) | undefined
}

/** Runs handlers apart from the hub. */
export type Runner = {
  /** Never rejects for what a handler does. @throws HubError `overloaded` when too many runs wait */
  readonly run: (order: RunOrder, options?: RunOptions) => Promise<RunOutcome>
  /** Lets nobody in; what still runs after `graceMs` is ended. */
  readonly close: (graceMs?: number) => Promise<void>
}
