import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { createSealing, noSealing } from './sealing.ts'

const older = new Uint8Array(32).fill(1)
const newer = new Uint8Array(32).fill(2)

test('what is sealed opens, and reads like nothing', () => {
  const sealing = createSealing([newer])
  const property = fc.property(fc.string({ unit: 'binary' }), fc.string(), (secret, place) => {
    const text = secret.toWellFormed()
    const sealed = sealing.seal(place, text)
    assert.match(sealed, /^v1\.[0-9a-f]{8}\.[\w-]+$/)
    assert.equal(sealing.open(place, sealed), text)
    assert.notEqual(sealing.seal(place, text), sealed, 'never the same twice')
  })
  fc.assert(property)
})

test('it opens at its place only, unchanged', () => {
  const sealing = createSealing([newer])
  const sealed = sealing.seal('key/a/hmac', 'sls_secret')
  assert.equal(sealing.open('key/b/hmac', sealed), undefined)
  assert.ok(!sealed.includes('sls'))
  for (let at = 0; at < sealed.length; at += 1) {
    const other = sealed[at] === 'A' ? 'Q' : 'A'
    const changed = sealed.slice(0, at) + other + sealed.slice(at + 1)
    assert.equal(sealing.open('key/a/hmac', changed), undefined, changed)
    assert.equal(sealing.open('key/a/hmac', sealed.slice(0, at)), undefined)
  }
})

test('a secret key is rotated as new,old', () => {
  const before = createSealing([older]).seal('p', 'secret')
  const rotating = createSealing([newer, older])
  assert.equal(rotating.open('p', before), 'secret')
  const after = rotating.seal('p', 'secret')
  assert.equal(createSealing([newer]).open('p', after), 'secret')
  assert.equal(createSealing([newer]).open('p', before), undefined)
  assert.equal(createSealing([older]).open('p', after), undefined)
})

test('without a secret key nothing is sealed', () => {
  assert.throws(() => noSealing.seal('p', 's'), /SLUICE_SECRET_KEY/)
  assert.equal(noSealing.open('p', 'x'), undefined)
  assert.throws(() => createSealing([]), /secret key/)
})
