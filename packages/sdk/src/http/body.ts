export type BodyOptions = {
  /** sent as JSON */
  readonly json?: unknown
  /** sent as it is; an object by `contentType`: JSON, or a form */
  readonly data?: unknown
  readonly contentType?: string | undefined
}

export type EncodedBody = { readonly body: string | Uint8Array | undefined; readonly contentType: string | undefined }

/** Made once for all attempts, from what the caller gave: nothing is encoded twice. */
export function encodeBody({ json, data, contentType }: BodyOptions): EncodedBody {
  if (json !== undefined) return { body: JSON.stringify(json), contentType: contentType ?? 'application/json' }
  if (data === undefined || data === null) return { body: undefined, contentType }
  if (typeof data === 'string' || data instanceof Uint8Array) return { body: data, contentType }
  if (data instanceof URLSearchParams) return { body: data.toString(), contentType: contentType ?? formType }
  if (contentType?.startsWith(formType)) return { body: toForm(data), contentType }
  return { body: JSON.stringify(data), contentType: contentType ?? 'application/json' }
}

const formType = 'application/x-www-form-urlencoded'

function toForm(data: object): string {
  const form = new URLSearchParams()
  for (const [name, value] of Object.entries(data)) {
    for (const item of Array.isArray(value) ? (value as unknown[]) : [value]) {
      if (item !== null && item !== undefined)
        form.append(name, typeof item === 'object' ? JSON.stringify(item) : String(item))
    }
  }
  return form.toString()
}

/** How the body of an answer is given: `auto` by its type, JSON or text, and bytes where it is neither. */
export type BodyMode = 'auto' | 'json' | 'text' | 'bytes'

export type ParseJson = (text: string) => unknown

export type DecodeOptions = { readonly mode: BodyMode; readonly parseJson?: ParseJson }

/** Null for an empty body. */
export function decodeBody(
  bytes: Uint8Array,
  contentType: string,
  { mode, parseJson = JSON.parse }: DecodeOptions,
): unknown {
  if (mode === 'bytes') return bytes
  if (bytes.length === 0) return null
  if (mode === 'text') return new TextDecoder().decode(bytes)
  if (mode === 'json') return parseJson(new TextDecoder().decode(bytes))
  const text = toText(bytes)
  if (text === undefined) return bytes
  const isJson = /^application\/(.+\+)?json\b/i.test(contentType) || /^[^;]+\+json\b/i.test(contentType)
  return isJson ? parseOr(text, parseJson) : text
}

function toText(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    return undefined
  }
}

/** Some services call everything JSON; then it is text. */
function parseOr(text: string, parseJson: ParseJson): unknown {
  try {
    return parseJson(text)
  } catch {
    return text
  }
}
