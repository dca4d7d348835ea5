import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { IntegrationConfig } from '@sluice/sdk/integration'
import { withoutSecrets } from './without-secrets.ts'

const fields = {
  type: 'object',
  properties: { pin: { type: 'string', format: 'password' }, region: { type: 'string' } },
}
const config = { auth: { type: 'custom', fields } } as unknown as IntegrationConfig
const auth = {
  auth_type: 'Custom',
  credentials: {
    api_key: 'planted "key" ü/?',
    pin: '1234',
    region: 'us-east-1',
    refresh_token: 'planted-refresh',
    n: 7,
    token: 'abc',
  },
}

test('secrets are taken out in every spelling, and nothing else', () => {
  const key = auth.credentials.api_key
  const value = {
    text: `request to https://api.example/?key=${encodeURIComponent(key)} failed`,
    quoted: JSON.stringify({ key }),
    nested: [{ basic: `Basic ${Buffer.from(`${key}:`).toString('base64')}` }, key],
    region: 'us-east-1',
    short: 'abc',
    number: 12_345,
  }
  const clean = withoutSecrets(value, auth, config)
  assert.doesNotMatch(JSON.stringify(clean), /planted|1234[^5]/)
  assert.equal(clean.text, 'request to https://api.example/?key=[redacted] failed')
  assert.deepEqual([clean.region, clean.short, clean.nested[1]], ['us-east-1', 'abc', '[redacted]'])
  assert.equal(withoutSecrets('the refresh planted-refresh', auth, config), 'the refresh [redacted]')
  assert.equal(withoutSecrets(value, { auth_type: 'Custom', credentials: {} }, config), value)
})

test('secrets of any method are taken out, also those that lie deeper, and name and password together', () => {
  const methods = [{ id: 'a', type: 'custom', fields }] as const
  const choice = { auth: { type: 'choice', methods } } as unknown as IntegrationConfig
  const credentials = {
    pin: '1234',
    username: 'ada',
    password: 'planted-password',
    authed_user: { id: 'U1234X', access_token: 'planted-user-token' },
  }
  const both = Buffer.from('ada:planted-password').toString('base64')
  const clean = withoutSecrets(
    ['1234', both, 'planted-user-token', 'U12'],
    { auth_type: 'Custom', credentials },
    choice,
  )
  assert.deepEqual(clean, ['[redacted]', '[redacted]', '[redacted]', 'U12'])
})
