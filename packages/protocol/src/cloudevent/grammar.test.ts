import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import {
  isJsonType,
  isMediaType,
  isText,
  isTextType,
  isTime,
  isUri,
  isUriReference,
  toUriReference,
} from './grammar.ts'

function check(holds: (text: string) => boolean, valid: readonly string[], invalid: readonly string[]): void {
  for (const text of valid) assert.equal(holds(text), true, JSON.stringify(text))
  for (const text of invalid) assert.equal(holds(text), false, JSON.stringify(text))
}

test('a URI-reference is absolute or relative, in ASCII, with whole percent triplets', () => {
  const absolute = ['https://user@[::1]:80/a?b=c/d?#e', 'urn:uuid:6e8bc430', 'mailto:a@b.example', 'a:', 'http://h']
  const relative = ['/cloudevents/spec/pull/123', 'shop', './1:a', '//host/path', '#x', '?q', 'a%20b', '/a:b', '..']
  const invalid = ['', 'a b', 'größe', 'a%2', '%', '1:a', ':a', 'a[b]', 'a#b#c', 'a\\b', '<x>', '{y}', 'a"b', '\n']
  check(isUriReference, [...absolute, ...relative], invalid)
  check(isUri, absolute, [...relative, ...invalid])
})

test('any text becomes a URI-reference, and one that is stays as it is', () => {
  assert.equal(toUriReference('Größe & 100% [x]#y'), 'Gr%C3%B6%C3%9Fe%20&%20100%25%20%5Bx%5D%23y')
  assert.equal(toUriReference('12:30'), './12:30')
  fc.assert(
    fc.property(fc.string({ unit: 'binary', minLength: 1 }), (text) => {
      const reference = toUriReference(text)
      assert.ok(isUriReference(reference), reference)
      assert.equal(toUriReference(reference), reference)
    }),
  )
})

test('a time is RFC 3339: a day that exists, seconds, a zone', () => {
  check(
    isTime,
    [
      '2026-01-31T12:00:00Z',
      '2026-01-31t12:00:00.123456789z',
      '2024-02-29T23:59:60+14:00',
      '0001-01-01T00:00:00-00:00',
    ],
    ['2026-01-31', '2026-01-31T12:00Z', '2026-01-31T12:00:00', '2026-02-29T00:00:00Z', '2026-13-01T00:00:00Z'],
  )
  check(
    isTime,
    [],
    ['2026-01-01T24:00:00Z', '2026-01-01T00:60:00Z', '2026-01-01T00:00:61Z', '2026-01-01 00:00:00Z', 'x'],
  )
})

test('media types: what is one, what is JSON, what is text', () => {
  check(
    isMediaType,
    ['text/plain', 'application/json; charset=utf-8', 'a/b;c="d; \\"e\\"";f=g', 'application/vnd.x+json;'],
    [
      '',
      'json',
      'text/',
      '/x',
      'text/plain charset=x',
      'a/b;c',
      'a/b\n',
      `a/${'b'.repeat(300)}`,
      `a/b${'; '.repeat(100)}`,
    ],
  )
  const json = [
    'application/json',
    'APPLICATION/JSON;charset="UTF-8"',
    'text/json',
    'application/vnd.x+json; charset=utf8',
  ]
  check(isJsonType, json, [
    'text/plain',
    'application/jsonl',
    'application/json-seq',
    'application/json; charset=utf-16',
  ])
  assert.equal(isJsonType(undefined), true)
  const text = [
    'text/csv',
    'text/plain; charset=us-ascii',
    'application/xml',
    'image/svg+xml',
    'application/x-www-form-urlencoded',
  ]
  check(isTextType, text, [
    'application/octet-stream',
    'text/plain;charset=iso-8859-1',
    'image/png',
    'application/xmlish',
  ])
})

test('texts hold no control characters, no halves of pairs and no noncharacters', () => {
  check(isText, ['', 'a ä 😀', '\u00a0'], ['\u0000', '\n', '\u007f', '\u0085', '\ud800', '\ufffe', '\u{1ffff}'])
})
