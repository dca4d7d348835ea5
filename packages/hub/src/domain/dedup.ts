import { hash } from 'node:crypto'
import type { Draft } from '../store/store.ts'

/** What makes an event the same as an earlier one. */
export type Sameness = {
  readonly idempotencyKey: string | undefined
  readonly source: string | undefined
  readonly externalEventId: string | undefined
  /** of the request, for events without an idempotency key */
  readonly signature?: string | undefined
  /** what must be equal, too, lest it be refused as another event under a used key */
  readonly content: string
}

/** Each kind of key has its own namespace. Control characters are refused in keys, so that NUL separates safely. */
export function toDedup(event: Sameness): Draft['dedup'] {
  const { idempotencyKey: key, source, externalEventId, content } = event
  const signature = key === undefined ? event.signature : undefined
  const external = source !== undefined && externalEventId !== undefined
  if (key === undefined && signature === undefined && !external) return []
  const fingerprint = digest(content)
  return [
    ...(key === undefined ? [] : [{ key: digest(`idempotency\0${key}`), fingerprint }]),
    ...(signature === undefined ? [] : [{ key: digest(`signature\0${signature}`), fingerprint }]),
    ...(external ? [{ key: digest(`external\0${source}\0${externalEventId}`), fingerprint }] : []),
  ]
}

/** 132 bits: collisions are out of reach, and the table stays small. */
export function digest(text: string): string {
  return hash('sha256', text, 'base64url').slice(0, 22)
}
