import { scanMembers } from '../json-scan.ts'
import { isJsonType, isText, toAttributeJson, toAttributeText, toUriReference } from './grammar.ts'
import { toHeaderValue } from './header-value.ts'
import { authTypes, hubExtensions, memberOfExtension, type MemberPath } from './names.ts'

export type CloudEventOptions = {
  /** a URI-reference for events that name no source, as `/workspaces/default` */
  readonly source: string
}

/** Values are JSON texts, as they stand in the event. */
type Texts = ReadonlyMap<string, string>

type Written = {
  readonly attributes: Texts
  /** the JSON text of `data`, or of `data_base64` */
  readonly data: { readonly name: 'data' | 'data_base64'; readonly text: string } | undefined
}

/**
 * An event as a CloudEvent in structured mode, to be sent as `application/cloudevents+json`.
 *
 * @param eventText the event as the hub hands it out, in JSON; its payload is passed on as it stands there
 * @example toStructuredCloudEvent(text, { source: '/workspaces/default' }) // '{"specversion":"1.0","id":…'
 */
export function toStructuredCloudEvent(eventText: string, options: CloudEventOptions): string {
  const { attributes, data } = write(eventText, options)
  const parts = Array.from(attributes, ([name, text]) => `"${name}":${text}`)
  if (data) parts.push(`"${data.name}":${data.text}`)
  return `{${parts.join(',')}}`
}

/** Events as a batch, to be sent as `application/cloudevents-batch+json` to one who has asked for batches. */
export function toCloudEventBatch(eventTexts: readonly string[], options: CloudEventOptions): string {
  return `[${eventTexts.map((text) => toStructuredCloudEvent(text, options)).join(',')}]`
}

/**
 * An event as a CloudEvent in HTTP's binary mode. Names of fields are in lower case.
 *
 * @example toBinaryCloudEvent(text, { source: '/workspaces/default' }) // { headers: { 'ce-id': …, 'content-type': … }, body }
 */
export function toBinaryCloudEvent(
  eventText: string,
  options: CloudEventOptions,
): { headers: Record<string, string>; body: Uint8Array } {
  const { attributes, data } = write(eventText, options)
  const headers: Record<string, string> = {}
  for (const [name, text] of attributes) {
    if (name !== 'datacontenttype') headers[`ce-${name}`] = toHeaderValue(String(JSON.parse(text)))
  }
  const declared = attributes.get('datacontenttype')
  const contentType = declared === undefined ? undefined : String(JSON.parse(declared))
  const isJson = data?.name === 'data'
  if (contentType !== undefined) headers['content-type'] = contentType
  else if (isJson) headers['content-type'] = 'application/json'
  return { headers, body: toBody(data, contentType) }
}

function toBody(data: Written['data'], contentType: string | undefined): Uint8Array {
  if (data === undefined) return new Uint8Array()
  if (data.name === 'data_base64') return Buffer.from(String(JSON.parse(data.text)), 'base64')
  const isText = data.text.startsWith('"') && !isJsonType(contentType)
  return Buffer.from(isText ? String(JSON.parse(data.text)) : data.text)
}

function write(eventText: string, options: CloudEventOptions): Written {
  const members = textsOf(eventText)
  const rest = textsOf(members.get('cloudevent') ?? '{}')
  const attributes = new Map<string, string>([['specversion', '"1.0"'], ...toIdentity(members, options)])
  const put = (name: string, text: string | undefined): void => {
    if (text !== undefined && !attributes.has(name)) attributes.set(name, text)
  }
  put('type', members.get('event_type'))
  put('time', members.get('occurred_at'))
  put('subject', members.get('subject'))
  put('datacontenttype', members.has('cloudevent') ? rest.get('datacontenttype') : '"application/json"')
  put('dataschema', rest.get('dataschema'))
  for (const [name, text] of textsOf(rest.get('extensions') ?? '{}')) put(name, text)
  for (const [name, text] of toExtensions(members)) put(name, text)
  if (!members.has('cloudevent')) repairTexts(attributes)
  return { attributes, data: toData(members) }
}

/** Our own events may hold a few characters that CloudEvents may not. */
function repairTexts(attributes: Map<string, string>): void {
  for (const [name, text] of attributes) {
    const value: unknown = JSON.parse(text)
    if (typeof value === 'string' && !isText(value)) attributes.set(name, JSON.stringify(toAttributeText(value)))
  }
}

/** The members of an object, by their names. */
function textsOf(text: string): Texts {
  return new Map(scanMembers(text, 0, Infinity).map(({ name, valueStart, end }) => [name, text.slice(valueStart, end)]))
}

/** Source and id are unique together: the publisher's own pair if it gave one, else the hub's. */
function* toIdentity(members: Texts, { source: fallback }: CloudEventOptions): Generator<[string, string]> {
  const [source, external, eventId] = ['source', 'external_event_id', 'event_id'].map((name) => members.get(name))
  const isOwn = source !== undefined && external !== undefined
  yield ['id', (isOwn ? external : eventId) ?? '""']
  yield ['source', source === undefined ? JSON.stringify(fallback) : toSourceText(source)]
  if (isOwn && eventId !== undefined) yield [hubExtensions.eventId, eventId]
  if (!isOwn && external !== undefined) yield ['slexternalid', external]
}

function toSourceText(text: string): string {
  const source = String(JSON.parse(text))
  const reference = toUriReference(source)
  return reference === source ? text : JSON.stringify(reference)
}

function* toExtensions(members: Texts): Generator<[string, string]> {
  const correlation = members.get('correlation_id')
  if (correlation !== undefined) yield ['correlationid', correlation]
  yield* toAuthContext(members.get('actor'))
  for (const [name, path] of memberOfExtension) {
    const text = toMemberText(members, path)
    if (text !== undefined) yield [name, name === 'slmetadata' ? JSON.stringify(toAttributeJson(text)) : text]
  }
  const [recorded, attempt] = [members.get('timestamp'), members.get('attempt')]
  if (recorded !== undefined) yield ['recordedtime', recorded]
  if (attempt !== undefined) yield [hubExtensions.attempt, attempt]
}

function toMemberText(members: Texts, [name, inner]: MemberPath): string | undefined {
  const text = members.get(name)
  return text === undefined || inner === undefined ? text : textsOf(text).get(inner)
}

function* toAuthContext(actor: string | undefined): Generator<[string, string]> {
  if (actor === undefined) return
  const { type, id } = JSON.parse(actor) as { type: string; id: string } // as the hub has checked it
  const known = authTypes.find(([ours]) => ours === type)
  yield ['authtype', JSON.stringify(known?.[1] ?? 'unknown')]
  if (known === undefined) yield ['slactortype', JSON.stringify(type)]
  yield ['authid', JSON.stringify(id)]
}

function toData(members: Texts): Written['data'] {
  const [data, base64] = [members.get('payload'), members.get('payload_base64')]
  if (base64 !== undefined) return { name: 'data_base64', text: base64 }
  return data === undefined ? undefined : { name: 'data', text: data }
}
