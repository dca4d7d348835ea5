import { hash } from 'node:crypto'
import { reservedPrefix, type Fault, type SourceRule, type SourceSettings } from '@sluice/protocol'
import { isMediaType } from '@sluice/protocol/cloudevent/grammar'
import { readData } from '@sluice/protocol/cloudevent/read-binary'
import { shortText } from '@sluice/protocol/event'
import type { SourceRow } from '../../store/sources.ts'
import type { Draft } from '../../store/store.ts'
import { toDedup } from '../dedup.ts'
import { isObject } from '../json-text.ts'
import { findText } from './pointer.ts'

/** A webhook that was verified. */
export type Arrived = {
  readonly row: SourceRow
  readonly settings: SourceSettings
  readonly header: (name: string) => string | undefined
  readonly headerNames: () => readonly string[]
  /** unpacked */
  readonly body: Buffer
  /** the id that was signed, if the scheme signs one */
  readonly signedId: string | null
  /** digest of what was signed: the same message when it comes again without an id; undefined where equal ones may be two */
  readonly signed: string | undefined
  readonly notes: string | null
}

/** A body as the event keeps it: `text` is JSON, `value` what it says. */
type Content =
  | { readonly kind: 'json'; readonly text: string; readonly value: unknown }
  | { readonly kind: 'bytes'; readonly base64: string }
  | undefined

/**
 * A webhook as an event. An object is its payload as it came, of a form its fields; any other JSON, text and bytes stand as they do
 * in CloudEvents, with the mark that those have.
 */
export function toDraft(arrived: Arrived, reusedId = false): Draft {
  const { row, settings, body, signed, notes } = arrived
  const content = toContent(arrived)
  const eventType = toEventType(settings, findBy(arrived, settings.event_type, content))
  const id = toId(findId(arrived, content))
  const digest = hash('sha256', body)
  const external = id === undefined || reusedId ? {} : { external_event_id: id }
  const metadata = { ...(reusedId && { reused_id: id }), headers: toKeptFields(arrived) }
  const members = [
    `"event_type":${JSON.stringify(eventType)}`,
    ...contentMembers(content, arrived.header('content-type')),
    `"source":${JSON.stringify(row.key)}`,
    ...(external.external_event_id === undefined ? [] : [`"external_event_id":${JSON.stringify(id)}`]),
    `"metadata":${JSON.stringify(metadata)}`,
  ]
  const sameness = {
    idempotencyKey: undefined,
    source: row.key,
    externalEventId: external.external_event_id,
    signature: reusedId
      ? `in/${row.id}/${id}/${digest}`
      : id === undefined && signed !== undefined
        ? `in/${row.id}/${signed}`
        : undefined,
    // How it was packed is not signed.
    content: id === undefined ? (signed ?? digest) : digest,
  }
  return { eventType, source: row.key, subject: null, body: `{${members.join(',')}}`, notes, dedup: toDedup(sameness) }
}

function toContent({ settings, header, body }: Arrived): Content {
  const contentType = header('content-type')
  if (isForm(contentType)) return toForm(settings, body)
  const faults: Fault[] = []
  const data = readData(contentType, body, faults)
  // It is signed: what is no JSON after all is kept, not refused.
  if (faults.length > 0) return { kind: 'bytes', base64: body.toString('base64') }
  return data?.kind === 'json' ? { ...data, text: data.text.replaceAll(/[\r\n]/g, ' ') } : data
}

const isForm = (contentType: string | undefined): boolean =>
  /^application\/x-www-form-urlencoded\s*(?:;|$)/i.test(contentType ?? '')

/** Both put their JSON into one field of it, if so asked. */
const wrapping: ReadonlySet<SourceSettings['scheme']> = new Set(['github', 'slack'])

function toForm({ scheme }: SourceSettings, body: Buffer): Content {
  const fields = new URLSearchParams(body.toString())
  const wrapped = wrapping.has(scheme) ? fields.get('payload') : null
  const inner = wrapped === null ? undefined : readData('application/json', Buffer.from(wrapped), [])
  if (inner?.kind === 'json') return { ...inner, text: inner.text.replaceAll(/[\r\n]/g, ' ') }
  const names = [...new Set(fields.keys())]
  const value = Object.fromEntries(
    names.map((name) => {
      const all = fields.getAll(name)
      return [name, all.length === 1 ? all[0] : all]
    }),
  )
  return { kind: 'json', text: JSON.stringify(value), value }
}

function contentMembers(content: Content, contentType: string | undefined): string[] {
  const mark = `"cloudevent":${JSON.stringify(contentType !== undefined && isMediaType(contentType) ? { datacontenttype: contentType } : {})}`
  if (content === undefined) return [mark]
  if (content.kind === 'bytes') return [`"payload_base64":"${content.base64}"`, mark]
  return isObject(content.value) ? [`"payload":${content.text}`] : [`"payload":${content.text}`, mark]
}

function findId(arrived: Arrived, content: Content): string | undefined {
  const { settings, signedId } = arrived
  const found = findBy(arrived, settings.id, content)
  return found ?? (settings.id === null ? undefined : (signedId ?? undefined))
}

function findBy({ header }: Arrived, rule: SourceRule | null, content: Content): string | undefined {
  if (rule === null) return undefined
  if ('constant' in rule) return rule.constant
  if ('header' in rule) return header(rule.header.toLowerCase()) || undefined
  return content?.kind === 'json' ? findText(content.text, content.value, rule.pointer) : undefined
}

const fits = (text: string): boolean => shortText().safeParse(text).success && !text.startsWith(reservedPrefix)

/** A signed message whose type cannot be a type is kept under another one: it would be lost otherwise. */
function toEventType({ event_type_prefix: prefix }: SourceSettings, found: string | undefined): string {
  const named = `${prefix}${found ?? ''}`
  return found !== undefined && fits(named) ? named : `${prefix}received`
}

/** What is too long for an id is known by its digest. */
function toId(found: string | undefined): string | undefined {
  if (found === undefined || found === '') return undefined
  return shortText().safeParse(found).success ? found : `sha256-${hash('sha256', found)}`
}

const fieldsKept = 20
const charactersKept = 500
/** Signatures and credentials, what proxies add, and what this hub knows of itself. */
const dropped = /sign|hmac|auth|token|secret|cookie|password|key|^x-forwarded|^x-real-ip|^x-request-id$/

/** Senders say in fields of their own which shop, hook or attempt it is. */
function toKeptFields({ headerNames, header }: Arrived): Record<string, string> {
  const names = headerNames().filter((name) => name.startsWith('x-') && !dropped.test(name))
  const kept = names.toSorted().slice(0, fieldsKept)
  return Object.fromEntries(kept.map((name) => [name, (header(name) ?? '').slice(0, charactersKept).toWellFormed()]))
}
