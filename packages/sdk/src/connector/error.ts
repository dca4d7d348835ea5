/**
 * What went wrong, by who must act: `configuration` (whoever set it up), `auth` (the credentials), `rate_limit` (come back later),
 * `remote` (the service), `destination` (where the tables are), `cancelled`, and `bug`: the connector itself, or data that is not
 * as its schema says.
 */
export type FailureKind = 'configuration' | 'auth' | 'rate_limit' | 'remote' | 'destination' | 'cancelled' | 'bug'

/** A sync cannot go on. What was committed before stays. */
export class ConnectorError extends Error {
  readonly kind: FailureKind

  constructor(kind: FailureKind, message: string, options?: { readonly cause?: unknown }) {
    super(message, options)
    this.name = 'ConnectorError'
    this.kind = kind
  }
}

/** The connector, or data that is not as its schema says. */
export const bug = (message: string, cause?: unknown): ConnectorError => new ConnectorError('bug', message, { cause })

/** The service answered what nobody can use. */
export const remoteFault = (message: string, cause?: unknown): ConnectorError =>
  new ConnectorError('remote', message, { cause })

const networkCode = /^(UND_ERR_|ECONN|ETIMEDOUT|ENOTFOUND|EAI_|EHOSTUNREACH|ENETUNREACH|EPIPE|CERT_|ERR_TLS|ERR_SSL)/

/**
 * The kind of whatever a connector threw.
 *
 * @example toFailureKind(new HTTPError({ status: 403, … })) // 'auth'
 */
export function toFailureKind(error: unknown): FailureKind {
  if (error instanceof ConnectorError) return error.kind
  if (!(error instanceof Error)) return 'bug'
  if (error.name === 'ConfigurationError') return 'configuration'
  const { status, code } = error as { readonly status?: unknown; readonly code?: unknown } // errors of the HTTP way have them
  if (error.name === 'RateLimitError') return 'rate_limit'
  if (error.name === 'HTTPError') return status === 401 || status === 403 ? 'auth' : 'remote'
  if (error.name === 'AddressRefusedError') return 'configuration'
  if (error.name === 'AnswerTooLargeError' || error.name === 'TimeoutError') return 'remote'
  if (typeof code === 'string' && networkCode.test(code)) return 'remote'
  if (error.cause instanceof Error) return toFailureKind(error.cause)
  return 'bug'
}

/** What an error says. */
export const toMessage = (error: unknown): string => (error instanceof Error ? error.message : String(error))
