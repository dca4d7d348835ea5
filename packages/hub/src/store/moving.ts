import { defaultInbox } from '@sluice/protocol/defaults'
import { HubError } from '@sluice/protocol/error'

/**
 * How a workspace leaves a store and enters another one: as rows that mean the same in every store. Both speak of an inbox by
 * its key; a store's own numbers stay where they are.
 */
export type Moving = {
  /**
   * Hands over everything that a workspace holds at one instant, `log` first and leases last, in parts of bounded size. Works
   * beside a running hub, which does not wait for it.
   */
  exportRows(workspaceId: number, take: (rows: readonly MovedRow[]) => Promise<void>): Promise<void>
  /** What an import into a workspace of this key has come to; undefined if none is under way. */
  findImport(workspace: string): Promise<ImportState | undefined>
  /**
   * Begins an import. Nobody sees anything of it before it is finished.
   *
   * @throws HubError `conflict` if the workspace holds events, or inboxes other than the one that it began with, or another
   * import into it is under way
   */
  beginImport(workspace: string, file: string): Promise<void>
  /**
   * One chunk, in one transaction.
   *
   * @throws HubError `conflict` if it is not the one after the last, or names a key that this store knows already
   */
  importChunk(workspace: string, chunk: ImportChunk): Promise<void>
  /**
   * Makes what was imported the workspace of that key. Keys and audit of the empty workspace that it replaces stay.
   *
   * @throws HubError `conflict` if that one is not empty any more
   */
  finishImport(workspace: string): Promise<void>
  /** Removes what an unfinished import has written. Answers false if there is none. */
  discardImport(workspace: string): Promise<boolean>
  /**
   * What is published from now on gets ids that nobody has seen: for a store that was put back to an earlier time. Ids of
   * events that it holds stay as they are.
   */
  renewTags(): Promise<void>
}

export type ImportState = {
  /** which file it is, as `beginImport` was told */
  readonly file: string
  /** chunks that are in */
  readonly chunks: number
  /** of the last of them */
  readonly digest: string
}

export type ImportChunk = { readonly number: number; readonly digest: string; readonly rows: readonly MovedRow[] }

type Column = 'number' | 'number?' | 'text' | 'text?' | 'boolean'

/** The columns of each kind of row. A new kind is a new line here. */
export const movedColumns = {
  log: {
    tag: 'number',
    earlier_tags: 'text',
    created_ms: 'number',
    head: 'number',
    accepted_ms: 'number',
    trimmed_to: 'number',
    irregular_to: 'number',
  },
  inbox: {
    key: 'text',
    settings: 'text',
    status: 'text',
    revision: 'number',
    generation: 'number',
    created_ms: 'number',
    next: 'number',
    used: 'boolean',
    door: 'text?',
  },
  inbox_history: {
    inbox: 'text',
    kind: 'text',
    at_ms: 'number',
    revision: 'number',
    generation: 'number',
    from_position: 'number',
    to_position: 'number',
    settings: 'text?',
    positions: 'text?',
  },
  void_lease: { inbox: 'text', lease_id: 'text', at_ms: 'number' },
  lease_subject: { inbox: 'text', subject: 'text', position: 'number' },
  parked: {
    inbox: 'text',
    first: 'number',
    last: 'number',
    positions: 'text?',
    revision: 'number?',
    available_ms: 'number',
    attempt: 'number',
    alone: 'boolean',
    lease_id: 'text?',
    released_by: 'text?',
    subject: 'text?',
  },
  dead_letter: {
    inbox: 'text',
    position: 'number',
    accepted_ms: 'number',
    event_type: 'text',
    subject: 'text?',
    attempts: 'number',
    reason: 'text?',
    dead_ms: 'number',
    body: 'text',
  },
  attempt: {
    inbox: 'text',
    position: 'number',
    accepted_ms: 'number',
    attempt: 'number',
    outcome: 'text',
    reason: 'text?',
    at_ms: 'number',
    lease_id: 'text',
    ms: 'number?',
    result: 'text?',
  },
  api_key: {
    key_id: 'text',
    secret_hash: 'text',
    previous_hash: 'text?',
    previous_until_ms: 'number?',
    user_id: 'text',
    user_email: 'text?',
    role: 'text',
    allowed_event_types: 'text?',
    allowed_actions: 'text?',
    rate_limit: 'number?',
    expires_ms: 'number?',
    status: 'text',
    created_ms: 'number',
    last_used_ms: 'number?',
    hmac: 'text?',
  },
  audit: { at_ms: 'number', actor: 'text', verb: 'text', target: 'text', details: 'text' },
  event_type_setting: { unknown: 'text', revision: 'number' },
  event_type: {
    name: 'text',
    description: 'text?',
    schema: 'text?',
    category: 'text?',
    entity: 'text?',
    action: 'text?',
    mode: 'text',
    version: 'number',
    revision: 'number',
    created_ms: 'number',
    updated_ms: 'number',
  },
  event_type_version: { name: 'text', version: 'number', schema: 'text?', created_ms: 'number' },
  quarantine: {
    quarantine_id: 'text',
    at_ms: 'number',
    event_type: 'text',
    source: 'text?',
    subject: 'text?',
    body: 'text',
    notes: 'text?',
    dedup: 'text',
    version: 'number',
    faults: 'text',
    releasing_ms: 'number?',
  },
  quarantine_key: { key: 'text', fingerprint: 'text', quarantine_id: 'text' },
  connection: {
    key: 'text',
    id: 'text',
    integration: 'text',
    user_id: 'text',
    access: 'text',
    sealed: 'text?',
    account: 'text?',
    account_error: 'text?',
    created_ms: 'number',
    updated_ms: 'number',
    method: 'text?',
    granted_keys: 'text?',
    broken: 'text?',
    expires_ms: 'number?',
    refresh_ms: 'number?',
    unanswered: 'number?',
  },
  oauth_client: {
    integration: 'text',
    id: 'text',
    client_id: 'text',
    sealed: 'text',
    created_ms: 'number',
    updated_ms: 'number',
  },
  polling_trigger: {
    key: 'text',
    id: 'text',
    settings: 'text',
    status: 'text',
    generation: 'number',
    primed: 'boolean',
    state: 'text?',
    last_poll_ms: 'number?',
    next_poll_ms: 'number',
    failures: 'number',
    last_error: 'text?',
    token: 'text?',
    claimed_until_ms: 'number',
    created_ms: 'number',
    updated_ms: 'number',
  },
  source: {
    key: 'text',
    id: 'text',
    settings: 'text',
    secrets: 'text',
    revision: 'number',
    created_ms: 'number',
    updated_ms: 'number',
  },
  budget: {
    key: 'text',
    settings: 'text',
    near_from: 'number?',
    exceeded_from: 'number?',
    created_ms: 'number',
    updated_ms: 'number',
  },
  trigger_seen: { trigger_id: 'text', digest: 'text', seen_ms: 'number' },
  trigger_poll: {
    trigger_id: 'text',
    at_ms: 'number',
    ms: 'number',
    outcome: 'text',
    found: 'number',
    published: 'number',
    error: 'text?',
  },
  scheduled_event: {
    scheduled_id: 'text',
    due_ms: 'number',
    at_ms: 'number',
    event_type: 'text',
    source: 'text?',
    subject: 'text?',
    body: 'text',
    notes: 'text?',
    dedup: 'text',
  },
  scheduled_key: { key: 'text', fingerprint: 'text', scheduled_id: 'text' },
  schedule: {
    key: 'text',
    id: 'text',
    settings: 'text',
    status: 'text',
    next_ms: 'number',
    last_ms: 'number?',
    last_error: 'text?',
    created_ms: 'number',
    updated_ms: 'number',
  },
  dedup: { key: 'text', fingerprint: 'text', position: 'number', accepted_ms: 'number', expires_ms: 'number' },
  event: {
    position: 'number',
    accepted_ms: 'number',
    event_type: 'text',
    source: 'text?',
    subject: 'text?',
    body: 'text?',
    notes: 'text?',
  },
  lease: { inbox: 'text', lease_id: 'text', until_ms: 'number', first: 'number', last: 'number', held: 'text' },
} as const satisfies Readonly<Record<string, Readonly<Record<string, Column>>>>

type Columns = typeof movedColumns
export type MovedKind = keyof Columns

type ValueOf<Name> = Name extends 'number'
  ? number
  : Name extends 'number?'
    ? number | null
    : Name extends 'text'
      ? string
      : Name extends 'text?'
        ? string | null
        : boolean

type RowOf<Kind extends MovedKind> = { readonly [Name in keyof Columns[Kind]]: ValueOf<Columns[Kind][Name]> }

export type MovedRow = {
  readonly [Kind in MovedKind]: { readonly kind: Kind; readonly row: RowOf<Kind> }
}[MovedKind]

/** A row whose kind is not looked at. */
export type AnyRow = Readonly<Record<string, string | number | boolean | null>>

/** In the order in which they are exported: what a row refers to comes before it. */
export const movedKinds = Object.keys(movedColumns) as readonly MovedKind[] // its own keys

/**
 * Rows that would have an effect before the import is finished: upkeep would end the leases, keys would open the door,
 * triggers would be polled, tokens refreshed, and what is due would be published. They are put where they belong at the end.
 */
export const lateKinds: ReadonlySet<MovedKind> = new Set([
  'log',
  'api_key',
  'connection',
  'polling_trigger',
  'scheduled_event',
  'schedule',
  'lease',
])

/** Tables of definitions and of what they keep back, each with the number of its workspace. */
export const eventTypeTables = [
  'event_type_setting',
  'event_type',
  'event_type_version',
  'quarantine',
  'quarantine_key',
] as const satisfies readonly MovedKind[]

/** Tables of outside services, each with the number of its workspace. What runs have cost stays where they ran. */
export const integrationTables = [
  'connection',
  'connect_session',
  'oauth_client',
  'polling_trigger',
  'trigger_seen',
  'trigger_poll',
  'budget',
  'action_run',
  'cost',
] as const

/** Tables of what waits for its time, each with the number of its workspace. */
export const scheduleTables = ['scheduled_event', 'scheduled_key', 'schedule'] as const satisfies readonly MovedKind[]

/** Rows of one inbox, which name its key. */
export const isOfInbox = (kind: MovedKind): boolean => 'inbox' in movedColumns[kind]

/** What a part of an export holds at most, but for one row that is larger. */
export const partRows = 500
export const partCharacters = 1024 * 1024

/** What an empty workspace has none of. */
export type Held = {
  readonly head: number
  readonly inboxes: number
  readonly types: number
  readonly kept: number
  readonly connections: number
  readonly clients: number
  readonly triggers: number
  readonly budgets: number
  readonly scheduled: number
  readonly sources: number
}

export const holdsSomething = (held: Held): boolean => Object.values(held).some((count) => count > 0)

export function refuseHeld(workspace: string, held: Held): HubError {
  const { head, inboxes, types, kept, connections, clients, triggers, scheduled, sources, budgets } = held
  const words = `${head} events, ${inboxes} inboxes beside "${defaultInbox}", ${types} event types, ${kept} events in quarantine, ${connections} connections, ${clients} OAuth clients, ${triggers} polling triggers, ${sources} sources, ${budgets} budgets, and ${scheduled} schedules or events that wait for their time`
  return new HubError('conflict', `workspace "${workspace}" is not empty: it holds ${words}; import into another one`)
}

export function refuseSecond(workspace: string): HubError {
  return new HubError('conflict', `an import into workspace "${workspace}" is under way`)
}

export function refuseGap(number: number, chunks: number): HubError {
  return new HubError('conflict', `chunk ${number} does not follow chunk ${chunks}; does another import run?`)
}

export function refuseKey(keyId: string): HubError {
  return new HubError('conflict', `API key ${keyId} is in this store already; import without the keys`)
}
