import { hash } from 'node:crypto'
import type { Draft } from '../store/store.ts'

/** What makes an event the same as an earlier one. */
export type Sameness = {
  readonly idempotencyKey: string | undefined
  readonly source: string | undefined
  readonly externalEventId: string | undefined
  /** what must be equal, too, lest it be refused as another event under a used key */
  readonly content: string
}

/** Each kind of key has its own namespace. Control characters are refused in keys, so that NUL separates safely. */
export function toDedup({ idempotencyKey: key, source, externalEventId, content }: Sameness): Draft['dedup'] {
  const external = source !== undefined && externalEventId !== undefined
  if (key === undefined && !external) return []
  const fingerprint = digest(content)
  return [
    ...(key === undefined ? [] : [{ key: digest(`idempotency\0${key}`), fingerprint }]),
    ...(external ? [{ key: digest(`external\0${source}\0${externalEventId}`), fingerprint }] : []),
  ]
}

/** 132 bits: collisions are out of reach, and the table stays small. */
function digest(text: string): string {
  return hash('sha256', text, 'base64url').slice(0, 22)
}
