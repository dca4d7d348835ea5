import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { authMethods, chooseAuthMethod, type AuthMethod } from './auth-methods.ts'
import { checkConfig, type IntegrationConfig } from './config.ts'
import { authTypes } from './read-auth.ts'
import { findCredentialFaults, needsCredentials, toAuthType } from './credentials.ts'

const load = (auth: unknown, strict = false) =>
  checkConfig({ name: 'a', version: '1.0.0', description: 'b', actions: {}, auth }, { strict })

function configOf(auth: unknown): IntegrationConfig {
  const { config, errors } = load(auth, true)
  assert.ok(config, JSON.stringify(errors))
  return config
}

const methodOf = (auth: unknown): AuthMethod => authMethods(configOf(auth))[0] ?? assert.fail()

const addresses = { authorization_url: 'https://a.example.com/authorize', token_url: 'https://a.example.com/token' }

describe('auth of one method', () => {
  it('describes OAuth2 in full', () => {
    const auth = {
      type: 'oauth2',
      scopes: ['read'],
      oauth2: {
        ...addresses,
        flow: 'authorization_code',
        revocation_url: 'https://a.example.com/revoke',
        issuer: 'https://a.example.com',
        scope_separator: ',',
        pkce: false,
        client_auth: 'private_key_jwt',
        authorization_params: { prompt: 'consent' },
        token_params: { resource: 'r' },
        audience: 'api',
        assertion_audience: 'https://a.example.com/token',
      },
    }
    assert.deepEqual(methodOf(auth), {
      id: 'default',
      type: 'oauth2',
      oauth2: {
        flow: 'authorization_code',
        provider: {
          authorizationUrl: 'https://a.example.com/authorize',
          tokenUrl: 'https://a.example.com/token',
          revocationUrl: 'https://a.example.com/revoke',
          issuer: 'https://a.example.com',
          scopes: ['read'],
          scopeSeparator: ',',
          pkce: false,
          clientAuth: 'private_key_jwt',
          authorizationParams: { prompt: 'consent' },
          tokenParams: { resource: 'r' },
          audience: 'api',
          assertionAudience: 'https://a.example.com/token',
        },
      },
    })
  })

  it('knows providers by name, however it is written, and changes them', () => {
    for (const [name, tokenUrl] of [
      ['github', 'https://github.com/login/oauth/access_token'],
      ['Google Calendar', 'https://oauth2.googleapis.com/token'],
      ['google_analytics', 'https://oauth2.googleapis.com/token'],
      ['Microsoft Planner', 'https://login.microsoftonline.com/common/oauth2/v2.0/token'],
      ['teams', 'https://login.microsoftonline.com/common/oauth2/v2.0/token'],
      ['X', 'https://api.x.com/2/oauth2/token'],
    ] as const)
      assert.equal(methodOf({ type: 'platform', provider: name }).oauth2?.provider?.tokenUrl, tokenUrl, name)
    const tenant = { token_url: 'https://login.microsoftonline.com/t1/oauth2/v2.0/token' }
    const { oauth2 } = methodOf({ type: 'oauth2', provider: 'microsoft', scopes: ['User.Read'], oauth2: tenant })
    assert.equal(oauth2?.provider?.tokenUrl, tenant.token_url)
    assert.equal(oauth2?.provider?.clientAuth, 'client_secret_post')
    assert.deepEqual(oauth2?.provider?.scopes, ['User.Read'])
  })

  it('loads platforms that nobody knows: their tokens come from elsewhere', () => {
    for (const provider of ['Productboard', 'constructor', '__proto__'])
      assert.equal(methodOf({ type: 'platform', provider }).oauth2?.provider, undefined)
  })

  it('takes types of formats to come for custom fields', () => {
    for (const type of ['constructor', '__proto__', 'oauth3']) assert.equal(methodOf({ type }).type, 'custom')
  })

  it('takes use_pkce and oauth2_pkce at their word', () => {
    assert.equal(methodOf({ type: 'platform', provider: 'slack' }).oauth2?.provider?.pkce, false)
    assert.equal(methodOf({ type: 'platform', provider: 'slack', use_pkce: true }).oauth2?.provider?.pkce, true)
    assert.equal(methodOf({ type: 'oauth2_pkce', provider: 'slack' }).oauth2?.provider?.pkce, true)
  })

  it('is content with an issuer, and with a token endpoint where no browser is needed', () => {
    const issued = methodOf({ type: 'oauth2', oauth2: { issuer: 'https://id.example.com' } })
    assert.equal(issued.oauth2?.provider?.issuer, 'https://id.example.com')
    const flow = 'client_credentials'
    const own = methodOf({ type: 'oauth2', oauth2: { flow, token_url: 'https://a.example.com/token' } })
    assert.deepEqual([own.oauth2?.flow, own.fields?.['required']], [flow, ['client_id', 'client_secret']])
    const signed = methodOf({ type: 'oauth2', provider: 'google', oauth2: { flow: 'jwt_bearer' } })
    assert.deepEqual(signed.fields?.['required'], ['client_id', 'private_key'])
  })

  it('brings the fields of its type, and adds those of the configuration', () => {
    const { fields, place } = methodOf({
      type: 'api_key',
      name: 'X-Api-Key',
      fields: { type: 'object', required: ['region', 'api_key'], properties: { region: { type: 'string' } } },
    })
    assert.deepEqual(place, { in: 'header', name: 'X-Api-Key', prefix: '' })
    assert.deepEqual(fields?.['required'], ['api_key', 'region'])
    const relabelled = { type: 'object', properties: { token: { type: 'string', label: 'App password' } } }
    const bearer = methodOf({ type: 'bearer', fields: relabelled })
    assert.deepEqual(bearer.fields?.['properties'], relabelled.properties)
    assert.deepEqual(methodOf({ type: 'basic' }).fields?.['required'], ['username'])
  })

  it('names every fault by its place', () => {
    const faultsOf = (auth: unknown): string[] =>
      load(auth)
        .errors.map(({ pointer }) => pointer)
        .toSorted()
    assert.deepEqual(faultsOf({ type: 'oauth2' }), ['/auth/oauth2/token_url'])
    assert.deepEqual(faultsOf({ type: 'oauth2', oauth2: { token_url: addresses.token_url } }), [
      '/auth/oauth2/authorization_url',
    ])
    assert.match(load({ type: 'oauth2', provider: 'Nobody' }).errors[0]?.detail ?? '', /"Nobody" is none of airtable,/)
    const wrong = {
      flow: 'implicit',
      token_url: 'http://a.example.com/token',
      authorization_url: 'javascript:alert(1)',
      revocation_url: 7,
      issuer: 'https://u:p@a.example.com',
      scope_separator: '',
      pkce: 'yes',
      client_auth: 'secret',
      authorization_params: { a: 1 },
      token_params: [],
      audience: 3,
      tokenUrl: 'https://a.example.com/token',
    }
    const faults = faultsOf({ type: 'oauth2', scopes: 7, oauth2: wrong })
    for (const member of Object.keys(wrong)) assert.ok(faults.includes(`/auth/oauth2/${member}`), member)
    assert.ok(faults.includes('/auth/scopes'))
    assert.deepEqual(faultsOf({ type: 'oauth2', oauth2: 'x', provider: 'github' }), ['/auth/oauth2'])
    assert.deepEqual(faultsOf({ type: 'custom', fields: { type: 'object' }, oauth2: addresses }), ['/auth/oauth2'])
    assert.deepEqual(faultsOf({ type: 'api_key', in: 'cookie', prefix: 1 }), ['/auth/in', '/auth/name', '/auth/prefix'])
    assert.deepEqual(faultsOf({ type: 'api_key', name: 'X Api\r\nKey', prefix: 'a\nb' }), [
      '/auth/name',
      '/auth/prefix',
    ])
  })

  it('allows plain http on this machine only', () => {
    const oauth2 = { token_url: 'http://127.0.0.1:9/token', authorization_url: 'http://localhost:9/authorize' }
    assert.equal(methodOf({ type: 'oauth2', oauth2 }).oauth2?.provider?.tokenUrl, oauth2.token_url)
  })
})

const several = {
  methods: {
    token: { type: 'bearer', title: 'Personal token' },
    app: { type: 'oauth2', provider: 'github', scopes: ['repo'] },
    old: { type: 'custom', fields: { type: 'object', required: ['key'], properties: { key: { type: 'string' } } } },
  },
}

describe('auth of several methods', () => {
  it('keeps their order and names', () => {
    const config = configOf(several)
    assert.equal(config.auth?.type, 'choice')
    assert.deepEqual(
      authMethods(config).map(({ id, type }) => [id, type]),
      [
        ['token', 'bearer'],
        ['app', 'oauth2'],
        ['old', 'custom'],
      ],
    )
    assert.equal(needsCredentials(config), true)
    assert.equal(needsCredentials(configOf({ methods: { ...several.methods, open: { type: 'none' } } })), false)
  })

  it('judges credentials by the method that is named, or by the first that they fit', () => {
    const config = configOf(several)
    const chosen = (credentials: unknown, id?: string) => {
      const found = chooseAuthMethod(authMethods(config), credentials, id)
      return 'method' in found ? found.method.id : found.fault
    }
    assert.equal(chosen({ token: 't' }), 'token')
    assert.equal(chosen({ access_token: 't' }), 'app')
    assert.equal(chosen({ key: 'k' }), 'old')
    assert.equal(chosen({ key: 'k' }, 'token'), "(the whole) must have required property 'token'")
    assert.equal(chosen({ key: 'k' }, 'nothing'), 'there is no method "nothing"; there is token, app, old')
    assert.match(String(chosen({})), /^token: .*; or app: .*access_token.*; or old: /)
    assert.equal(findCredentialFaults(config, { token: 't' }), undefined)
    assert.deepEqual(
      ['token', 'app', 'old'].map((id) => toAuthType(config, id)),
      ['ApiKey', 'PlatformOauth2', 'Custom'],
    )
  })

  it('names every fault by its place', () => {
    const faultsOf = (auth: unknown): string[] =>
      load(auth)
        .errors.map(({ pointer }) => pointer)
        .toSorted()
    assert.deepEqual(faultsOf({ methods: {} }), ['/auth/methods'])
    assert.deepEqual(faultsOf({ methods: [] }), ['/auth/methods'])
    assert.deepEqual(faultsOf({ type: 'choice' }), ['/auth/methods'])
    assert.deepEqual(faultsOf({ type: 'bearer', methods: { a: { type: 'bearer' } } }), ['/auth/type'])
    assert.deepEqual(faultsOf({ methods: { 'A b': { type: 'bearer' }, b: 7, c: {}, default: { type: 'basic' } } }), [
      '/auth/methods/A b',
      '/auth/methods/b',
      '/auth/methods/c/type',
      '/auth/methods/default',
    ])
    assert.deepEqual(faultsOf({ methods: { a: { type: 'oauth3' } } }), ['/auth/methods/a/type'])
    const nested = { methods: { a: { type: 'platform' }, b: { type: 'oauth2', scopes: 1, oauth2: { x: 1 } } } }
    assert.deepEqual(faultsOf(nested), [
      '/auth/methods/a/provider',
      '/auth/methods/b/oauth2/token_url',
      '/auth/methods/b/oauth2/x',
      '/auth/methods/b/scopes',
    ])
  })
})

it('reads anything at all without an error of its own', () => {
  const types = fc.constantFrom(...authTypes, 'choice', '__proto__')
  const oauth2 = fc.dictionary(fc.constantFrom('flow', 'token_url', 'pkce'), fc.jsonValue())
  const provider = fc.oneof(fc.constantFrom('github', 'x'), fc.jsonValue())
  const anything = { scopes: fc.jsonValue(), fields: fc.jsonValue(), in: fc.jsonValue(), prefix: fc.jsonValue() }
  const members = { type: fc.oneof(types, fc.jsonValue()), provider, oauth2, name: fc.string(), ...anything }
  const method = fc.record(members, { requiredKeys: [] })
  const auth = fc.oneof(fc.jsonValue(), method, fc.record({ methods: fc.dictionary(fc.string(), method) }))
  fc.assert(
    fc.property(auth, (value) => {
      const { config, errors } = load(value)
      assert.equal(config === undefined, errors.length > 0)
      if (config) for (const { id, type } of authMethods(config)) assert.ok(id !== '' && type)
    }),
    { numRuns: 500 },
  )
})
