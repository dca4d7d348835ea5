export { defineConnector, type Connector, type ConnectorSource, type UpdateContext } from './connector/define.ts'
export { ConnectorError, type FailureKind } from './connector/error.ts'
export { parseExact, printExact, type ExactNumber } from './connector/exact-json.ts'
export { apiKey, basicAuth, bearerToken, oauth2ClientCredentials } from './connector/http-auth.ts'
export type { ConnectorHttp, HttpAuth, HttpOptions } from './connector/http.ts'
export { createCursor, type Cursor, type CursorOptions, type CursorState } from './connector/incremental.ts'
export type { Log } from './connector/log.ts'
export type { Operations } from './connector/operations.ts'
export {
  cursorPages,
  keysetPages,
  linkPages,
  nextUrlPages,
  numberedPages,
  offsetPages,
  timeWindows,
  type Page,
} from './connector/pages.ts'
export type { ContractMode, NestedPolicy, TableSource } from './connector/schema.ts'
export { HTTPError, RateLimitError } from './integration/error.ts'
