import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { findFormFault, isSignedBy, type Signature, type Signed } from './signature.ts'

const nowMs = Date.UTC(2026, 0, 1)
const timestamp = String(nowMs / 1000)

const secrets = fc.string({ minLength: 1 }).map((text) => `sls_${text}`)
const requests = fc.record({
  method: fc.constantFrom('GET', 'POST', 'PUT', 'PATCH', 'DELETE'),
  targets: fc.webPath().map((path) => [path]),
  body: fc.uint8Array({ maxLength: 200 }),
})

function sign(secret: string, { method, targets, body }: Signed): Signature {
  const hmac = createHmac('sha256', secret)
    .update(`${method}\n${targets[0] ?? ''}\n${timestamp}\n`)
    .update(body)
  return { timestamp, signature: `sha256=${hmac.digest('hex')}` }
}

describe('a signature', () => {
  it('is that of any of the secrets over any of the targets, and of nothing else', () => {
    const property = fc.property(
      secrets,
      secrets,
      requests,
      fc.uint8Array({ minLength: 1 }),
      (secret, other, request, more) => {
        const signature = sign(secret, request)
        assert.equal(findFormFault(signature, nowMs), undefined)
        assert.ok(isSignedBy([secret], signature, request))
        assert.ok(isSignedBy([other, secret], signature, { ...request, targets: ['/x', ...request.targets] }))
        assert.equal(isSignedBy([other], signature, request), other === secret)
        assert.ok(!isSignedBy([], signature, request) && !isSignedBy([secret], signature, { ...request, targets: [] }))
        const changes: Partial<Signed>[] = [
          { body: Buffer.concat([request.body, more]) },
          { method: `${request.method}X` },
          { targets: request.targets.map((target) => `${target}?`) },
        ]
        for (const change of changes) assert.ok(!isSignedBy([secret], signature, { ...request, ...change }))
        const later = { ...signature, timestamp: String(nowMs / 1000 + 1) }
        assert.ok(!isSignedBy([secret], later, request))
      },
    )
    fc.assert(property)
  })

  it('says of any other text what is wrong with it, and never throws', () => {
    const texts = fc.oneof(fc.string({ unit: 'binary' }), fc.stringMatching(/^sha256=[0-9a-f]{60,68}$/))
    const property = fc.property(texts, texts, (first, second) => {
      const given = { timestamp: first, signature: second }
      const isWhole = /^sha256=[0-9a-f]{64}$/.test(second) && /^\d{1,12}$/.test(first)
      if (!isWhole) assert.equal(typeof findFormFault(given, nowMs), 'string')
      assert.ok(!isSignedBy(['sls_a'], given, { method: 'GET', targets: ['/'], body: new Uint8Array() }))
    })
    fc.assert(property)
  })

  it('is good for 300 seconds to both sides', () => {
    const { signature } = sign('sls_a', { method: 'GET', targets: ['/'], body: new Uint8Array() })
    const faultAt = (seconds: number) => findFormFault({ timestamp: String(nowMs / 1000 + seconds), signature }, nowMs)
    for (const seconds of [-300, 0, 300]) assert.equal(faultAt(seconds), undefined)
    assert.match(faultAt(-301) ?? '', /301 seconds behind/)
    assert.match(faultAt(301) ?? '', /301 seconds ahead/)
  })
})
