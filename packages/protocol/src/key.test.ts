import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { Role, parseApiKey, permissionsOf } from './key.ts'

const keyId = '0123456789abcdef'
const secret = 'aA0_-'.repeat(8) + 'xyz'

describe('api key', () => {
  it('falls into id and secret, which may hold the separator', () => {
    assert.deepEqual(parseApiKey(`slk_${keyId}_${secret}`), { keyId, secret })
  })

  it('is nothing else', () => {
    const texts = [
      '',
      'slk_',
      `slk_${keyId}`,
      `slk_${keyId}_`,
      `slk_${keyId}_${secret}x`,
      `slk_${keyId}_${secret.slice(1)}`,
      `slk_${keyId.toUpperCase()}_${secret}`,
      ` slk_${keyId}_${secret}`,
      `slk_${keyId}_${secret}\n`,
      `SLK_${keyId}_${secret}`,
    ]
    for (const text of texts) assert.equal(parseApiKey(text), undefined, JSON.stringify(text))
  })
})

describe('roles', () => {
  it("all have permissions, and only administrators have the administrators'", () => {
    for (const role of Role.options) {
      const permissions = permissionsOf[role]
      assert.ok(permissions.length > 0)
      assert.equal(permissions.includes('admin') || permissions.includes('instance'), role === 'admin', role)
    }
  })

  it('that may consume may also look', () => {
    for (const role of Role.options)
      assert.ok(!permissionsOf[role].includes('inbox') || permissionsOf[role].includes('inbox-read'), role)
  })
})
