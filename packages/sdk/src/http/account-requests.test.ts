import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createAccountTest } from './account-requests.ts'

const request = (url: string, headers: Record<string, string> = {}, body?: string) => ({
  method: 'GET',
  url: new URL(url),
  headers,
  body,
})
const isOfAccount = createAccountTest({ credentials: { token: 'planted-token', pin: '1' }, hosts: ['api.example.com'] })

test('a request that carries a credential is of the account, wherever it carries it', () => {
  const basic = Buffer.from('me:planted-token').toString('base64')
  for (const one of [
    request('https://other.example/?key=planted-token'),
    request('https://other.example/', { authorization: 'Bearer planted-token' }),
    request('https://other.example/', { authorization: `Basic ${basic}` }),
    request('https://other.example/', {}, 'secret=planted-token'),
  ])
    assert.equal(isOfAccount(one), true, JSON.stringify(one))
  const spaced = createAccountTest({ credentials: { key: 'a b+c' } })
  assert.equal(spaced(request('https://other.example/?key=a%20b%2Bc')), true)
})

test('a request to a declared host is of the account, and none is where there is no account', () => {
  assert.equal(isOfAccount(request('https://api.example.com/signed')), true)
  const nobody = createAccountTest({ credentials: {}, hosts: ['api.example.com'] })
  assert.equal(nobody(request('https://api.example.com/open')), false)
})

test('a request elsewhere without a credential is of nobody, short texts and broken queries or not', () => {
  for (const one of [request('https://other.example/1'), request('https://other.example/?a=%E0%A4%A')])
    assert.equal(isOfAccount(one), false, JSON.stringify(one))
})
