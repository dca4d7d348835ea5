import type { Reply, SeenRequest } from './serve.ts'

export type TokenSettings = {
  readonly token: string
  readonly clientId: string
  readonly clientSecret: string
  readonly expiresInSeconds: number
}

export type TokenIssuer = {
  isAllowed(request: SeenRequest): boolean
  issue(request: SeenRequest): Reply
  expire(): void
  readonly refreshToken: () => string
}

/** Of the service's OAuth2: client credentials, and refresh tokens that are good for one use. */
export function createTokenIssuer({ token, clientId, clientSecret, expiresInSeconds }: TokenSettings): TokenIssuer {
  let live = new Set<string>()
  let issued = 0
  let refreshToken = 'refresh-0'
  return {
    isAllowed: ({ headers }) => {
      const [scheme, value = ''] = (headers.authorization ?? '').split(' ')
      if (scheme === 'Basic') return Buffer.from(value, 'base64').toString() === `${clientId}:${clientSecret}`
      return scheme === 'Bearer' && (value === token || live.has(value))
    },
    issue: ({ body }) => {
      const form = new URLSearchParams(body.toString())
      if (form.get('client_id') !== clientId || form.get('client_secret') !== clientSecret) {
        return {
          status: 400,
          body: { error: 'invalid_client', error_description: 'The client credentials are invalid' },
        }
      }
      const isRefresh = form.get('grant_type') === 'refresh_token'
      if (isRefresh && form.get('refresh_token') !== refreshToken) {
        return { status: 400, body: { error: 'invalid_grant', error_description: 'Invalid refresh token' } }
      }
      issued += 1
      const accessToken = `access-${issued}`
      live.add(accessToken)
      if (isRefresh) refreshToken = `refresh-${issued}`
      const more = isRefresh ? { refresh_token: refreshToken } : {}
      return {
        status: 200,
        body: { access_token: accessToken, expires_in: expiresInSeconds, token_type: 'bearer', ...more },
      }
    },
    expire: () => {
      live = new Set()
    },
    refreshToken: () => refreshToken,
  }
}
