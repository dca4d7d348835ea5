import {
  EventTypeMode,
  EventTypeName,
  InboxSettings,
  InboxStatus,
  KeyStatus,
  Role,
  Slug,
  UnknownEventTypes,
  maxPosition,
  tagSpace,
} from '@sluice/protocol'
import { findScheduleFault } from './check-schedule-row.ts'
import { findSourceFault } from './check-source-row.ts'
import { findBudgetFault, findClientFault, findConnectionFault, findTriggerFault } from './check-integration-row.ts'
import { movedColumns, type AnyRow, type MovedKind, type MovedRow } from '../../store/moving.ts'
import { refuse, type Line } from './lines.ts'

/** What rows refer to, as far as the file has been read. */
export type Known = {
  head: number | null
  position: number
  acceptedMs: number
  readonly inboxes: Set<string>
  /** no log of now reaches beyond */
  readonly latestMs: number
}

/** Clocks of two machines may differ by so much. */
const skewMs = 86_400_000

export function createKnown(nowMs: number): Known {
  return { head: null, position: 0, acceptedMs: 0, inboxes: new Set(), latestMs: nowMs + skewMs }
}

/**
 * A row as the stores take it. The file may come from anywhere: what a store trusts of its own rows is looked at here.
 *
 * @throws HubError `validation-error` naming the line
 */
export function toMovedRow({ number, value }: Line, known: Known): MovedRow {
  const { kind, row, ...rest } = value
  if (!isKind(kind)) throw refuse(number, `is of the kind ${JSON.stringify(kind)}, which this Sluice does not know`)
  const [unknown] = Object.keys(rest)
  if (unknown !== undefined) throw refuse(number, `has the unknown member "${unknown}"`)
  const fault = findColumnFault(kind, row) ?? findFault({ kind, row } as MovedRow, known) // the columns were just checked
  if (fault !== undefined) throw refuse(number, `(${kind}) ${fault}`)
  return { kind, row } as MovedRow
}

const isKind = (kind: unknown): kind is MovedKind => typeof kind === 'string' && Object.hasOwn(movedColumns, kind)

function findColumnFault(kind: MovedKind, row: unknown): string | undefined {
  if (typeof row !== 'object' || row === null) return 'has no row'
  const columns: Readonly<Record<string, string>> = movedColumns[kind]
  const unknown = Object.keys(row).find((name) => !Object.hasOwn(columns, name))
  if (unknown !== undefined) return `has the unknown member "${unknown}"`
  const values = row as AnyRow // the members are looked at one by one
  const wrong = Object.entries(columns).find(([name, type]) => !isOfType(values[name], type))
  return wrong && `"${wrong[0]}" must be ${words[wrong[1]]}`
}

const words: Readonly<Record<string, string>> = {
  number: 'a whole number',
  'number?': 'a whole number or null',
  text: 'a text',
  'text?': 'a text or null',
  boolean: 'true or false',
}

function isOfType(value: unknown, type: string): boolean {
  // A column that is newer than the file stands for null.
  if (value === null || value === undefined) return type.endsWith('?')
  if (type.startsWith('number')) return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0
  return typeof value === (type.startsWith('text') ? 'string' : type)
}

function findFault({ kind, row }: MovedRow, known: Known): string | undefined {
  if (kind === 'log') return findLogFault(row, known)
  if (known.head === null) return 'stands before the row of the log'
  if ('inbox' in row && !known.inboxes.has(row.inbox))
    return `belongs to inbox "${row.inbox}", which is not in the file`
  if ('position' in row && (row.position < 1 || row.position > known.head)) return 'has a position beyond the log'
  if ('first' in row && (row.first < 1 || row.first > row.last || row.last > known.head))
    return 'has no span of the log'
  switch (kind) {
    case 'inbox':
      return findInboxFault(row, known)
    case 'event':
      return findEventFault(row, known)
    case 'inbox_history':
      return isRuns(row.positions) && isJson(row.settings) ? undefined : 'has damaged positions or settings'
    case 'parked':
      return isRuns(row.positions) && row.last - row.first <= maxSpan ? undefined : 'has damaged positions'
    case 'lease':
      return isHeld(row.held) ? undefined : 'has damaged positions'
    case 'dead_letter':
      return isObject(row.body) ? undefined : 'has a body that is no JSON object'
    case 'api_key':
      return findKeyFault(row)
    case 'event_type_setting':
      return UnknownEventTypes.safeParse(row.unknown).success ? undefined : 'has a setting that no workspace has'
    case 'event_type':
      return findTypeFault(row)
    case 'event_type_version':
      return isSchema(row.schema) ? undefined : 'has a schema that is no JSON object'
    case 'quarantine':
      return findQuarantineFault(row)
    case 'scheduled_event':
      return isObject(row.body) && isJson(row.notes) && isDedup(toJson(row.dedup))
        ? undefined
        : 'has a body that is no JSON object in one line, or damaged keys'
    case 'source':
      return findSourceFault(row)
    case 'schedule':
      return findScheduleFault(row, known.latestMs)
    case 'connection':
      return findConnectionFault(row)
    case 'oauth_client':
      return findClientFault(row)
    case 'budget':
      return findBudgetFault(row)
    case 'polling_trigger':
      return findTriggerFault(row)
    case 'audit':
      return isJson(row.details) ? undefined : 'has details that are not JSON'
    default:
      return undefined
  }
}

/** No row of a store spans more. */
const maxSpan = 10_000

type Row<Kind extends MovedKind> = Extract<MovedRow, { kind: Kind }>['row']

function findLogFault(row: Row<'log'>, known: Known): string | undefined {
  if (known.head !== null) return 'is there twice'
  // A store's time goes on from the highest that it has used.
  if (row.accepted_ms > known.latestMs) return 'was accepted in the future'
  const isLog =
    row.tag < tagSpace && row.head <= maxPosition && row.trimmed_to <= row.head && row.irregular_to <= row.head
  if (!isLog || !isTags(row.earlier_tags)) return 'has numbers that no log has'
  known.head = row.head
  return undefined
}

function isTags(text: string): boolean {
  const tags = toJson(text)
  return (
    Array.isArray(tags) &&
    tags.every((pair) => Array.isArray(pair) && pair.length === 2 && pair.every((value) => Number.isSafeInteger(value)))
  )
}

function findInboxFault(row: Row<'inbox'>, { inboxes }: Known): string | undefined {
  if (!Slug.safeParse(row.key).success || inboxes.has(row.key)) return `"${row.key}" is no key, or is there twice`
  if (!InboxSettings.safeParse(toJson(row.settings)).success) return 'has settings that no inbox has'
  if (!isDoor(row.door)) return 'has a door that no inbox has'
  if (!InboxStatus.safeParse(row.status).success || row.next < 1) return 'has a status or place that no inbox has'
  inboxes.add(row.key)
  return undefined
}

function isDoor(text: string | null | undefined): boolean {
  if (text === null || text === undefined) return true
  const door = toJson(text)
  if (typeof door !== 'object' || door === null) return false
  const { keyId, reason, probeMs, probes, sealed } = door as Readonly<Record<string, unknown>> // an object, it was just seen
  return (
    typeof keyId === 'string' &&
    (reason === null || typeof reason === 'string') &&
    (probeMs === null || Number.isSafeInteger(probeMs)) &&
    Number.isSafeInteger(probes) &&
    isSealedDoor(sealed)
  )
}

function isSealedDoor(sealed: unknown): boolean {
  if (sealed === undefined || sealed === null) return true
  const { id, text } = sealed as Readonly<Record<string, unknown>> // anything but null and undefined has members
  return typeof id === 'string' && typeof text === 'string'
}

function findEventFault(row: Row<'event'>, known: Known): string | undefined {
  if (row.position <= known.position || row.accepted_ms < known.acceptedMs) return 'is not in the order of the log'
  if (row.body !== null && !isObject(row.body)) return 'has a body that is no JSON object in one line'
  if (!isJson(row.notes)) return 'has notes that are not JSON'
  known.position = row.position
  known.acceptedMs = row.accepted_ms
  return undefined
}

const isSchema = (text: string | null): boolean => text === null || isObject(text)

/** Whether its schema can be used is seen when it is used. */
function findTypeFault(row: Row<'event_type'>): string | undefined {
  if (!EventTypeName.safeParse(row.name).success || !EventTypeMode.safeParse(row.mode).success)
    return 'has a name or mode that no event type has'
  return isSchema(row.schema) ? undefined : 'has a schema that is no JSON object'
}

function findQuarantineFault(row: Row<'quarantine'>): string | undefined {
  if (!isObject(row.body) || !isJson(row.notes)) return 'has a body that is no JSON object in one line'
  return isDedup(toJson(row.dedup)) && Array.isArray(toJson(row.faults)) ? undefined : 'has damaged keys or faults'
}

function isDedup(list: unknown): boolean {
  const isText = (value: unknown): boolean => typeof value === 'string'
  return Array.isArray(list) && list.every((item) => isText(item?.key) && isText(item?.fingerprint))
}

function findKeyFault(row: Row<'api_key'>): string | undefined {
  const isKey = Role.safeParse(row.role).success && KeyStatus.safeParse(row.status).success
  const isScoped = isJson(row.allowed_event_types) && isJson(row.allowed_actions)
  if (!isHmac(row.hmac)) return 'has HMAC secrets that no key has'
  return isKey && isScoped ? undefined : 'has a role, status or scope that no key has'
}

function isHmac(text: string | null | undefined): boolean {
  if (text === null || text === undefined) return true
  const hmac = toJson(text)
  if (typeof hmac !== 'object' || hmac === null || !('required' in hmac) || !('secrets' in hmac)) return false
  const { required, secrets } = hmac
  return typeof required === 'boolean' && Array.isArray(secrets) && secrets.length > 0 && secrets.every(isSealed)
}

function isSealed(secret: unknown): boolean {
  if (typeof secret !== 'object' || secret === null || !('sealed' in secret) || !('untilMs' in secret)) return false
  const { sealed, untilMs } = secret
  return typeof sealed === 'string' && (untilMs === null || Number.isSafeInteger(untilMs))
}

function toJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

const isJson = (text: string | null): boolean => text === null || toJson(text) !== undefined

/** In one line and from its brace on: the hub puts members of its own in front. */
const isObject = (text: string): boolean =>
  text.startsWith('{') && text.endsWith('}') && !/[\n\r]/.test(text) && toJson(text) !== undefined

const isRuns = (text: string | null): boolean =>
  text === null || /^(\d{1,15}(-\d{1,15})?(,\d{1,15}(-\d{1,15})?)*)?$/.test(text)

function isHeld(text: string): boolean {
  const held = toJson(text)
  return (
    Array.isArray(held) &&
    held.length > 0 &&
    held.every(
      (part) =>
        Array.isArray(part) &&
        part.length === 3 &&
        Number.isSafeInteger(part[0]) &&
        typeof part[1] === 'string' &&
        part[1] !== '' &&
        isRuns(part[1]) &&
        (part[2] === null || typeof part[2] === 'string'),
    )
  )
}
