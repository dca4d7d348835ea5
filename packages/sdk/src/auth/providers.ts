import type { OAuth2Provider } from './provider.ts'

/** A provider that is known, without scopes: those are the integration's. */
export type KnownProvider = Omit<OAuth2Provider, 'scopes'>

/**
 * Providers whose addresses hold for everybody. Who has one for each customer (Shopify, Zendesk, Okta), or wants other parameters
 * than OAuth2's (TikTok), is described by the integration.
 */
const known: Readonly<Record<string, KnownProvider>> = {
  airtable: {
    authorizationUrl: 'https://airtable.com/oauth2/v1/authorize',
    tokenUrl: 'https://airtable.com/oauth2/v1/token',
  },
  asana: {
    authorizationUrl: 'https://app.asana.com/-/oauth_authorize',
    tokenUrl: 'https://app.asana.com/-/oauth_token',
    revocationUrl: 'https://app.asana.com/-/oauth_revoke',
    clientAuth: 'client_secret_post',
  },
  atlassian: {
    authorizationUrl: 'https://auth.atlassian.com/authorize',
    tokenUrl: 'https://auth.atlassian.com/oauth/token',
    clientAuth: 'client_secret_post',
    audience: 'api.atlassian.com',
    authorizationParams: { prompt: 'consent' },
  },
  discord: {
    authorizationUrl: 'https://discord.com/oauth2/authorize',
    tokenUrl: 'https://discord.com/api/oauth2/token',
    revocationUrl: 'https://discord.com/api/oauth2/token/revoke',
  },
  dropbox: {
    authorizationUrl: 'https://www.dropbox.com/oauth2/authorize',
    tokenUrl: 'https://api.dropboxapi.com/oauth2/token',
    // Without it there is no refresh token.
    authorizationParams: { token_access_type: 'offline' },
  },
  github: {
    authorizationUrl: 'https://github.com/login/oauth/authorize',
    tokenUrl: 'https://github.com/login/oauth/access_token',
    clientAuth: 'client_secret_post',
  },
  gitlab: {
    authorizationUrl: 'https://gitlab.com/oauth/authorize',
    tokenUrl: 'https://gitlab.com/oauth/token',
    revocationUrl: 'https://gitlab.com/oauth/revoke',
    issuer: 'https://gitlab.com',
    clientAuth: 'client_secret_post',
  },
  google: {
    authorizationUrl: 'https://accounts.google.com/o/oauth2/v2/auth',
    tokenUrl: 'https://oauth2.googleapis.com/token',
    revocationUrl: 'https://oauth2.googleapis.com/revoke',
    issuer: 'https://accounts.google.com',
    clientAuth: 'client_secret_post',
    // Of service accounts too: their statements are for the token endpoint.
    assertionAudience: 'https://oauth2.googleapis.com/token',
    // A refresh token comes with the first consent only, unless it is asked for each time.
    authorizationParams: { access_type: 'offline', prompt: 'consent' },
  },
  hubspot: {
    authorizationUrl: 'https://app.hubspot.com/oauth/authorize',
    tokenUrl: 'https://api.hubapi.com/oauth/v1/token',
    clientAuth: 'client_secret_post',
    pkce: false,
  },
  linear: {
    authorizationUrl: 'https://linear.app/oauth/authorize',
    tokenUrl: 'https://api.linear.app/oauth/token',
    clientAuth: 'client_secret_post',
    scopeSeparator: ',',
  },
  linkedin: {
    authorizationUrl: 'https://www.linkedin.com/oauth/v2/authorization',
    tokenUrl: 'https://www.linkedin.com/oauth/v2/accessToken',
    clientAuth: 'client_secret_post',
    pkce: false,
  },
  // No issuer: it is another one for each tenant.
  microsoft: {
    authorizationUrl: 'https://login.microsoftonline.com/common/oauth2/v2.0/authorize',
    tokenUrl: 'https://login.microsoftonline.com/common/oauth2/v2.0/token',
    clientAuth: 'client_secret_post',
  },
  notion: {
    authorizationUrl: 'https://api.notion.com/v1/oauth/authorize',
    tokenUrl: 'https://api.notion.com/v1/oauth/token',
    authorizationParams: { owner: 'user' },
    pkce: false,
  },
  salesforce: {
    authorizationUrl: 'https://login.salesforce.com/services/oauth2/authorize',
    tokenUrl: 'https://login.salesforce.com/services/oauth2/token',
    revocationUrl: 'https://login.salesforce.com/services/oauth2/revoke',
    clientAuth: 'client_secret_post',
  },
  slack: {
    authorizationUrl: 'https://slack.com/oauth/v2/authorize',
    tokenUrl: 'https://slack.com/api/oauth.v2.access',
    scopeSeparator: ',',
    pkce: false,
  },
  spotify: {
    authorizationUrl: 'https://accounts.spotify.com/authorize',
    tokenUrl: 'https://accounts.spotify.com/api/token',
  },
  x: {
    authorizationUrl: 'https://x.com/i/oauth2/authorize',
    tokenUrl: 'https://api.x.com/2/oauth2/token',
    revocationUrl: 'https://api.x.com/2/oauth2/revoke',
  },
  xero: {
    authorizationUrl: 'https://login.xero.com/identity/connect/authorize',
    tokenUrl: 'https://identity.xero.com/connect/token',
    revocationUrl: 'https://identity.xero.com/connect/revocation',
    issuer: 'https://identity.xero.com',
  },
  zoom: {
    authorizationUrl: 'https://zoom.us/oauth/authorize',
    tokenUrl: 'https://zoom.us/oauth/token',
    revocationUrl: 'https://zoom.us/oauth/revoke',
  },
}

/** Services that are somebody else's when it comes to tokens. */
const families: readonly (readonly [pattern: RegExp, provider: string])[] = [
  [/^(google|gmail|youtube)/, 'google'],
  [/^(microsoft|office365|outlook|onedrive|onenote|sharepoint|teams|excel)/, 'microsoft'],
  [/^(jira|confluence)/, 'atlassian'],
  [/^twitter$/, 'x'],
]

/** The names that are known, for messages. */
export const providerNames: readonly string[] = Object.keys(known)

/**
 * A provider by the name that a configuration gives it, however it is written: `github`, `Google Calendar`, `Microsoft Planner`.
 *
 * @returns undefined for one that is not known here
 */
export function findProvider(name: string): KnownProvider | undefined {
  const plain = name.toLowerCase().replaceAll(/[^a-z0-9]/g, '')
  const family = families.find(([pattern]) => pattern.test(plain))?.[1] ?? plain
  return Object.hasOwn(known, family) ? known[family] : undefined
}
