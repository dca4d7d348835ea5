import type { Fault, Problem } from '@sluice/protocol'

export type ApiErrorOptions = {
  readonly status: number
  /** what was asked, as `POST /v1/events` */
  readonly operation: string
  readonly problem?: Problem | undefined
  readonly requestId?: string | undefined
  readonly retryAfter?: number | undefined
  /** masked in the message, should somebody between here and the hub have put them into the answer */
  readonly secrets?: readonly string[] | undefined
}

/** The hub answered, and the answer was a refusal. `errorCode` is stable (`not-found`, `lease-lost`, …); texts are for people. */
export class ApiError extends Error {
  readonly status: number
  /** the RFC 9457 body; undefined when something between here and the hub answered in its own words */
  readonly problem: Problem | undefined
  readonly requestId: string | undefined
  /** seconds to wait before the next try, where the answer said so */
  readonly retryAfter: number | undefined

  constructor(options: ApiErrorOptions) {
    super(hide(toMessage(options), options.secrets))
    this.name = 'ApiError'
    this.status = options.status
    this.problem = options.problem
    this.requestId = options.requestId
    this.retryAfter = options.retryAfter
  }

  get errorCode(): string | undefined {
    return this.problem?.error_code
  }
}

/** 429: the key has used up its requests. `retryAfter` says when there are new ones, in seconds. */
export class RateLimitError extends ApiError {
  constructor(options: ApiErrorOptions) {
    super(options)
    this.name = 'RateLimitError'
  }
}

/**
 * What was to be published is no valid event. The hub says so, or `validateEvent` before anything is sent: then `status` is 0.
 */
export class EventValidationError extends ApiError {
  /** where (a JSON Pointer) and what, for every fault at once */
  readonly errors: readonly Fault[]

  constructor(options: ApiErrorOptions & { readonly errors?: readonly Fault[] | undefined }) {
    super(options)
    this.name = 'EventValidationError'
    this.errors = options.errors ?? options.problem?.errors ?? []
    if (options.status === 0) this.message = toFaultyMessage(options.operation, this.errors)
  }

  /** the same as `errors` */
  get faults(): readonly Fault[] {
    return this.errors
  }
}

type TransportErrorOptions = {
  readonly cause: unknown
  readonly attempts: number
  readonly secrets?: readonly string[] | undefined
}

/** No answer: refused connection, broken connection, timeout. Whether the hub did what was asked is not known. */
export class TransportError extends Error {
  /** how often it was tried */
  readonly attempts: number

  constructor(operation: string, options: TransportErrorOptions) {
    const tries = options.attempts === 1 ? '' : ` after ${options.attempts} attempts`
    super(hide(`${operation} failed${tries}: ${toReason(options.cause)}`, options.secrets), { cause: options.cause })
    this.name = 'TransportError'
    this.attempts = options.attempts
  }
}

/** The error class that fits the answer. */
export function toApiError(options: ApiErrorOptions): ApiError {
  if (options.status === 429) return new RateLimitError(options)
  const refused = options.status === 400 || options.status === 422
  if (refused && options.problem?.errors !== undefined) return new EventValidationError(options)
  return new ApiError(options)
}

function toMessage({ status, operation, problem, requestId }: ApiErrorOptions): string {
  const what = problem ? `${status} ${problem.error_code}: ${problem.detail}` : `${status}, and no explanation`
  return `${operation} answered ${what}${requestId ? ` (request ${requestId})` : ''}`
}

function toFaultyMessage(operation: string, errors: readonly Fault[]): string {
  return `${operation}: ${errors.map(({ pointer, detail }) => `${pointer || 'the event'} ${detail}`).join('; ')}`
}

function hide(text: string, secrets: readonly string[] = []): string {
  return secrets.reduce((safe, secret) => safe.replaceAll(secret, '[redacted]'), text)
}

/** `fetch failed` says nothing; what is under it does. */
function toReason(cause: unknown): string {
  if (!(cause instanceof Error)) return String(cause)
  if (cause.cause instanceof Error) return toReason(cause.cause)
  const code = 'code' in cause && typeof cause.code === 'string' ? cause.code : undefined
  return cause.message || code || cause.name
}
