import { isObject, type JsonObject } from '../integration/report.ts'

/** What a token endpoint answered, before it is made to conform. */
export type RawAnswer = { readonly status: number; readonly contentType: string; readonly text: string }

/**
 * The answer of a token endpoint in the form of RFC 6749, from what providers send: form-encoded bodies, failures with status
 * 200, failures in a form of their own, grants with 201, no `token_type`, `expires_in` as text or null, scopes as a list, empty refresh
 * tokens.
 *
 * @param keepsIdToken whether an id token can be checked; else it is left out
 */
export function toConformResponse({ status, contentType, text }: RawAnswer, keepsIdToken: boolean): Response {
  const body = parseBody(contentType, text)
  if (!body) return toPlainResponse({ status, text })
  const isGood = status >= 200 && status < 300
  if (isGood && typeof body['access_token'] === 'string') return Response.json(toConformGrant(body, keepsIdToken))
  const failure = toConformFailure(body, isGood)
  return Response.json(failure ?? body, { status: failure && status < 400 ? 400 : status })
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

/** Undefined where nothing says that it is one. */
function toConformFailure(body: JsonObject, isGood: boolean): JsonObject | undefined {
  const { error, error_description: described, message, code, status } = body
  if (isObject(error)) return toConformFailure({ ...error, error: error['type'] ?? error['code'] }, isGood)
  const said = [error, ...(isGood ? [] : [code, status, message])].find((one) => typeof one === 'string' && one !== '')
  if (said === undefined) return undefined
  const words = [described, message].find((one) => typeof one === 'string' && one !== said)
  return { error: said, ...(words !== undefined && { error_description: words }) }
}

function toConformGrant(body: JsonObject, keepsIdToken: boolean): JsonObject {
  const { expires_in: expires, scope, refresh_token: refresh, id_token: id, token_type: type, ...rest } = body
  const seconds = typeof expires === 'string' || typeof expires === 'number' ? Number.parseFloat(String(expires)) : 0
  const scopes = Array.isArray(scope) ? scope.join(' ') : scope
  return {
    ...rest,
    token_type: isText(type) ? type : 'bearer',
    // Zero or less cannot be meant as the life of a token that was just made.
    ...(seconds > 0 && Number.isFinite(seconds) && { expires_in: seconds }),
    ...(typeof scopes === 'string' && { scope: scopes }),
    ...(isText(refresh) && { refresh_token: refresh }),
    ...(isText(id) && keepsIdToken && { id_token: id }),
  }
}

const isText = (value: unknown): boolean => typeof value === 'string' && value !== ''

/** Types that mean bearer: Slack's. */
export const recognizedTokenTypes = { bot: () => {}, user: () => {} } as const
