import { Actor, NewEvent, limits, shortText } from '../event.ts'
import { HubError } from '../error.ts'
import { toFaults, toValidationError, type Fault } from '../problem.ts'
import { isMediaType, isText, isTime, isUri, isUriReference } from './grammar.ts'
import { authTypes, hubExtensions, memberOfAttribute, memberOfExtension, type MemberPath } from './names.ts'
import { parseMetadata } from './metadata.ts'
import type { Attribute, Data, Reading } from './reading.ts'

/** A CloudEvent as our event. */
export type ParsedCloudEvent = {
  readonly eventType: string
  readonly source: string
  readonly subject: string | null
  readonly externalEventId: string
  /** the whole event as JSON in one line, `payload` and strings as they came */
  readonly text: string
  /** type and data, in one form whatever mode they came in: an event that is sent again says the same here */
  readonly content: string
}

const required = ['specversion', 'id', 'source', 'type'] as const
const context = new Set([...required, 'subject', 'time', 'datacontenttype', 'dataschema'])
const extensionsMax = 100
const extensionCharsMax = 4096

/**
 * Checks what a CloudEvent says, and says it as our event.
 *
 * @throws HubError `validation-error` with every fault, by attribute; `payload-too-large`
 */
export function toEvent(reading: Reading): ParsedCloudEvent {
  const members = toMembers(reading)
  const faults = [...reading.faults, ...findAttributeFaults(reading), ...findMemberFaults(reading, members)]
  if (faults.length > 0) throw toValidationError(faults)
  refuseLarge(reading.data)
  const event = members as NewEvent // without payload; the schema has just said so
  return {
    eventType: event.event_type,
    source: event.source ?? '',
    subject: event.subject ?? null,
    externalEventId: event.external_event_id ?? '',
    text: toText(reading, members),
    content: `${event.event_type}\n${toContent(reading.data)}`,
  }
}

function findAttributeFaults({ attributes, faults: earlier, pointerOf }: Reading): Fault[] {
  const faults: Fault[] = []
  const told = new Set(earlier.map(({ pointer }) => pointer))
  for (const name of required) {
    const pointer = pointerOf(name)
    if (!attributes.has(name) && !told.has(pointer)) faults.push({ pointer, detail: 'is required' })
  }
  for (const [name, { value }] of attributes) {
    const detail = context.has(name) ? findContextFault(name, value) : findExtensionFault(name, value)
    if (detail !== undefined) faults.push({ pointer: pointerOf(name), detail })
  }
  const extensions = [...attributes.keys()].filter((name) => !context.has(name)).length
  if (extensions > extensionsMax)
    faults.push({ pointer: '', detail: `has ${extensions} extensions; at most ${extensionsMax} are taken` })
  return faults
}

function findContextFault(name: string, value: Attribute['value']): string | undefined {
  if (typeof value !== 'string') return 'must be a string'
  if (value === '') return 'must not be empty'
  if (!isText(value)) return forbiddenText
  const rule = rules[name]
  return rule === undefined || rule.holds(value) ? undefined : rule.detail
}

const forbiddenText = 'must not hold control characters, halves of surrogate pairs or noncharacters'

const rules: Readonly<Record<string, { readonly holds: (text: string) => boolean; readonly detail: string }>> = {
  specversion: { holds: (text) => text === '1.0', detail: 'must be 1.0; no other version is understood' },
  source: {
    holds: isUriReference,
    detail: 'must be a URI-reference (RFC 3986): percent-encode blanks and what is beyond ASCII',
  },
  time: { holds: isTime, detail: 'must be an RFC 3339 time, as 2026-01-31T12:00:00Z' },
  datacontenttype: {
    holds: isMediaType,
    detail: 'must be a media type, as application/json, of at most 255 characters',
  },
  dataschema: { holds: isUri, detail: 'must be an absolute URI (RFC 3986)' },
}

function findExtensionFault(name: string, value: Attribute['value']): string | undefined {
  if (name === 'slmetadata' && parseMetadata(value) === undefined)
    return `must be the JSON text of an object, nested no deeper than ${limits.depth - 1} levels`
  if (typeof value !== 'string') return undefined
  if (!isText(value)) return forbiddenText
  const isOurs = memberOfExtension.has(name) // which has limits of its own
  return value.length <= extensionCharsMax || isOurs
    ? undefined
    : `must have at most ${extensionCharsMax} characters, as an extension`
}

type Members = Record<string, unknown>

const paths = [...memberOfAttribute, ...memberOfExtension]
const correlationId = shortText()

/** Our event without its payload. */
function toMembers({ attributes }: Reading): Members {
  const members: Members = {}
  for (const [name, path] of paths) {
    const given = attributes.get(name)?.value
    const value = name === 'slmetadata' && given !== undefined ? parseMetadata(given) : given
    if (value !== undefined) setMember(members, path, value)
  }
  const actor = toActor(attributes)
  if (actor) members['actor'] = actor
  const correlation = attributes.get('correlationid')?.value
  if (correlation !== undefined && correlationId.safeParse(correlation).success) members['correlation_id'] = correlation
  return members
}

function setMember(members: Members, [name, inner]: MemberPath, value: unknown): void {
  if (inner === undefined) members[name] = value
  else members[name] = { ...(members[name] as Members | undefined), [inner]: value } // only ever set here
}

/** The extension says more than we do: who does not fit stays an extension alone. */
function toActor(attributes: Reading['attributes']): Actor | undefined {
  const id = attributes.get('authid')?.value
  if (id === undefined) return undefined
  const told = attributes.get('slactortype')?.value
  const known = authTypes.find(([, authType]) => authType === attributes.get('authtype')?.value)
  const actor = Actor.safeParse({ type: told ?? known?.[0], id })
  return actor.success ? actor.data : undefined
}

const attributeOfMember = new Map(paths.map(([name, path]) => [path.join('/'), name]))
const memberSchema = NewEvent.omit({ payload: true, occurred_at: true, actor: true, correlation_id: true })

/** The limits are those of native events: faults are told by the attribute that the member came from. */
function findMemberFaults({ attributes, pointerOf }: Reading, members: Members): Fault[] {
  const { occurred_at: _time, actor: _actor, correlation_id: _correlation, ...rest } = members
  const result = memberSchema.safeParse(rest)
  if (result.success) return []
  return toFaults(result.error).flatMap(({ pointer, detail }) => {
    const name = attributeOfMember.get(pointer.slice(1)) ?? ''
    const value = attributes.get(name)?.value
    // What is missing, empty or forbidden has been told in the words of CloudEvents.
    if (context.has(name) && (typeof value !== 'string' || value === '' || !isText(value))) return []
    return [{ pointer: pointerOf(name), detail: value === undefined ? 'is required with its sibling' : detail }]
  })
}

function refuseLarge(data: Data | undefined): void {
  if (data === undefined || toByteLength(data) <= limits.payloadBytes) return
  throw new HubError('payload-too-large', `the data has more than ${limits.payloadBytes} bytes`)
}

function toByteLength(data: Data): number {
  return data.kind === 'json' ? Buffer.byteLength(data.text) : Buffer.byteLength(data.base64, 'base64')
}

function toContent(data: Data | undefined): string {
  if (data === undefined) return ''
  return data.kind === 'json' ? JSON.stringify(data.value) : `base64 ${data.base64}`
}

function toText(reading: Reading, members: Members): string {
  const { attributes, data } = reading
  const parts: string[] = []
  for (const [name, [member]] of memberOfAttribute) {
    const attribute = attributes.get(name)
    if (attribute) parts.push(`"${member}":${attribute.text}`)
  }
  for (const name of ['correlation_id', 'channel', 'actor', 'entity', 'identity']) {
    if (members[name] !== undefined) parts.push(`"${name}":${JSON.stringify(members[name])}`)
  }
  const metadata = attributes.get('slmetadata')?.value
  if (metadata !== undefined) parts.push(`"metadata":${toOneLine(String(metadata).trim())}`)
  if (data?.kind === 'json') parts.push(`"payload":${toOneLine(data.text)}`)
  if (data?.kind === 'bytes') parts.push(`"payload_base64":"${data.base64}"`)
  parts.push(`"cloudevent":${toRestText(attributes)}`)
  return `{${parts.join(',')}}`
}

/** Line breaks of valid JSON stand only between its tokens. */
function toOneLine(text: string): string {
  return text.replaceAll(/[\r\n]/g, ' ')
}

const hubNames: ReadonlySet<string> = new Set(Object.values(hubExtensions))

/** What our event has no member for. It is there even when empty: it says that the event came as a CloudEvent. */
function toRestText(attributes: Reading['attributes']): string {
  const parts = ['datacontenttype', 'dataschema'].flatMap((name) => {
    const attribute = attributes.get(name)
    return attribute ? [`"${name}":${attribute.text}`] : []
  })
  const extensions = [...attributes]
    .filter(([name]) => !context.has(name) && !memberOfExtension.has(name) && !hubNames.has(name))
    .map(([name, { text }]) => `"${name}":${text}`)
  if (extensions.length > 0) parts.push(`"extensions":{${extensions.join(',')}}`)
  return `{${parts.join(',')}}`
}
