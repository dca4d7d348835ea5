import { HubError } from '@sluice/protocol'
import type { HubRequest } from './exchange.ts'

/** Bodies of requests that say to be signed and show no key, until that is proven. Key ids are no secret: anybody can send them. */
export type Strangers = {
  /**
   * @param asked which key is said to have signed, and how many bytes the route takes
   * @throws HubError `body-incomplete` for a body that takes longer than 10 seconds; `overloaded` for one of the largest, when
   *   others need the room; `payload-too-large`
   */
  readonly read: (request: HubRequest, asked: Asked) => Promise<Buffer>
}

type Asked = { readonly keyId: string; readonly limit: number }

export type StrangersOptions = { readonly maxBytes?: number; readonly deadlineMs?: number }

type Reader = { readonly keyId: string; bytes: number; readonly stop: AbortController }

/**
 * What has arrived counts, not what was announced, for all together and, up to a quarter, for each key. Where that is full, the
 * largest body gives way: whoever fills the room for nothing shuts out nobody whose body is small.
 */
export function createStrangers({
  maxBytes = 64 * 1024 * 1024,
  deadlineMs = 10_000,
}: StrangersOptions = {}): Strangers {
  const readers = new Set<Reader>()
  const taken = new Map<string, number>()
  let total = 0
  const add = (reader: Reader, bytes: number): void => {
    reader.bytes += bytes
    total += bytes
    const left = (taken.get(reader.keyId) ?? 0) + bytes
    if (left > 0) taken.set(reader.keyId, left)
    else taken.delete(reader.keyId)
  }
  const drop = (reader: Reader): void => {
    if (readers.delete(reader)) add(reader, -reader.bytes)
  }
  const grow = (reader: Reader, bytes: number): void => {
    if (!readers.has(reader)) return
    add(reader, bytes)
    while ((taken.get(reader.keyId) ?? 0) > maxBytes / 4) giveWay(drop, ofKey(readers, reader.keyId))
    while (total > maxBytes) giveWay(drop, [...readers])
  }
  return {
    read: async (request, { keyId, limit }) => {
      const reader: Reader = { keyId, bytes: 0, stop: new AbortController() }
      readers.add(reader)
      const late = setTimeout(() => reader.stop.abort(tooLate(deadlineMs)), deadlineMs)
      try {
        return await request.readBody(limit, { signal: reader.stop.signal, onBytes: (bytes) => grow(reader, bytes) })
      } finally {
        clearTimeout(late)
        drop(reader)
      }
    },
  }
}

const ofKey = (readers: ReadonlySet<Reader>, keyId: string): Reader[] =>
  [...readers].filter((reader) => reader.keyId === keyId)

/** The largest; of equals the oldest. */
function giveWay(drop: (reader: Reader) => void, readers: readonly Reader[]): void {
  const largest = readers.reduce((found, reader) => (reader.bytes > found.bytes ? reader : found))
  drop(largest)
  largest.stop.abort(
    new HubError(
      'overloaded',
      'bodies that are signed alone fill the memory set aside for them; send it again, and show the API key as well if there is one',
    ),
  )
}

const tooLate = (deadlineMs: number): HubError =>
  new HubError('body-incomplete', `a body that is signed alone must come within ${deadlineMs / 1000} seconds`)
