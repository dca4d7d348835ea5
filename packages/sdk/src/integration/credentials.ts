import type { IntegrationConfig } from './config.ts'
import { toCheck } from './schema.ts'

/** What is wrong with credentials by the fields of the configuration, or undefined. */
export function findCredentialFaults({ auth }: IntegrationConfig, credentials: unknown): string | undefined {
  return auth?.fields && toCheck(auth.fields)(credentials)
}

/** Whether it can be used without a connection. */
export const needsCredentials = ({ auth }: IntegrationConfig): boolean => auth !== undefined && auth.type !== 'none'

/** The `auth_type` under which handlers get credentials of this kind. */
export function toAuthType({ auth }: IntegrationConfig): string {
  return auth?.type === 'platform' || auth?.type === 'oauth2_pkce' ? 'PlatformOauth2' : 'Custom'
}
