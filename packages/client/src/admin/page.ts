import type {
  Attempt,
  AuditEntry,
  Connection,
  DeadLetter,
  EventType,
  Inbox,
  Integration,
  Key,
  Pagination,
  Budget,
  Cost,
  Poll,
  Run,
  Quarantined,
  Source,
  Schedule,
  ScheduledEvent,
  Trigger,
  Workspace,
} from '@sluice/protocol'

/** A list as it comes from the hub, page by page. */
export type Page<Name extends string, Item> = { readonly [name in Name]: Item[] } & { readonly pagination: Pagination }

export type PageQuery = {
  /** 1 to 200; default 50 */
  readonly limit?: number | undefined
  /** `next_cursor` of the page before */
  readonly cursor?: string | undefined
}

export type AttemptPage = Page<'attempts', Attempt>
export type AuditPage = Page<'entries', AuditEntry>
export type BudgetPage = Page<'budgets', Budget>
export type CostPage = Page<'costs', Cost>
export type ConnectionPage = Page<'connections', Connection>
export type DeadLetterPage = Page<'dead_letters', DeadLetter>
export type EventTypePage = Page<'event_types', EventType>
export type InboxPage = Page<'inboxes', Inbox>
export type IntegrationPage = Page<'integrations', Integration>
export type KeyPage = Page<'keys', Key>
export type PollPage = Page<'polls', Poll>
export type QuarantinePage = Page<'quarantined', Quarantined>
export type RunPage = Page<'runs', Run>
export type SchedulePage = Page<'schedules', Schedule>
export type ScheduledEventPage = Page<'scheduled_events', ScheduledEvent>
export type SourcePage = Page<'sources', Source>
export type TriggerPage = Page<'triggers', Trigger>
export type WorkspacePage = Page<'workspaces', Workspace>

export type DeadLetterCount = { readonly count: number; readonly dry_run: boolean }
export type Links = {
  readonly message: string
  readonly version: string
  readonly docs: string
  readonly health: string
}
