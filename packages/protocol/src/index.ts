export { Activity, ActivityRange } from './activity.ts'
export { Session, consoleHeader } from './session.ts'
export { HubError, problems, type ErrorCode, type HubErrorOptions } from './error.ts'
export { Fault, Problem, escapePointer, toFaults, toValidationError } from './problem.ts'
export { defaultInbox, defaultWorkspace, inboxDefaults } from './defaults.ts'
export { matchesEventType, matchesGlob, reservedPrefix } from './glob.ts'
export { maxPosition, parseEventId, tagSpace, toEventId, type EventAddress } from './event-id.ts'
export {
  Accepted,
  Actor,
  BatchAccepted,
  BatchResult,
  CloudEventRest,
  Entity,
  Event,
  EventPage,
  IdempotencyKey,
  Identity,
  NewBatchEvent,
  NewEvent,
  Pagination,
  Warning,
  limits,
  type JsonObject,
  type LeasedEvent,
} from './event.ts'
export {
  CloudEvent,
  cloudEventTypes,
  parseBinaryCloudEvent,
  parseStructuredCloudEvent,
  toBinaryCloudEvent,
  toCloudEventBatch,
  toStructuredCloudEvent,
  type CloudEventMessage,
  type CloudEventOptions,
  type CloudEventText,
  type ParsedCloudEvent,
} from './cloudevent.ts'
export {
  EventType,
  EventTypeChange,
  EventTypeMode,
  EventTypeName,
  EventTypeSaved,
  EventTypesImported,
  EventTypeVersion,
  EventTypeWithVersions,
  ImportEventTypes,
  PutEventType,
  Quarantined,
  QuarantinedEvent,
  QuarantineReleased,
  QuarantineSelection,
  ReleaseQuarantined,
  ReleaseResult,
  Topic,
  UnknownEventTypes,
} from './event-type.ts'
export { Filter, PayloadCondition } from './filter.ts'
export { InboxAction, Mapping } from './inbox-action.ts'
export { InboxPush, PushTested, RotateSecret } from './inbox-push.ts'
export { failedRule, isOpenFilter, matchesFilter, type FilterSubject } from './match.ts'
export {
  AckRequest,
  Attempt,
  DeadLetter,
  DeadLetterSelection,
  ExtendRequest,
  Extended,
  Inbox,
  InboxSettings,
  InboxStatus,
  Lease,
  LeaseRequest,
  PatchInbox,
  PutInbox,
  ReleaseRequest,
  Replayed,
  SeekRequest,
  SettleStatus,
  Settled,
  Slug,
  Verdict,
} from './inbox.ts'
export {
  AuditEntry,
  Key,
  KeyStatus,
  KeyWithSecret,
  NewKey,
  PatchKey,
  Role,
  RotateKey,
  RotatedKey,
  parseApiKey,
  permissionsOf,
  type Permission,
} from './key.ts'
export { BriteAccepted, BriteBulkAccepted, BriteEvent, briteBulkMax, briteRetryable } from './brite-event.ts'
export { EraseRequest, Erased } from './erasure.ts'
export { EsautiEvent, EsautiIdentify, EsautiLinked, EsautiReceipt } from './esauti-event.ts'
export {
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
} from './integration.ts'
export { ReplayRange, ReplayedRange, TriedFilter, TryFilter, tryLast } from './look-back.ts'
export { McpMessage } from './mcp.ts'
export { PutSchedule, Schedule, ScheduledEvent, ScheduledEventWithEvent } from './schedule.ts'
export {
  PatchSource,
  PutSource,
  Source,
  SourceExample,
  SourceFailure,
  SourceHandshake,
  SourceHmac,
  SourceOutcome,
  SourceReport,
  SourceRule,
  SourceScheme,
  SourceSettings,
  WebhookAccepted,
  sourceDefaults,
} from './source.ts'
export { Budget, Cost, CostGroup, PutBudget, Run, RunDoor } from './spending.ts'
export { Poll, PutTrigger, Trigger } from './trigger.ts'
export { PutWorkspace, Quotas, Workspace } from './workspace.ts'
export { parseCursor, toCursor } from './cursor.ts'
export { DepthError, scanElements, scanMembers, startOfJson, type Member } from './json-scan.ts'
export type { FromSchema } from './from-schema.ts'
export type { Route } from './route.ts'
export { routes, type RouteName } from './routes.ts'
export { toOpenapi } from './openapi.ts'
