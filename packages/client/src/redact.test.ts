import assert from 'node:assert/strict'
import { test } from 'node:test'
import { inspect } from 'node:util'
import fc from 'fast-check'
import { redact, redactText } from './redact.ts'

const letters = 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ'
const text = (alphabet: string, min: number, max = min): fc.Arbitrary<string> =>
  fc.string({ unit: fc.constantFrom(...alphabet.split('')), minLength: min, maxLength: max })
const digits = (count: number): fc.Arbitrary<string> => text('0123456789', count)

/** What can be told by its looks, wherever it stands. */
const visible = fc.oneof(
  fc
    .tuple(text(`${letters}0123456789.+_-`, 3, 20), text(letters, 3, 12))
    .map(([name, host]) => `${name}@${host}.example`),
  fc.tuple(text('abc', 3, 6), text(letters, 3, 12)).map(([name, host]) => `${name}%40${host}.example`),
  digits(10).map((number) => `+1${number}`),
  fc.tuple(digits(3), digits(3), digits(4)).map(([area, a, b]) => `(${area}) ${a}-${b}`),
  fc.tuple(digits(3), digits(4)).map(([a, b]) => `+49 151 ${a} ${b}`),
  fc.tuple(digits(4), digits(7)).map(([area, number]) => `0${area}-${number}`),
  fc
    .tuple(text('0123456789abcdef', 16), text(`${letters}0123456789_-`, 43))
    .map(([id, secret]) => `slk_${id}_${secret}`),
  text(`${letters}0123456789_-`, 43).map((secret) => `sls_${secret}`),
  text(`${letters}0123456789+/`, 32).map((secret) => `whsec_${secret}=`),
  text('0123456789abcdef', 64).map((hex) => `sha256=${hex}`),
  fc.tuple(text(letters, 20), text(letters, 40), text(letters, 43)).map((parts) => `eyJ${parts.join('.')}`),
  text(`${letters}0123456789._-`, 12, 40).map((token) => `Bearer ${token}`),
  text('0123456789abcdef', 38).map((hex) => `a1${hex}`),
)
/** What cannot: its field says so. */
const hidden = text(letters, 12, 24)

const words = fc.constantFrom(
  'password',
  'api key',
  'access token',
  'email',
  'phone number',
  'hmac secret',
  'authorization',
)
const moreWords = fc.constantFrom(
  'mobile',
  'session cookie',
  'signature',
  'x esauti signature',
  'private key',
  'passwd',
)
const name = fc.tuple(fc.oneof(words, moreWords), fc.nat(6)).map(([spoken, style]) => {
  const parts = spoken.split(' ')
  const camel = parts.map((part, at) => (at === 0 ? part : part.charAt(0).toUpperCase() + part.slice(1))).join('')
  const styles = [
    parts.join('_'),
    parts.join('-'),
    camel,
    parts.join(''),
    parts.join('_').toUpperCase(),
    parts.join('.'),
  ]
  return styles[style] ?? spoken
})

type Planted = { readonly value: unknown; readonly secrets: readonly string[] }

const plain: fc.Arbitrary<Planted> = fc
  .oneof(fc.constantFrom(null, undefined, true, 42, 7n, '', 'plain words', '2026-01-31T12:00:00Z'), fc.date())
  .map((value) => ({ value, secrets: [] }))
const bare = fc
  .tuple(visible, fc.constantFrom('', 'failed for ', 'at https://hub.example/?q=', '"', '{"a":"', 'x: '))
  .map(([secret, before]): Planted => ({
    value: `${before}${secret}${before.startsWith('"') ? '"' : ''}`,
    secrets: [secret],
  }))
const inText = fc.tuple(name, fc.oneof(visible, hidden), fc.nat(4)).map(([field, secret, style]): Planted => {
  const named = field.replaceAll(' ', '_')
  const styles = [
    `error: ${named}=${secret}`,
    JSON.stringify({ [named]: secret }),
    JSON.stringify(JSON.stringify({ a: { [named]: secret } })),
    `https://hub.example/path?a=1&${named}=${encodeURIComponent(secret)}&b=2`,
  ]
  return { value: styles[style] ?? `${named}: "${secret}"`, secrets: [secret] }
})
const leaf = fc.oneof(plain, bare, inText)

function toError(planted: readonly Planted[], message: string): Error {
  const [cause, ...errors] = planted.map(({ value }) => value)
  const error = errors.length > 0 ? new AggregateError(errors, message, { cause }) : new Error(message, { cause })
  return Object.assign(error, { detail: errors[0] })
}

const { tree } = fc.letrec<{ tree: Planted; named: Planted }>((tie) => ({
  named: fc
    .tuple(name, fc.oneof(hidden, visible))
    .chain(([field, secret]) =>
      fc
        .constantFrom<unknown>(
          { [field]: secret },
          { [field]: [secret] },
          { [field]: { a: secret } },
          new Map([[field, secret]]),
        )
        .map((value) => ({ value, secrets: [secret] })),
    ),
  tree: fc.oneof(
    { depthSize: 'small', maxDepth: 6 },
    leaf,
    tie('named'),
    fc.array(tie('tree'), { maxLength: 4 }).map((items) => ({
      value: items.map(({ value }) => value),
      secrets: items.flatMap(({ secrets }) => secrets),
    })),
    fc.tuple(fc.array(tie('tree'), { maxLength: 4 }), fc.nat(4), visible).map(([items, kind, secret]): Planted => {
      const entries = items.map(({ value }, at): [string, unknown] => [`field ${at}`, value])
      const secrets = [...items.flatMap((item) => item.secrets), secret]
      const kinds = [
        new Map<unknown, unknown>([...entries, [secret, 1]]),
        new Set([...items.map(({ value }) => value), secret]),
        toError(items, `failed for ${secret}`),
        { ...Object.fromEntries(entries), [secret]: 1 },
      ]
      return {
        value: kinds[kind] ?? new Headers({ 'x-note': encodeURIComponent(secret), authorization: secret }),
        secrets,
      }
    }),
  ),
}))

/** Everything that is in it, however deep. */
const show = (value: unknown): string => inspect(value, { depth: 100, maxStringLength: null, maxArrayLength: null })

test('what was planted does not come out, however it is nested, and nothing is changed', () => {
  fc.assert(
    fc.property(tree, ({ value, secrets }) => {
      const before = show(value)
      const safe = show(redact(value))
      for (const secret of secrets) assert.ok(!safe.includes(secret), `${secret} in ${safe}`)
      assert.equal(show(value), before)
    }),
    { numRuns: 2000 },
  )
})

test('what is harmless comes out as it went in', () => {
  const harmless = {
    operation: 'POST /v1/events',
    attempt: 2,
    delayMs: 1769860800123,
    at: '2026-01-31T12:00:00.123Z',
    on: 'on 2026-01-31 12:00 it began',
    event_id: '018bcfe5-6800-8000-8000-000004000007',
    all_digits: '01800000-6800-8000-8000-000004000007',
    idempotency_key: 'order-7',
    IdempotencyKey: 'order-7',
    version: '1.2.3',
    address: 'http://127.0.0.1:8000/v1/events?limit=50&after=2026-01-31',
    host: '192.168.100.200',
    reason: 'no answer within 30000 ms after 3 attempts (request req-1)',
    email_verified: true,
    phone: null,
    list: [1, 'two', 3n, false, undefined],
    map: new Map([['a', new Set(['b'])]]),
    when: new Date(0),
  }
  assert.deepEqual(redact(harmless), harmless)
})

test('masks stand in for the value alone', () => {
  const cases = [
    [
      'GET https://jane:pw@hub.example/?api_key=1&limit=2 failed',
      'GET https://[redacted]@hub.example/?api_key=[redacted]&limit=2 failed',
    ],
    ['write to jane.doe+x@example.co.uk, or not', 'write to [redacted], or not'],
    ['call +1 (415) 555-2671 now', 'call [redacted] now'],
    ['on 2026-01-31 415-555-2671 called', 'on [redacted] called'],
    ['{"password":"a \\"b\\" c","n":1}', '{"password":[redacted],"n":1}'],
    ['Cookie: a=b; c=d\nHost: x', 'Cookie: [redacted]\nHost: x'],
    ['token=', 'token='],
  ]
  for (const [input = '', output] of cases) assert.equal(redactText(input), output)
  assert.equal(redactText('the word is xyzzy', { secrets: ['xyzzy', ''] }), 'the word is [redacted]')
})

test('what is endless, hostile or large comes to an end', () => {
  const circular: Record<string, unknown> = { name: 'a' }
  circular['self'] = circular
  assert.deepEqual(redact(circular), { name: 'a', self: '[circular]' })
  assert.match(show(redact(Object.assign(new Error('x'), { cause: circular }))), /circular/)
  // 2 to the 60th values, if it were gone through.
  let twice: unknown = 'jane@example.com'
  for (let level = 0; level < 60; level += 1) twice = [twice, twice]
  assert.match(show(redact(twice)), /more/)
  const hostile = {
    get boom(): string {
      throw new Error('no')
    },
  }
  assert.equal(redact(hostile), '[unreadable]')
  assert.deepEqual(redact({ f: () => 1, s: Symbol('jane@example.com'), b: new Uint8Array(3) }), {
    f: '[function]',
    s: '[symbol]',
    b: '[3 bytes]',
  })
  assert.equal(redactText('x '.repeat(10_000)).length, 10_000 + '… (20000 characters)'.length)
  const own = redact(JSON.parse('{"__proto__":{"email":"jane@example.com"}}'))
  assert.equal(JSON.stringify(own), '{"__proto__":{"email":"[redacted]"}}')
})
