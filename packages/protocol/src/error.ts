import type { Fault } from './problem.ts'

/**
 * Every error that leaves the hub, by its code: the status and title on the wire, and what the page under
 * `/problems/<code>` tells the reader to do. `error_code` and the last segment of `type` are the code.
 */
export const problems = {
  'validation-error': {
    status: 400,
    title: 'Validation error',
    help: 'Correct the members listed in `errors`; each has a JSON Pointer to the member at fault. Nothing was stored.',
  },
  'invalid-cursor': {
    status: 400,
    title: 'Invalid cursor',
    help: 'Pass `next_cursor` exactly as the last page gave it, to the same inbox and workspace. To begin again, leave the cursor out.',
  },
  unauthorized: {
    status: 401,
    title: 'Invalid or missing API key',
    help: 'Send `Authorization: Bearer slk_…`, or the key as the user name of Basic authentication. Make a key with `sluice keys create`.',
  },
  'signature-refused': {
    status: 401,
    title: 'Signature missing or refused',
    help: 'The detail says which: the time differs by more than 300 seconds, the secret is another one, or method, path or body are not what was signed. `X-Sluice-Signature` is `sha256=` and the HMAC-SHA256, in hex, of method, path with query, `X-Sluice-Timestamp` and the bytes of the body, with line feeds between.',
  },
  'budget-exceeded': {
    status: 402,
    title: 'A budget is used up',
    help: 'Runs have cost what they may in this period; the detail says which budget, and when it opens again. Nothing was run. An administrator can raise it: `sluice budgets put KEY --limit USD …`.',
  },
  'key-inactive': {
    status: 403,
    title: 'API key is inactive',
    help: 'An administrator has deactivated this key. Activate it with `sluice keys activate KEY_ID`.',
  },
  'key-revoked': {
    status: 403,
    title: 'API key is revoked',
    help: 'Revocation is final. Make a new key with `sluice keys create`.',
  },
  'key-expired': {
    status: 403,
    title: 'API key has expired',
    help: 'Move the expiry with `sluice keys update KEY_ID --expires TIME`, or make a new key.',
  },
  forbidden: {
    status: 403,
    title: 'Not allowed with this API key',
    help: 'Use a key whose role covers the request: admin all; creator publish, consume, read; publisher publish; consumer inboxes; viewer read.',
  },
  'event-type-not-allowed': {
    status: 403,
    title: 'Event type not allowed for this API key',
    help: 'The key publishes only the event types in its `allowed_event_types`. Widen the list or use another key.',
  },
  'not-found': {
    status: 404,
    title: 'Not found',
    help: 'Check the address and the id. Things of another workspace are not found either.',
  },
  'method-not-allowed': {
    status: 405,
    title: 'Method not allowed',
    help: 'The address exists, but not with this method; the `Allow` field lists those that do.',
  },
  conflict: {
    status: 409,
    title: 'Conflict',
    help: 'What you ask for contradicts the present state; the detail says which. Read it again, then decide.',
  },
  'inbox-differs': {
    status: 409,
    title: 'Inbox exists with other settings',
    help: 'PUT ensures an inbox and never changes one. Use PATCH to change the members listed in `details.differs`.',
  },
  'source-differs': {
    status: 409,
    title: 'Source exists with other settings',
    help: 'PUT ensures a source and never changes one. Use PATCH to change the members listed in `details.differs`; secrets are replaced with an overlap.',
  },
  'webhook-refused': {
    status: 401,
    title: 'Webhook refused',
    help: 'The signature is missing, or is not that of this source over these very bytes. Why is told to the owner of the source alone: `sluice sources report KEY`, or `GET /v1/sources/{source}/report`.',
  },
  'incompatible-schema': {
    status: 409,
    title: 'Incompatible schema',
    help: 'The new schema refuses payloads that the old one took; `errors` says where. Change it, make another event type, or send `?allow_incompatible=true`.',
  },
  'needs-reconnect': {
    status: 409,
    title: 'Connection must be connected again',
    help: 'Its credentials are not good any more; the detail says why. `POST /v1/connections/{connection}/connect`, or `sluice connections reconnect`, gives an address at which a person connects it again; what uses it goes on then.',
  },
  'lease-lost': {
    status: 409,
    title: 'Lease lost',
    help: 'The lease ran out and other consumers hold the ids marked `lost` in `details.results`; the rest was done. Finish sooner, extend the lease, or lease for longer.',
  },
  'body-incomplete': {
    status: 400,
    title: 'Request body is incomplete',
    help: 'The connection ended before the body did, or a body that is signed alone took longer than 10 seconds. Send the request again.',
  },
  expired: {
    status: 410,
    title: 'Event has expired',
    help: 'Retention has removed this event: payloads are kept for 30 days once every inbox has passed them, and for 90 days in any case.',
  },
  erased: {
    status: 410,
    title: 'Event was erased',
    help: 'The payload of this event was erased on request and cannot be brought back.',
  },
  'payload-too-large': {
    status: 413,
    title: 'Payload too large',
    help: 'A payload may hold 262,144 bytes, a single request 512 KiB, a batch 1,000 events and 5 MiB. Split the batch, or store the data elsewhere and send its address.',
  },
  'unsupported-media-type': {
    status: 415,
    title: 'Unsupported media type',
    help: 'Send `Content-Type: application/json` (or `application/x-ndjson` for a batch, or CloudEvents in JSON), with no Content-Encoding or with gzip.',
  },
  'idempotency-mismatch': {
    status: 422,
    title: 'Idempotency key was used with another body',
    help: 'An idempotency key stands for one event. Use a new key for a new event; keys are remembered for 7 days.',
  },
  'schema-mismatch': {
    status: 422,
    title: 'Payload does not match its schema',
    help: 'The event type has a JSON Schema and the mode `reject`. `errors` lists every fault with a JSON Pointer into the event; `GET /v1/event-types/{name}` shows the schema.',
  },
  'unknown-event-type': {
    status: 422,
    title: 'Unknown event type',
    help: 'This workspace takes only event types that it knows. Correct the name, or make the type with `PUT /v1/event-types/{name}`.',
  },
  'quota-exceeded': {
    status: 429,
    title: 'Quota exceeded',
    help: 'The workspace has used up what it may have; the detail says of what. A quota of a day begins anew at midnight UTC (`Retry-After`). An administrator of the hub changes it: `sluice workspaces create KEY --events-per-day N`.',
  },
  'rate-limit-exceeded': {
    status: 429,
    title: 'Rate limit exceeded',
    help: 'Wait for the seconds in `Retry-After`. An administrator can raise the limit: `sluice keys update KEY_ID --rate-limit N`.',
  },
  internal: {
    status: 500,
    title: 'Internal error',
    help: 'A fault of the hub. Its log holds the cause under the same correlation id; please report it.',
  },
  overloaded: {
    status: 503,
    title: 'Overloaded',
    help: 'More requests are waiting than the hub will hold. Nothing was stored; send it again after `Retry-After` seconds.',
  },
  'storage-unavailable': {
    status: 503,
    title: 'Storage unavailable',
    help: 'The store refused the write (a full or read-only disk, or a lost database). Nothing was stored; the hub resumes by itself when the store does.',
  },
  'provider-unavailable': {
    status: 503,
    title: 'OAuth2 provider unavailable',
    help: 'The access token of a connection has ended, and its provider could not be asked for another one; the detail says why. The hub asks again by itself: send the request again after `Retry-After` seconds.',
  },
  'shutting-down': {
    status: 503,
    title: 'Shutting down',
    help: 'This node is stopping. Send the request again; another node, or this one after its restart, will take it.',
  },
} as const

export type ErrorCode = keyof typeof problems

export type HubErrorOptions = {
  readonly cause?: unknown
  readonly details?: Record<string, unknown>
  readonly errors?: readonly Fault[]
  /** seconds, for the `Retry-After` field */
  readonly retryAfterSeconds?: number
}

/**
 * A failure that the caller of the API should see. Thrown anywhere below `http/`; only `http/app.ts` turns it into an answer.
 *
 * @param code decides status and title (`problems`)
 * @param message says what, which and what to do; it becomes `detail`
 * @example throw new HubError('conflict', 'inbox "crm" is paused; resume it first')
 */
export class HubError extends Error {
  readonly code: ErrorCode
  readonly details: Record<string, unknown>
  readonly errors: readonly Fault[] | undefined
  readonly retryAfterSeconds: number | undefined

  constructor(code: ErrorCode, message: string, options: HubErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.name = 'HubError'
    this.code = code
    this.details = options.details ?? {}
    this.errors = options.errors
    this.retryAfterSeconds = options.retryAfterSeconds
  }

  get status(): number {
    return problems[this.code].status
  }
}
