import type { HeldRequest, ServiceLimits } from '@sluice/sdk/outbound'
import type { ProgressReport } from '@sluice/sdk/integration'
import type { Envelope, RunOrder, RunOutcome } from './runner.ts'

/** What a process has written, which may be anything. */
export type Answer =
  | { readonly kind: 'ready' }
  | { readonly kind: 'permit'; readonly id: number; readonly number: number }
  | { readonly kind: 'limits'; readonly id: number; readonly limits: ServiceLimits }
  | { readonly kind: 'progress'; readonly id: number; readonly report: ProgressReport }
  | {
      readonly kind: 'done'
      readonly id: number
      readonly envelope: Envelope
      readonly unauthorized: boolean
      readonly dryRun: RunOutcome['dryRun']
    }

type Kind = RunOrder['call']['kind']

const typesOf: Readonly<Record<Kind, readonly string[]>> = {
  action: ['action', 'action_error', 'validation_error', 'error'],
  poll: ['polling_trigger', 'validation_error', 'error'],
  account: ['connected_account', 'validation_error', 'error'],
}

/** A line of a process that runs a call of this kind; undefined if it is none that can be trusted. */
export function parseAnswer(line: string, kind: Kind | undefined): Answer | undefined {
  const value = parseJson(line)
  if (!isObject(value)) return undefined
  if (value['kind'] === 'ready') return { kind: 'ready' }
  const { id, envelope, report, number, limits } = value
  if (typeof id !== 'number' || kind === undefined) return undefined
  switch (value['kind']) {
    case 'progress':
      return isProgress(report) ? { kind: 'progress', id, report } : undefined
    case 'permit':
      return typeof number === 'number' ? { kind: 'permit', id, number } : undefined
    case 'limits':
      return isLimits(limits) ? { kind: 'limits', id, limits } : undefined
    case 'done':
      return isEnvelope(envelope, kind) ? toDone(id, envelope, value) : undefined
    default:
      return undefined
  }
}

function toDone(id: number, envelope: Envelope, { unauthorized, dryRun }: Record<string, unknown>): Answer {
  const held = isObject(dryRun) && Array.isArray(dryRun['requests']) ? dryRun['requests'].filter(isHeld) : undefined
  const done = { kind: 'done', id, envelope, unauthorized: unauthorized === true } as const
  return { ...done, dryRun: held && { requests: held, stopped: isObject(dryRun) && dryRun['stopped'] === true } }
}

function isHeld(value: unknown): value is HeldRequest {
  if (!isObject(value) || !isObject(value['headers'])) return false
  const { method, url, headers, body, recorded } = value
  const areTexts = [method, url, ...Object.values(headers)].every((one) => typeof one === 'string')
  return areTexts && (body === null || typeof body === 'string') && typeof recorded === 'boolean'
}

function isProgress(value: unknown): value is ProgressReport {
  if (!isObject(value)) return false
  const { done, total, message } = value
  const isText = message === null || (typeof message === 'string' && message.length <= 500)
  return typeof done === 'number' && (total === null || typeof total === 'number') && isText
}

/** Nobody's limits are larger; what is would not be counted as what it is. */
const maxCount = 1_000_000_000_000

function isLimits(value: unknown): value is ServiceLimits {
  if (!isObject(value)) return false
  const { limit, left, holdMs = 0 } = value
  const isLimit =
    limit === undefined || (isObject(limit) && isCount(limit['requests'], 1) && isCount(limit['perMs'], 1))
  const isLeft = left === undefined || (isObject(left) && isCount(left['requests'], 0) && isCount(left['resetMs'], 0))
  return isLimit && isLeft && isCount(holdMs, 0)
}

const isCount = (value: unknown, min: number): boolean => typeof value === 'number' && value >= min && value <= maxCount

function isEnvelope(value: unknown, kind: Kind): value is Envelope {
  if (!isObject(value) || typeof value['version'] !== 'string' || !isObject(value['result'])) return false
  const { type, result } = value
  if (typeof type !== 'string' || !typesOf[kind].includes(type)) return false
  if (type === 'polling_trigger') return Array.isArray(result['records']) && result['records'].every(isRecord)
  if (type === 'connected_account')
    return Object.values(result).every((member) => member === null || typeof member === 'string')
  if (type === 'action') return isCost(result['cost_usd'])
  return typeof result['message'] === 'string' && (type !== 'action_error' || isCost(result['cost_usd']))
}

function isRecord(value: unknown): boolean {
  if (!isObject(value) || !('data' in value)) return false
  const isName = (name: unknown): boolean => typeof name === 'string' || typeof name === 'number'
  return isName(value['id']) && (value['version'] === undefined || isName(value['version']))
}

const isCost = (cost: unknown): boolean => cost === null || cost === undefined || typeof cost === 'number'

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

function parseJson(line: string): unknown {
  try {
    return JSON.parse(line)
  } catch {
    return undefined
  }
}
