import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { beginAuthorization, requestClientCredentials, type TokenOutcome } from '../auth.ts'
import { startOAuthProvider, type OAuthProvider } from '../testing.ts'

const ask = ({ provider, client }: OAuthProvider): Promise<TokenOutcome> =>
  requestClientCredentials({ provider, client, scopes: ['read'] })

describe('a provider for tests', () => {
  it('logs every request for tokens, and what became of it', async () => {
    await using oauth = await startOAuthProvider()
    await ask(oauth)
    oauth.next({ instead: { status: 400, json: { error: 'slow_down' } } })
    await ask(oauth)
    oauth.next({ loses: true })
    await ask(oauth)
    const { provider, client } = oauth
    await requestClientCredentials({ provider, client: { ...client, clientSecret: 'a-wrong-secret' } })
    assert.deepEqual(
      oauth.requests.map(({ grantType, acted, status }) => [grantType, acted, status]),
      [
        ['client_credentials', true, 200],
        ['client_credentials', false, 400],
        ['client_credentials', true, 200],
        ['client_credentials', false, 401],
      ],
    )
    assert.deepEqual(oauth.requests[0]?.params, { scope: 'read', grant_type: 'client_credentials' })
  })

  it('takes steps in their order, one a request, and is itself again afterwards', async () => {
    await using oauth = await startOAuthProvider()
    oauth.next({ change: (body) => ({ ...body, access_token: 'first' }) })
    oauth.next({ instead: { json: { access_token: 'second', token_type: 'bearer' } } })
    const tokens: (string | undefined)[] = []
    for (let at = 0; at < 3; at += 1) {
      const ended = await ask(oauth)
      tokens.push(ended.outcome === 'granted' ? ended.tokens.access_token : undefined)
    }
    assert.deepEqual(tokens.slice(0, 2), ['first', 'second'])
    assert.match(tokens[2] ?? '', /^[\w-]{40,}$/)
  })

  it('waits before it acts and after it has acted, as long as a test wants', async () => {
    await using oauth = await startOAuthProvider()
    const [before, after] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
    const { reached, acted } = oauth.next({ before: before.promise, after: after.promise })
    const asked = ask(oauth)
    assert.equal((await reached).acted, false)
    before.resolve()
    assert.equal((await acted).acted, true)
    after.resolve()
    assert.equal((await asked).outcome, 'granted')
  })

  it('says why the way through login and consent leads nowhere', async () => {
    await using oauth = await startOAuthProvider()
    const { provider, client } = oauth
    const redirectUri = 'https://hub.example.com/callback'
    const { url } = await beginAuthorization({ provider, client, redirectUri })
    await assert.rejects(oauth.authorize(url), /answered 400 and led nowhere: .*redirect_uri/)
    await assert.rejects(oauth.authorize(`${oauth.url}/nothing`), /answered 404 and led nowhere/)
    await assert.rejects(oauth.revoke('unheard-of'), /there is no such refresh token/)
  })

  it('keeps what it knows to itself', async () => {
    await using one = await startOAuthProvider()
    await using other = await startOAuthProvider()
    assert.notEqual(one.url, other.url)
    await ask(one)
    assert.equal(other.requests.length, 0)
  })
})
