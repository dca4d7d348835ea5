import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { refreshDueMs, toOAuth2Auth, type TokenSet } from '../auth.ts'

describe('times', () => {
  it('is due before the end by 15 minutes or half of the lifetime', () => {
    const due = (seconds: number | undefined): number | undefined =>
      refreshDueMs({
        access_token: 'a',
        token_type: 'bearer',
        obtained_at: 1000,
        ...(seconds !== undefined && { expires_at: 1000 + seconds * 1000 }),
      })
    assert.equal(due(3600), 1000 + 2_700_000)
    assert.equal(due(600), 1000 + 300_000)
    assert.equal(due(1800), 1000 + 900_000)
    assert.equal(due(undefined), undefined)
  })
})

describe('credentials for handlers', () => {
  it('holds no refresh token, also none that lies deeper', () => {
    const tokens: TokenSet = {
      access_token: 'a',
      token_type: 'bot',
      refresh_token: 'r',
      obtained_at: 1,
      expires_at: 2,
      authed_user: { id: 'U1', access_token: 'u', refresh_token: 'ur' },
    }
    assert.deepEqual(toOAuth2Auth(tokens), {
      auth_type: 'PlatformOauth2',
      credentials: {
        access_token: 'a',
        token_type: 'bot',
        expires_at: 2,
        authed_user: { id: 'U1', access_token: 'u' },
      },
    })
  })
})
