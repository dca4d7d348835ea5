/** How the provider behaves; each may be changed while it runs, and holds from the next request on. */
export type OAuthSettings = {
  /** life of access tokens, default 3600 */
  accessSeconds: number
  /** whether a refresh token is used up by a refresh; default true. One that comes twice revokes everything, as is usual */
  rotates: boolean
  /** how `expires_in` is told; default `number` */
  expiresIn: 'number' | 'text' | 'absent'
  /** instead of what an id token would claim, as `{ aud: 'someone-else' }`; undefined takes a claim away */
  idTokenClaims: Record<string, unknown>
  /** how far its clock is ahead; below 0 behind. Default 0 */
  skewSeconds: number
  /** whether who is asked agrees; default true */
  consents: boolean
}

export const defaultSettings: OAuthSettings = {
  accessSeconds: 3600,
  rotates: true,
  expiresIn: 'number',
  idTokenClaims: {},
  skewSeconds: 0,
  consents: true,
}
