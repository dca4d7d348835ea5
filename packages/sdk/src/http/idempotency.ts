import { createHash } from 'node:crypto'
import { isHost, toHostPattern } from './host-pattern.ts'

/** Where a service takes the key that makes a write request safe to repeat. */
export type Idempotency = {
  /** in lower case */
  readonly header: string
  /** the key of a request that the handler gave none; undefined where it gets none */
  readonly keyFor: (method: string, url: URL) => string | undefined
}

export type IdempotencyOptions = {
  /** the header of the service, where its integration declares one */
  readonly header: string | undefined
  /** of the run: the same for each attempt to do the same */
  readonly runKey: unknown
  /** hosts that know the header; any where left out */
  readonly hosts: readonly string[] | undefined
}

/** @example createIdempotency({ header: 'Idempotency-Key', runKey: event.id, hosts }).keyFor('POST', url) */
export function createIdempotency({ header, runKey, hosts }: IdempotencyOptions): Idempotency {
  const name = (header ?? 'idempotency-key').toLowerCase()
  if (header === undefined || typeof runKey !== 'string') return { header: name, keyFor: () => undefined }
  const patterns = hosts?.map(toHostPattern)
  const counts = new Map<string, number>()
  const keyFor = (method: string, url: URL): string | undefined => {
    if (isRead(method) || (patterns && !patterns.some((pattern) => isHost(pattern, url)))) return undefined
    const request = `${method} ${url.href}`
    const count = (counts.get(request) ?? 0) + 1
    counts.set(request, count)
    return toUuid(`${runKey}\0${request}\0${count}`)
  }
  return { header: name, keyFor }
}

/** Leaves what it asks for as it is. */
export const isRead = (method: string): boolean => method === 'GET' || method === 'HEAD' || method === 'OPTIONS'

/**
 * One run may write several times, and a service takes a key for one request. The key is made of the address and how often that
 * came, and not of the body, in which a time may stand. Some services take nothing but a UUID.
 */
function toUuid(text: string): string {
  const hex = createHash('sha256').update(text).digest('hex')
  return [hex.slice(0, 8), hex.slice(8, 12), `8${hex.slice(13, 16)}`, `8${hex.slice(17, 20)}`, hex.slice(20, 32)].join(
    '-',
  )
}
