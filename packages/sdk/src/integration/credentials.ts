import { authMethods, chooseAuthMethod, toWireType } from './auth-methods.ts'
import type { IntegrationConfig } from './config.ts'

/**
 * What is wrong with credentials, or undefined.
 *
 * @param method of the integration's; where there are several and none is named, one must fit
 */
export function findCredentialFaults(
  config: IntegrationConfig,
  credentials: unknown,
  method?: string,
): string | undefined {
  const methods = authMethods(config)
  if (methods.length === 0) return undefined
  const chosen = chooseAuthMethod(methods, credentials, method)
  return 'fault' in chosen ? chosen.fault : undefined
}

/** Whether it can be used without a connection. */
export const needsCredentials = (config: IntegrationConfig): boolean =>
  authMethods(config).length > 0 && authMethods(config).every(({ type }) => type !== 'none')

/** The `auth_type` under which handlers get credentials of a method; default that of the first. */
export function toAuthType(config: IntegrationConfig, method?: string): string {
  const methods = authMethods(config)
  return toWireType(method === undefined ? methods[0] : methods.find(({ id }) => id === method))
}
