import { limits } from '../event.ts'
import { DepthError, scanElements } from '../json-scan.ts'
import type { Fault } from '../problem.ts'
import { isJsonType, isMediaType, isText, isTextType } from './grammar.ts'
import { parseHeaderValue } from './header-value.ts'
import { findNameFault, type Attribute, type Data, type Reading } from './reading.ts'

/** A CloudEvent in HTTP's binary mode. Names of fields are in lower case; fields without `ce-` are passed over. */
export type CloudEventMessage = {
  readonly fields: Iterable<readonly [name: string, value: string]>
  readonly contentType: string | undefined
  readonly body: Uint8Array
}

const prefix = 'ce-'
const pointerOf = (name: string): string =>
  name === 'datacontenttype' ? 'header.Content-Type' : `header.${prefix}${name.slice(0, 100)}`

export function readBinary({ fields, contentType, body }: CloudEventMessage): Reading {
  const attributes = new Map<string, Attribute>()
  const faults: Fault[] = []
  for (const [field, raw] of fields) {
    if (!field.startsWith(prefix)) continue
    const name = field.slice(prefix.length)
    const value = parseHeaderValue(raw)
    const detail = findFieldFault(name) ?? (value === undefined ? 'must be UTF-8, percent-encoded' : undefined)
    if (detail === undefined && value !== undefined) attributes.set(name, { value, text: JSON.stringify(value) })
    else faults.push({ pointer: `header.${field.slice(0, 100)}`, detail: detail ?? '' })
  }
  if (contentType !== undefined)
    attributes.set('datacontenttype', { value: contentType, text: JSON.stringify(contentType) })
  return { attributes, data: readData(contentType, body, faults), faults, pointerOf }
}

function findFieldFault(name: string): string | undefined {
  if (name === 'datacontenttype') return 'must not be sent: Content-Type says it'
  return name === 'data' ? 'must not be sent: the body is the data' : findNameFault(name)
}

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

function decode(body: Uint8Array): string | undefined {
  try {
    return decoder.decode(body)
  } catch {
    return undefined
  }
}

/** What is JSON is kept as JSON and what is text as text, for filters and people; all else stays bytes. */
export function readData(contentType: string | undefined, body: Uint8Array, faults: Fault[]): Data | undefined {
  if (body.byteLength === 0) return undefined
  const isKnown = contentType !== undefined && isMediaType(contentType)
  if (isKnown && isJsonType(contentType)) return readJson(decode(body), faults)
  const text = isKnown && isTextType(contentType) ? decode(body) : undefined
  if (text !== undefined && isText(text.replaceAll(/[\t\n\r]/g, '')))
    return { kind: 'json', text: JSON.stringify(text), value: text }
  return { kind: 'bytes', base64: Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString('base64') }
}

function readJson(text: string | undefined, faults: Fault[]): Data | undefined {
  const refuse = (detail: string): undefined => void faults.push({ pointer: 'data', detail })
  if (text === undefined) return refuse('must be UTF-8, as JSON is')
  try {
    const value: unknown = JSON.parse(text)
    // As an element, its nesting is counted.
    scanElements(`[${text}]`, 0, limits.depth - 1)
    return { kind: 'json', text: text.trim(), value }
  } catch (error) {
    if (error instanceof DepthError) return refuse(`must not be nested deeper than ${limits.depth} levels`)
    const reason = error instanceof Error ? error.message : String(error)
    return refuse(`malformed JSON: ${reason}`)
  }
}
