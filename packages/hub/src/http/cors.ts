import type { HubRequest, HubResponse } from './exchange.ts'

export type Cors = {
  /** The answer to a preflight of a known origin. */
  readonly preflight: (request: HubRequest) => HubResponse | undefined
  /** Adds what lets a page of a known origin read the answer. */
  readonly allow: (request: HubRequest, headers: Record<string, string>) => void
}

const exposed =
  'X-Request-ID, RateLimit, RateLimit-Policy, Retry-After, Location, X-Sluice-Has-More, X-Sluice-Next-Cursor, X-Sluice-Searched-To, X-Sluice-Lease-Id, X-Sluice-Leased-Until, X-Sluice-Inbox-Status, Mcp-Session-Id'
const accepted =
  'Authorization, Content-Type, Content-Encoding, Idempotency-Key, Last-Event-ID, X-Request-ID, X-Sluice-Key-Id, X-Sluice-Timestamp, X-Sluice-Signature, X-eSauti-Source, X-eSauti-Timestamp, X-eSauti-Signature, traceparent, Mcp-Session-Id, Mcp-Protocol-Version'

/** @param origins as browsers send them, `https://app.example`, or `*`. Keys travel in a field, never in cookies. */
export function createCors(origins: readonly string[]): Cors {
  const known = new Set(origins)
  const originOf = (request: HubRequest): string | undefined => {
    const origin = request.header('origin')
    return origin !== undefined && (known.has('*') || known.has(origin)) ? origin : undefined
  }
  return {
    preflight: (request) => {
      if (request.method !== 'OPTIONS' || known.size === 0) return undefined
      if (originOf(request) === undefined || request.header('access-control-request-method') === undefined)
        return undefined
      const headers = {
        'access-control-allow-methods': 'GET, POST, PUT, PATCH, DELETE',
        'access-control-allow-headers': accepted,
        'access-control-max-age': '600',
      }
      return { status: 204, headers, body: null }
    },
    allow: (request, headers) => {
      if (known.size === 0) return
      headers['vary'] = headers['vary'] === undefined ? 'Origin' : `${headers['vary']}, Origin`
      const origin = originOf(request)
      if (origin === undefined) return
      headers['access-control-allow-origin'] = origin
      headers['access-control-expose-headers'] = exposed
    },
  }
}
