import { isObject, type JsonObject } from '../integration/report.ts'

/** What a token endpoint answered, before it is made to conform. */
export type RawAnswer = { readonly status: number; readonly contentType: string; readonly text: string }

/**
 * The answer of a token endpoint in the form of RFC 6749, from what providers send: form-encoded bodies, failures with status
 * 200, no `token_type`, `expires_in` as text or null, scopes as a list, empty refresh tokens.
 *
 * @param keepsIdToken whether an id token can be checked; else it is left out
 */
export function toConformResponse({ status, contentType, text }: RawAnswer, keepsIdToken: boolean): Response {
  const body = parseBody(contentType, text)
  if (!body) return toPlainResponse({ status, text })
  const { id_token: id, ...conform } = toConform(body)
  const kept = keepsIdToken && id !== undefined ? { ...conform, id_token: id } : conform
  return Response.json(kept, { status: isFailure(body) && status < 400 ? 400 : status })
}

/** An answer as it came. */
export function toPlainResponse({ status, text }: Pick<RawAnswer, 'status' | 'text'>): Response {
  return new Response([204, 205, 304].includes(status) ? null : text, { status })
}

function parseBody(contentType: string, text: string): JsonObject | undefined {
  try {
    const json: unknown = JSON.parse(text)
    return isObject(json) ? json : undefined
  } catch {
    const isForm = contentType.startsWith('application/x-www-form-urlencoded') || /^(access_token|error)=/.test(text)
    return isForm ? Object.fromEntries(new URLSearchParams(text)) : undefined
  }
}

const isFailure = (body: JsonObject): boolean => typeof body['error'] === 'string' && !('access_token' in body)

function toConform({
  expires_in: expires,
  scope,
  refresh_token: refresh,
  id_token: id,
  ...body
}: JsonObject): JsonObject {
  const seconds = typeof expires === 'string' || typeof expires === 'number' ? Number.parseFloat(String(expires)) : 0
  const scopes = Array.isArray(scope) ? scope.join(' ') : scope
  return {
    ...(typeof body['access_token'] === 'string' && { token_type: 'bearer' }),
    ...body,
    // Zero or less cannot be meant as the life of a token that was just made.
    ...(seconds > 0 && Number.isFinite(seconds) && { expires_in: seconds }),
    ...(typeof scopes === 'string' && { scope: scopes }),
    ...(typeof refresh === 'string' && refresh !== '' && { refresh_token: refresh }),
    ...(typeof id === 'string' && id !== '' && { id_token: id }),
  }
}

/** Types that mean bearer: Slack's. */
export const recognizedTokenTypes = { bot: () => {}, user: () => {} } as const
