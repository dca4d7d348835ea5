import { createHmac, timingSafeEqual } from 'node:crypto'

/**
 * Cursors are opaque, signed and bound to what they page through: `scope` names it (workspace, inbox, kind of list), so a
 * cursor from elsewhere, or one that was edited, is recognised instead of silently starting over.
 *
 * @param secret at least 32 bytes; all nodes of one hub share it
 * @param value a position or another short text that says where the next page begins
 * @example toCursor(secret, 'default/inbox/crm', '42')
 */
export function toCursor(secret: Uint8Array, scope: string, value: string): string {
  const text = Buffer.from(value).toString('base64url')
  return `${text}.${sign(secret, scope, value).toString('base64url')}`
}

/** The value in a cursor, or undefined if it was not made by `toCursor` with this secret and scope. */
export function parseCursor(secret: Uint8Array, scope: string, cursor: string): string | undefined {
  const [text, signature, ...rest] = cursor.split('.')
  if (!text || !signature || rest.length > 0 || cursor.length > 1024) return undefined
  const value = Buffer.from(text, 'base64url').toString()
  const given = Buffer.from(signature, 'base64url')
  const wanted = sign(secret, scope, value)
  return given.length === wanted.length && timingSafeEqual(given, wanted) ? value : undefined
}

function sign(secret: Uint8Array, scope: string, value: string): Buffer {
  return createHmac('sha256', secret).update(scope).update('\0').update(value).digest().subarray(0, 16)
}
