export { createSluice, type Sluice } from './client.ts'
export { ApiError, EventValidationError, RateLimitError, TransportError } from './error.ts'
export { redact, redactText, type RedactOptions } from './redact.ts'
export type { BatchItemResult } from './batch.ts'
export type { Clock } from './clock.ts'
export type { SendableCloudEvent } from './cloudevent.ts'
export type { DeadLetterRecord, DeadLetterSink } from './dead-letter.ts'
export type { BatchOptions, BatchOutcome, BatchProgress, Events, PublishOptions, SendOptions } from './events.ts'
export type { Inbox, LeaseOptions, PollOptions, ReleaseOptions } from './inbox.ts'
export type { Logger } from './logger.ts'
export type { SluiceOptions } from './options.ts'
export type { RequestOptions } from './request.ts'
export type { StreamedEvent, StreamOptions } from './stream.ts'
export type { Fetch, Transport, TransportRequest, TransportResponse } from './transport.ts'
export type { WorkResult } from './work/settle.ts'
export type { DrainOptions, WorkOptions } from './work/work.ts'
export type { Handler, HandlerContext } from './work/worker.ts'
export type {
  Accepted,
  Actor,
  BatchAccepted,
  BatchResult,
  CloudEvent,
  Entity,
  Event,
  EventPage,
  Extended,
  Fault,
  Filter,
  Identity,
  JsonObject,
  Lease,
  LeasedEvent,
  NewBatchEvent,
  NewEvent,
  Pagination,
  PayloadCondition,
  Problem,
  Settled,
  SettleStatus,
  Warning,
} from '@sluice/protocol'
