import { integrationFrom, loadIntegration } from './integration/load.ts'
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
export { findCredentialFaults, needsCredentials, toAuthType } from './integration/credentials.ts'
export { ActionError, ConfigurationError, HTTPError, RateLimitError, ValidationError } from './integration/error.ts'
export type { AccountFunction, ActionFunction, PollFunction, PollPlace, Polled } from './integration/handlers.ts'
export type { Note } from './integration/report.ts'
export type {
  AccountEnvelope,
  ActionEnvelope,
  ActionResult,
  ConnectedAccountInfo,
  PollEnvelope,
  PollRecord,
} from './integration/result.ts'
export type { Fetch, FetchOptions, FetchResponse } from './http/fetch.ts'

/** Integrations: a `config.json` and handlers for one outside service. */
export const Integration = { load: loadIntegration, from: integrationFrom }
export type Integration = Loaded
