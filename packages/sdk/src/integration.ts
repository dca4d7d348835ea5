import type { DefinedIntegration, SchemaSource } from './integration/define.ts'
import { integrationFrom, loadIntegration, type LoadOptions } from './integration/load.ts'
import type { Integration as Loaded } from './integration/integration.ts'

export { createContext, type Auth, type Context, type ContextOptions, type Logger } from './integration/context.ts'
export {
  parseConfig,
  type ActionConfig,
  type AuthConfig,
  type IntegrationConfig,
  type ParsedConfig,
  type PollingTriggerConfig,
} from './integration/config.ts'
export {
  defineIntegration,
  type ContextOf,
  type CredentialsOf,
  type DefinedIntegration,
  type InputsOf,
  type IntegrationSource,
  type NamesOf,
  type OutputOf,
} from './integration/define.ts'
export {
  authMethods,
  chooseAuthMethod,
  type AuthMethod,
  type OAuth2Flow,
  type OAuth2Method,
} from './integration/auth-methods.ts'
export { findCredentialFaults, needsCredentials, toAuthType } from './integration/credentials.ts'
export { ActionError, ConfigurationError, HTTPError, RateLimitError, ValidationError } from './integration/error.ts'
export type { AccountFunction, ActionFunction, PollFunction, PollPlace, Polled } from './integration/handlers.ts'
export type { Progress, ProgressReport } from './integration/progress.ts'
export type { Note } from './integration/report.ts'
export { findFaults } from './integration/schema.ts'
export type {
  AccountEnvelope,
  ActionEnvelope,
  ActionResult,
  ConnectedAccountInfo,
  PollEnvelope,
  PollRecord,
} from './integration/result.ts'
export type { Fetch, FetchOptions, FetchResponse } from './http/fetch.ts'

/** With the types of a source, as `sluice integrations types` writes them, the compiler checks the handlers. */
type Load = {
  (path?: string | URL, options?: LoadOptions): Promise<Loaded>
  <Source extends SchemaSource>(path?: string | URL, options?: LoadOptions): Promise<DefinedIntegration<Source>>
}

/** Integrations: a `config.json` and handlers for one outside service. */
export const Integration: { readonly load: Load; readonly from: typeof integrationFrom } = {
  load: loadIntegration as Load, // the types of a source change nothing when it runs
  from: integrationFrom,
}
export type Integration = Loaded
