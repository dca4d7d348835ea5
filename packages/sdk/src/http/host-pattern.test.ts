import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isHost, isPrivateWay, parseHostPattern } from './host-pattern.ts'

const means = (pattern: string, url: string): boolean => {
  const parsed = parseHostPattern(pattern)
  assert.ok(parsed, pattern)
  return isHost(parsed, new URL(url))
}

const cases: readonly (readonly [pattern: string, url: string, means: boolean])[] = [
  ['api.example.com', 'https://api.example.com/x', true],
  ['api.example.com', 'https://API.example.com:443/x', true],
  ['API.example.com:443', 'https://api.example.com/x', true],
  ['api.example.com', 'http://api.example.com/x', false],
  ['api.example.com', 'https://api.example.com:8443/x', false],
  ['api.example.com', 'https://api.example.com.evil.example/x', false],
  ['api.example.com', 'https://api.example.com@evil.example/x', false],
  ['api.example.com:8443', 'https://api.example.com:8443/x', true],
  ['api.example.com:8443', 'https://api.example.com/x', false],
  ['https://api.example.com:*', 'https://api.example.com:1/x', true],
  ['https://api.example.com:*', 'http://api.example.com:1/x', false],
  ['*.example.com', 'https://a.b.example.com/', true],
  ['*.example.com', 'https://example.com/', false],
  ['*.example.com', 'https://badexample.com/', false],
  ['*.example.com', 'http://a.example.com/', false],
  ['http://127.0.0.1:*', 'http://127.0.0.1:5000/', true],
  ['http://127.0.0.1:*', 'https://127.0.0.1:5000/', false],
  ['http://127.0.0.1', 'http://127.0.0.1:80/', true],
  ['http://localhost:9000', 'http://localhost:9000/', true],
  ['http://[::1]:9000', 'http://[0::1]:9000/', true],
  ['127.0.0.1', 'http://127.0.0.1/', false],
]

for (const [pattern, url, expected] of cases) {
  test(`${pattern} ${expected ? 'means' : 'does not mean'} ${url}`, () => assert.equal(means(pattern, url), expected))
}

for (const pattern of [
  'http://api.example.com',
  'http://*.0.0.1',
  'http://127.0.0.1.evil.example',
  'http://10.0.0.1',
  'ftp://127.0.0.1',
  'https://',
  'api.example.com/path',
  'user@api.example.com',
  '*',
  'api.example.com:port',
  '',
]) {
  test(`${JSON.stringify(pattern)} is no host`, () => assert.equal(parseHostPattern(pattern), undefined))
}

test('a token that nobody declared a host for goes over https, and over plain http on the machine only', () => {
  const ways = [
    'https://api.example.com',
    'http://127.1',
    'http://localhost:8080',
    'http://api.example.com',
    'http://10.0.0.1',
  ]
  assert.deepEqual(
    ways.map((url) => isPrivateWay(new URL(url))),
    [true, true, true, false, false],
  )
})
