import type { Note } from './report.ts'

/** The configuration of an integration cannot be used. `notes` hold every fault. */
export class ConfigurationError extends Error {
  readonly notes: readonly Note[]

  constructor(message: string, notes: readonly Note[] = []) {
    super([message, ...notes.map(({ pointer, detail }) => `  ${pointer || '(whole file)'}: ${detail}`)].join('\n'))
    this.name = 'ConfigurationError'
    this.notes = notes
  }
}

export type ValidationSource = 'input' | 'output' | 'legacy'

/** Inputs, credentials or outputs are not as the schema says, or a handler is missing. */
export class ValidationError extends Error {
  readonly source: ValidationSource

  constructor(message: string, source: ValidationSource = 'legacy') {
    super(message)
    this.name = 'ValidationError'
    this.source = source
  }
}

/**
 * An expected failure of an action, for its caller to read: returned or thrown by a handler. It skips the check of outputs and
 * keeps its cost.
 *
 * @example return new ActionError('User not found', { cost_usd: 0.01 })
 */
export class ActionError extends Error {
  /** USD; 0 is free, null unknown */
  readonly cost_usd: number | null

  constructor(message: string, { cost_usd: cost = null }: { readonly cost_usd?: number | null } = {}) {
    super(message)
    this.name = 'ActionError'
    this.cost_usd = cost
  }
}

type Fields = Readonly<Record<string, string | string[]>>
type HttpErrorOptions = {
  readonly status: number
  readonly message: string
  readonly responseData: unknown
  readonly headers?: Fields | undefined
}

/** `context.fetch` was answered with a status outside 2xx. The message holds no more than the beginning of the body. */
export class HTTPError extends Error {
  readonly status: number
  readonly responseData: unknown
  /** of the answer, by lower-case name */
  readonly headers: Fields

  constructor({ status, message, responseData, headers = {} }: HttpErrorOptions) {
    super(`HTTP ${status}: ${message}`)
    this.name = 'HTTPError'
    this.status = status
    this.responseData = responseData
    this.headers = headers
  }
}

/** `context.fetch` was answered with 429. */
export class RateLimitError extends HTTPError {
  /** seconds to wait, from `Retry-After` in either form; 60 where it is absent */
  readonly retryAfter: number

  constructor({
    retryAfter,
    message = 'Rate limit exceeded',
    ...answer
  }: Omit<HttpErrorOptions, 'status' | 'message'> & { readonly retryAfter: number; readonly message?: string }) {
    super({ status: 429, message, ...answer })
    this.name = 'RateLimitError'
    this.retryAfter = retryAfter
  }
}
