import { EsautiEvent, EsautiIdentify, startOfJson, toFaults, toValidationError, type Member } from '@sluice/protocol'
import type { z } from 'zod'
import type { Context } from '../../domain/context.ts'
import { membersOnce, parseJson, toText } from '../../domain/json-text.ts'
import { publishEvent, type Published } from '../../domain/publish.ts'
import { requireJson } from '../body.ts'
import type { Call, Handlers } from '../call.ts'
import { traceOf } from '../events.ts'
import { json } from '../exchange.ts'
import { parseIdempotencyKey } from '../idempotency-key.ts'
import { toProblemParts } from '../problem.ts'
import { acceptedResponse } from '../published.ts'
import type { Dialect } from './dialect.ts'

const addresses = /^\/api\/integrations\/|^\/v1\/inbound\/event$/

/** What the event side of eSauti's SDKs sends. Failures are problems with the `error` beside that these SDKs look for. */
export const esautiDialect: Dialect = {
  speaks: (path) => addresses.test(path),
  toError: (error, context) => {
    const { problem, fields } = toProblemParts(error, context)
    const { status, message } = problem
    const answer = json(status, { error: { message, code: status }, ...problem })
    return { ...answer, headers: { ...fields, ...answer.headers } }
  },
}

export function esautiHandlers(context: Context): Pick<Handlers, 'publishEsautiEvent' | 'identifyEsautiCustomer'> {
  return {
    publishEsautiEvent: async (call) => {
      const source = call.request.header('x-esauti-source')
      const published = await publish(context, call, toNative(parse(call, EsautiEvent), source))
      return acceptedResponse(published, { received: true })
    },
    identifyEsautiCustomer: async (call) => {
      const parsed = parse(call, EsautiIdentify)
      const customer = toCustomer(parsed.value.identity)
      const source = call.request.header('x-esauti-source')
      const published = await publish(context, call, toIdentified(parsed, customer, source))
      return acceptedResponse(published, { linked: true, contact_id: customer.identity['id'] })
    },
  }
}

type EsautiCall = Call<'publishEsautiEvent' | 'identifyEsautiCustomer'>

type Parsed<Value> = { readonly value: Value; readonly text: string; readonly members: readonly Member[] }

/** @throws HubError `validation-error`, `unsupported-media-type` */
function parse<Schema extends z.ZodType>({ request, body }: EsautiCall, schema: Schema): Parsed<z.output<Schema>> {
  requireJson(request)
  const text = toText(body)
  const parsed = schema.safeParse(parseJson(text))
  if (!parsed.success) throw toValidationError(toFaults(parsed.error))
  return { value: parsed.data, text, members: membersOnce(text, startOfJson(text)) }
}

type Native = {
  readonly own: Readonly<Record<string, unknown>>
  /** JSON text of members whose own text is kept */
  readonly texts: Readonly<Record<string, string>>
  readonly occurredAt: string | undefined
}

/**
 * Its builder makes the time anew in each call: the same event under the same key, or with the same `external_event_id`, is
 * the same with another time.
 */
async function publish(context: Context, { request, principal }: EsautiCall, native: Native): Promise<Published> {
  const idempotencyKey = parseIdempotencyKey(request.header('idempotency-key'))
  const { own, texts, occurredAt } = native
  const timeless = printObject({ ...toTexts(own), ...texts })
  const timed =
    occurredAt === undefined ? timeless : `${timeless.slice(0, -1)},"occurred_at":${JSON.stringify(occurredAt)}}`
  return publishEvent(context, principal, {
    bytes: Buffer.from(timed),
    content: timeless,
    ...(idempotencyKey !== undefined && { idempotencyKey }),
    ...traceOf(request),
  })
}

const enveloped = new Set(Object.keys(EsautiEvent.shape))

function toNative(parsed: Parsed<EsautiEvent>, sourceField: string | undefined): Native {
  const { type, occurred_at: occurredAt, source, customer, entity, properties, external_event_id } = parsed.value
  const person = toCustomer(customer ?? {})
  const thing = toEntity(entity ?? {})
  const unknown = textsOf(parsed, ({ name }) => !enveloped.has(name))
  const metadata = { ...toTexts({ ...person.rest, ...thing.rest }), ...unknown }
  const own = {
    event_type: type,
    source: source ?? (sourceField || undefined),
    external_event_id,
    entity: thing.entity,
    ...toIdentity(person),
  }
  const { properties: payload = '{}' } = properties ? textsOf(parsed, ({ name }) => name === 'properties') : {}
  return { own, texts: { ...toMetadata(metadata), payload }, occurredAt: toTime(occurredAt) }
}

function toIdentified(parsed: Parsed<EsautiIdentify>, customer: Customer, source: string | undefined): Native {
  if (Object.keys(customer.identity).length === 0)
    throw toValidationError([{ pointer: '/identity', detail: 'must hold email, phone, external_id or customer' }])
  const payload = printObject(textsOf(parsed, ({ name }) => name !== 'identity'))
  const own = { event_type: 'customer.identified', source: source || undefined, ...toIdentity(customer) }
  return { own, texts: { ...toMetadata(toTexts(customer.rest)), payload }, occurredAt: undefined }
}

/** `rest`: what the event has no member for goes to its metadata, under the name that it had. */
type Customer = { readonly identity: Record<string, string>; readonly rest: Record<string, unknown> }

/** `customer` within an identity is an id, or another customer whose members stand behind those beside it. */
function toCustomer({ customer, ...given }: EsautiIdentify['identity']): Customer {
  const nested = typeof customer === 'string' ? { id: customer } : customer
  const whole: NonNullable<EsautiEvent['customer']> = { ...defined(nested ?? {}), ...defined(given) }
  const { id, email, phone, external_id, ...rest } = whole
  const identity = defined({ id, email, phone, external_id })
  return { identity, rest: Object.keys(rest).length === 0 ? {} : { customer: rest } }
}

const toIdentity = ({ identity }: Customer): Record<string, unknown> =>
  Object.keys(identity).length === 0 ? {} : { identity }

type Thing = { readonly entity: unknown; readonly rest: Record<string, unknown> }

/** Here an entity has a type and an id; half of one is no more than a note. */
function toEntity({ type, id, ...rest }: NonNullable<EsautiEvent['entity']>): Thing {
  const isWhole = type !== undefined && id !== undefined
  const left = isWhole ? rest : defined({ type, id, ...rest })
  return { entity: isWhole ? { type, id } : undefined, rest: Object.keys(left).length === 0 ? {} : { entity: left } }
}

const toMetadata = (texts: Record<string, string>): Record<string, string> =>
  Object.keys(texts).length === 0 ? {} : { metadata: printObject(texts) }

function textsOf({ text, members }: Parsed<unknown>, wanted: (member: Member) => boolean): Record<string, string> {
  const found = members.filter(wanted)
  return Object.fromEntries(found.map(({ name, valueStart, end }) => [name, text.slice(valueStart, end)]))
}

const printObject = (texts: Record<string, string>): string =>
  `{${Object.entries(texts)
    .map(([name, text]) => `${JSON.stringify(name)}:${text}`)
    .join(',')}}`

const toTexts = (values: Record<string, unknown>): Record<string, string> =>
  Object.fromEntries(Object.entries(defined(values)).map(([name, value]) => [name, JSON.stringify(value)]))

const defined = <Value>(values: Record<string, Value | undefined>): Record<string, Value> =>
  Object.fromEntries(Object.entries(values).filter((entry): entry is [string, Value] => entry[1] !== undefined))

/** Forms that libraries print and ISO 8601 does not know in full: a blank for the T, +0000, no zone at all. */
function toTime(text: string | undefined): string | undefined {
  const match = /^(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d(?::\d\d(?:[.,]\d+)?)?)(Z|[+-]\d\d:?\d\d)?$/i.exec(text ?? '')
  const [, date, time, zone = 'Z'] = match ?? []
  if (date === undefined || time === undefined) return text
  return `${date}T${time.replace(',', '.')}${zone.toUpperCase().replace(/^([+-]\d\d)(\d\d)$/, '$1:$2')}`
}
