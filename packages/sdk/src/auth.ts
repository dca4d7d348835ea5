export {
  beginAuthorization,
  finishAuthorization,
  type BeginOptions,
  type BegunAuthorization,
  type FinishOptions,
} from './auth/authorization-code.ts'
export { findProvider, providerNames, type KnownProvider } from './auth/providers.ts'
export { requestClientCredentials, type ClientCredentialsOptions } from './auth/client-credentials.ts'
export { discoverProvider } from './auth/discover.ts'
export { requestJwtBearer, type JwtBearerOptions } from './auth/jwt-bearer.ts'
export type { Failed, RefusalCause, Refused, TokenOutcome, Unknown, Unsent, Untrusted } from './auth/outcome.ts'
export type {
  ClientAuthMethod,
  OAuth2Call,
  OAuth2Client,
  OAuth2Provider,
  OAuth2Way,
  SigningKey,
} from './auth/provider.ts'
export { refreshTokens, type RefreshOptions } from './auth/refresh.ts'
export { renewTokens, toOAuth2Client, type RenewOptions } from './auth/renew.ts'
export { revokeToken, type RevokeOptions, type RevokeOutcome } from './auth/revoke.ts'
export { refreshDueMs, toOAuth2Auth, type TokenSet } from './auth/token-set.ts'
