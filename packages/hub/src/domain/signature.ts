import { createHmac, hash, timingSafeEqual } from 'node:crypto'

/** What a request says of its signature. */
export type Signature = {
  /** seconds since 1970, as sent */
  readonly timestamp: string
  /** `sha256=` and 64 hex digits, as sent */
  readonly signature: string
}

/** What was signed, if all is well. */
export type Signed = {
  readonly method: string
  /** path and query as the signer may have seen them: as received, and with the path of the public address in front */
  readonly targets: readonly string[]
  /** as received */
  readonly body: Uint8Array
}

const toleranceSeconds = 300

/** What can be said before the body is there, in words for the owner of the key; undefined if nothing is wrong so far. */
export function findFormFault({ timestamp, signature }: Signature, nowMs: number): string | undefined {
  if (timestamp === '') return 'X-Sluice-Timestamp is missing: seconds since 1970, the same that were signed'
  if (!/^\d{1,12}$/.test(timestamp)) return 'X-Sluice-Timestamp must be whole seconds since 1970'
  if (!/^sha256=[0-9a-f]{64}$/.test(signature))
    return 'X-Sluice-Signature must be sha256= and 64 hex digits in lower case'
  const aheadSeconds = Number(timestamp) - Math.round(nowMs / 1000)
  if (Math.abs(aheadSeconds) <= toleranceSeconds) return undefined
  const place = `${Math.abs(aheadSeconds)} seconds ${aheadSeconds > 0 ? 'ahead of' : 'behind'}`
  return `the timestamp is ${place} the time of the hub; ${toleranceSeconds} are allowed: set the clock, and sign each attempt anew`
}

/** Whether one of the secrets made the signature: compared in constant time, with every secret and target. */
export function isSignedBy(secrets: readonly string[], { timestamp, signature }: Signature, signed: Signed): boolean {
  const given = Buffer.from(signature)
  let found = false
  for (const secret of secrets) {
    for (const target of signed.targets) {
      const hmac = createHmac('sha256', secret)
        .update(`${signed.method}\n${target}\n${timestamp}\n`)
        .update(signed.body)
      const expected = Buffer.from(`sha256=${hmac.digest('hex')}`)
      found = (expected.length === given.length && timingSafeEqual(expected, given)) || found
    }
  }
  return found
}

/** For the owner of the key: what the hub would have signed, so that the difference can be found. */
export function describeMismatch({ method, targets, body }: Signed): string {
  const digest = hash('sha256', body, 'hex')
  return `the secret is another one, or method, path or body differ from what was signed; here are ${method} ${targets.join(' or ').slice(0, 1000)} and ${body.length} bytes with the SHA-256 ${digest}`
}
