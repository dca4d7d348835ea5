import type { IntegrationConfig } from './config.ts'
import type { Context } from './context.ts'
import { findCredentialFaults } from './credentials.ts'
import { ActionError, ConfigurationError, RateLimitError, ValidationError, type ValidationSource } from './error.ts'
import type { AccountFunction, ActionFunction, PollFunction, PollPlace } from './handlers.ts'
import { isObject, type JsonObject } from './report.ts'
import {
  accountMembers,
  toEnvelope,
  type AccountEnvelope,
  type ActionEnvelope,
  type ActionResult,
  type ErrorResult,
  type PollEnvelope,
  type PollRecord,
  type ValidationErrorResult,
} from './result.ts'
import { toCheck } from './schema.ts'

/** What an integration is made of: its configuration, and the handlers that were registered. */
export type Parts = {
  readonly config: IntegrationConfig
  readonly actions: ReadonlyMap<string, ActionFunction>
  readonly polls: ReadonlyMap<string, PollFunction>
  readonly account: () => AccountFunction | undefined
}

export async function executeAction(
  parts: Parts,
  name: string,
  inputs: unknown,
  context: Context,
): Promise<ActionEnvelope> {
  // One frame alone: each promise more costs as much as a small schema.
  try {
    const action = parts.config.actions[name]
    const handler = parts.actions.get(name)
    if (!action || !handler) throw new ValidationError(unregistered('action', name, parts.actions))
    const checked = checkInputs(inputs, action.input_schema)
    checkCredentials(parts.config, context)
    return toActionEnvelope(name, await handler(checked, context), action.output_schema)
  } catch (error) {
    // Thrown or returned, it is the same.
    return error instanceof ActionError ? toErrorEnvelope(error) : toFailure(error)
  }
}

function toActionEnvelope(name: string, result: unknown, schema: JsonObject): ActionEnvelope {
  if (result instanceof ActionError) return toErrorEnvelope(result)
  if (!isObject(result) || !('data' in result))
    throw new ValidationError(`action "${name}" must answer { data, cost_usd? } or an ActionError`, 'output')
  const { data, cost_usd: cost } = result as ActionResult // its cost is what the handler says
  refuse(toCheck(schema)(data), 'output')
  return toEnvelope('action', { data, cost_usd: cost ?? null })
}

const toErrorEnvelope = ({ message, cost_usd: cost }: ActionError): ActionEnvelope =>
  toEnvelope('action_error', { message, cost_usd: cost })

export type PollOrder = { readonly name: string; readonly inputs: unknown; readonly place: PollPlace }

export async function executePollingTrigger(
  parts: Parts,
  { name, inputs, place }: PollOrder,
  context: Context,
): Promise<PollEnvelope> {
  return enveloped(async () => {
    const trigger = parts.config.polling_triggers[name]
    const handler = parts.polls.get(name)
    if (!trigger || !handler) throw new ValidationError(unregistered('polling trigger', name, parts.polls))
    const checked = checkInputs(inputs, trigger.input_schema)
    checkCredentials(parts.config, context)
    const polled = await handler(checked, place, context)
    const found = isObject(polled) ? polled : { records: polled, state: place.state }
    const records = checkRecords(found['records'], trigger.output_schema)
    return toEnvelope('polling_trigger', { records, state: found['state'] ?? null })
  })
}

function checkRecords(records: unknown, schema: JsonObject): PollRecord[] {
  if (!Array.isArray(records))
    throw new ValidationError('a polling trigger must answer a list of { id, data }', 'output')
  const check = toCheck(schema)
  const faults = records.flatMap((record: unknown, index) => {
    const fault = faultOfRecord(record, check)
    return fault === undefined ? [] : [`record ${index}: ${fault}`]
  })
  refuse(faults.length > 0 ? faults.slice(0, shownFaults).join('; ') : undefined, 'output')
  return records as PollRecord[] // each was just checked
}

/** One page of a vendor's may hold thousands that are wrong in the same way. */
const shownFaults = 10

function faultOfRecord(record: unknown, check: (value: unknown) => string | undefined): string | undefined {
  if (!isObject(record)) return 'must be an object with id and data'
  const { id } = record
  if (typeof id !== 'number' && (typeof id !== 'string' || id === '')) return 'has no id, a text or a number'
  return 'data' in record ? check(record['data']) : 'has no data'
}

export async function getConnectedAccount(parts: Parts, context: Context): Promise<AccountEnvelope> {
  return enveloped(async () => {
    const handler = parts.account()
    if (!handler)
      throw new ValidationError(`integration "${parts.config.name}" has no handler for the connected account`)
    checkCredentials(parts.config, context)
    const info: unknown = await handler(context)
    if (!isObject(info))
      throw new ValidationError('the handler of the connected account must answer an object', 'output')
    const entries = accountMembers.map((member) => [member, toText(member, info[member])])
    // Each of the members, in their order.
    return toEnvelope(
      'connected_account',
      Object.fromEntries(entries) as Record<(typeof accountMembers)[number], string | null>,
    )
  })
}

function toText(member: string, value: unknown): string | null {
  if (value === null || value === undefined) return null
  if (typeof value === 'string') return value
  if (typeof value === 'number') return String(value)
  throw new ValidationError(`${member} of the connected account must be a text or null`, 'output')
}

function checkInputs(inputs: unknown, schema: JsonObject): JsonObject {
  if (!isObject(inputs)) throw new ValidationError('the inputs must be an object', 'input')
  refuse(toCheck(schema)(inputs), 'input')
  return inputs
}

function checkCredentials(config: IntegrationConfig, { auth: { credentials, method } }: Context): void {
  refuse(findCredentialFaults(config, credentials, method), 'input', 'credentials: ')
}

function refuse(fault: string | undefined, source: ValidationSource, where = ''): void {
  if (fault !== undefined) throw new ValidationError(where + fault, source)
}

function unregistered(kind: string, name: string, handlers: ReadonlyMap<string, unknown>): string {
  const names = [...handlers.keys()]
  return `${kind} "${name}" is not registered; ${names.length === 0 ? 'none is' : `there are ${names.join(', ')}`}`
}

async function enveloped<Envelope>(
  run: () => Promise<Envelope>,
): Promise<Envelope | ValidationErrorResult | ErrorResult> {
  try {
    return await run()
  } catch (error) {
    return toFailure(error)
  }
}

/** Whatever goes wrong becomes a result: who runs an action reads one form. A fault of the configuration is thrown. */
function toFailure(error: unknown): ValidationErrorResult | ErrorResult {
  if (error instanceof ConfigurationError) throw error
  if (error instanceof ValidationError) {
    const { message, source } = error
    return toEnvelope('validation_error', { message, property: null, value: null, source })
  }
  const message = error instanceof Error ? error.message : String(error)
  const retryAfter = error instanceof RateLimitError ? { retry_after: error.retryAfter } : {}
  return toEnvelope('error', { message, cost_usd: null, ...retryAfter })
}
