import { IdempotencyKey, toValidationError } from '@sluice/protocol'

const quoted = /^"((?:[\u0020\u0021\u0023-\u005b\u005d-\u007e]|\\["\\])*)"$/

/**
 * The key in an `Idempotency-Key` field: a quoted structured-field string (RFC 8941 section 3.3.3) or the bare text; both
 * forms of a key are the same key.
 *
 * @throws HubError `validation-error`
 * @example parseIdempotencyKey('"order-1"') // 'order-1'
 */
export function parseIdempotencyKey(field: string | undefined): string | undefined {
  if (field === undefined) return undefined
  const [, inner] = quoted.exec(field) ?? []
  const refuse = (detail: string): Error => toValidationError([{ pointer: 'header.Idempotency-Key', detail }])
  if (inner === undefined && field.startsWith('"')) throw refuse('begins with a quote but is no quoted string')
  const key = IdempotencyKey.safeParse(inner === undefined ? field : inner.replaceAll(/\\(["\\])/g, '$1'))
  if (!key.success) throw refuse(key.error.issues.map(({ message }) => message).join('; '))
  return key.data
}
