import type { RouteName, routes } from '@sluice/protocol'
import { createConsumeRoutes } from './admin/consume.ts'
import { createDeadLetterRoutes } from './admin/dead-letters.ts'
import { createErasureRoutes } from './admin/erasures.ts'
import { createEventTypeRoutes } from './admin/event-types.ts'
import { createEventRoutes } from './admin/events.ts'
import { createInboxRoutes } from './admin/inboxes.ts'
import { createIntegrationRoutes } from './admin/integrations.ts'
import { createKeyRoutes } from './admin/keys.ts'
import { createOpenRoutes } from './admin/open.ts'
import { createQuarantineRoutes } from './admin/quarantine.ts'
import { createScheduleRoutes } from './admin/schedules.ts'
import { createSourceRoutes } from './admin/sources.ts'
import { createSessionRoutes } from './admin/session.ts'
import { createSpendingRoutes } from './admin/spending.ts'
import { createTriggerRoutes } from './admin/triggers.ts'
import { createWorkspaceRoutes } from './admin/workspaces.ts'
import { toSettings, type SluiceOptions } from './options.ts'
import { createRequest } from './request.ts'

export type {
  AttemptPage,
  AuditPage,
  BudgetPage,
  CostPage,
  ConnectionPage,
  DeadLetterCount,
  DeadLetterPage,
  EventTypePage,
  InboxPage,
  IntegrationPage,
  KeyPage,
  Links,
  Page,
  PageQuery,
  PollPage,
  QuarantinePage,
  SourcePage,
  RunPage,
  TriggerPage,
  WorkspacePage,
} from './admin/page.ts'
export type { CostsQuery, RunsQuery } from './admin/spending.ts'
export type { Ticket } from './admin/consume.ts'
export type { Explanation, SearchPage, SearchQuery } from './admin/events.ts'
export type { Health, Status } from './admin/open.ts'
export { ApiError, EventValidationError, RateLimitError, TransportError } from './error.ts'
export type { SluiceOptions } from './options.ts'
export type { RequestOptions } from './request.ts'
export type { Tailed, TailQuery } from './tail.ts'
export type { StreamedEvent, StreamOptions } from './stream.ts'
export type {
  Accepted,
  Activity,
  ActivityRange,
  AckRequest,
  Attempt,
  AuditEntry,
  BatchAccepted,
  BatchResult,
  DeadLetter,
  DeadLetterSelection,
  Erased,
  EraseRequest,
  Event,
  EventPage,
  EventType,
  EventTypeChange,
  EventTypeMode,
  EventTypeSaved,
  EventTypesImported,
  EventTypeVersion,
  EventTypeWithVersions,
  ExtendRequest,
  Extended,
  Filter,
  ImportEventTypes,
  Inbox,
  InboxSettings,
  InboxStatus,
  JsonObject,
  Key,
  KeyStatus,
  KeyWithSecret,
  Lease,
  LeasedEvent,
  LeaseRequest,
  NewBatchEvent,
  NewEvent,
  NewKey,
  Pagination,
  PatchInbox,
  PatchKey,
  Problem,
  PutEventType,
  PutInbox,
  PutWorkspace,
  Quarantined,
  QuarantinedEvent,
  QuarantineReleased,
  QuarantineSelection,
  ReleaseQuarantined,
  ReleaseRequest,
  ReleaseResult,
  Replayed,
  Role,
  RotateKey,
  RotatedKey,
  SeekRequest,
  Settled,
  Session,
  SettleStatus,
  Topic,
  UnknownEventTypes,
  Verdict,
  Warning,
  Workspace,
  ConnectLink,
  ConnectedAccount,
  Connection,
  ConnectionGrant,
  CreateConnectLink,
  Integration,
  OAuthClient,
  PatchConnection,
  PutConnection,
  PutOAuthClient,
  RunAction,
  RunPoll,
  RunResult,
  Poll,
  PutTrigger,
  PatchSource,
  PutSource,
  Source,
  SourceExample,
  SourceReport,
  Trigger,
  Budget,
  Cost,
  CostGroup,
  PutBudget,
  Run,
  PutSchedule,
  Schedule,
  ScheduledEvent,
  ScheduledEventWithEvent,
  ReplayRange,
  ReplayedRange,
  TriedFilter,
  TryFilter,
} from '@sluice/protocol'

/** A dialect is for its own clients, a page of people for browsers, and what comes from outside knows no client. */
type OwnRoute = {
  [Name in RouteName]: (typeof routes)[Name] extends { dialect: string } | { isPage: true } | { outside: true }
    ? never
    : Name
}[RouteName]

/** One method for each route of the hub, under the route's name. */
export type Admin = ReturnType<typeof createConsumeRoutes> &
  ReturnType<typeof createDeadLetterRoutes> &
  ReturnType<typeof createErasureRoutes> &
  ReturnType<typeof createEventRoutes> &
  ReturnType<typeof createEventTypeRoutes> &
  ReturnType<typeof createInboxRoutes> &
  ReturnType<typeof createIntegrationRoutes> &
  ReturnType<typeof createKeyRoutes> &
  ReturnType<typeof createOpenRoutes> &
  ReturnType<typeof createQuarantineRoutes> &
  ReturnType<typeof createScheduleRoutes> &
  ReturnType<typeof createSourceRoutes> &
  ReturnType<typeof createSessionRoutes> &
  ReturnType<typeof createSpendingRoutes> &
  ReturnType<typeof createTriggerRoutes> &
  ReturnType<typeof createWorkspaceRoutes>

/**
 * Every route of the hub as a typed method: wire objects go in and come out as they are. Requests that are safe to repeat are
 * tried again as `createSluice` does it; the others never.
 *
 * @throws TypeError or RangeError for options that can never work; methods throw ApiError and TransportError
 * @example await createAdmin({ baseUrl, apiKey }).putInbox('crm', { filter: { event_types: ['order.*'] } })
 */
export function createAdmin(options: SluiceOptions = {}): Admin {
  const settings = toSettings(options)
  const request = createRequest(settings)
  return {
    ...createOpenRoutes(request),
    ...createEventRoutes(settings, request),
    ...createEventTypeRoutes(request),
    ...createInboxRoutes(request),
    ...createConsumeRoutes(settings, request),
    ...createDeadLetterRoutes(request),
    ...createErasureRoutes(request),
    ...createIntegrationRoutes(request),
    ...createKeyRoutes(request),
    ...createQuarantineRoutes(request),
    ...createScheduleRoutes(request),
    ...createSourceRoutes(request),
    ...createSessionRoutes(request),
    ...createSpendingRoutes(request),
    ...createTriggerRoutes(request),
    ...createWorkspaceRoutes(request),
  } satisfies Record<OwnRoute, unknown>
}
