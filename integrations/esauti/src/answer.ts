import { ApiError } from '@sluice/client'
import type { Page } from './iterate.ts'
import { isRecord, toCount, toItem, toItems, toRecord } from './php-json.ts'
import { toProblem, toReasons } from './problem.ts'
import type { List } from './shapes.ts'
import type { Answer } from './spec.ts'

/**
 * What a method promises, out of what came.
 *
 * @param operation as `GET /api/contacts`, for messages
 * @throws ApiError for a refusal that came as a 200, which `stats` has; TypeError for an answer of another kind
 */
export function toShape(value: unknown, answer: Answer, operation: string): unknown {
  switch (answer.kind) {
    case 'list':
      return toList(toPage(value, answer.name, operation))
    case 'item':
      return toItem(toMember(value, answer.name, operation))
    case 'items':
      return toItems(toMember(value, answer.name, operation))
    case 'record':
      return toRecord(toMember(value, answer.name, operation))
    case 'all':
      return toItems(value)
    case 'value':
    case 'bytes':
      return toItem(value)
  }
}

export function toPage(value: unknown, name: string, operation: string): Page<unknown> {
  const items = toItems(toMember(value, name, operation))
  return { total: isRecord(value) ? toCount(value['total']) : undefined, items }
}

export function toList({ total, items }: Page<unknown>): List<unknown> {
  return { total: total ?? items.length, items }
}

function toMember(value: unknown, name: string, operation: string): unknown {
  if (isRecord(value) && name in value) return value[name]
  const problem = toProblem(200, toReasons(value))
  if (problem) throw new ApiError({ status: 200, operation, problem })
  const found = isRecord(value) ? Object.keys(value).join(', ') || 'nothing' : typeof value
  throw new TypeError(
    `${operation} should answer with ${JSON.stringify(name)}; it answered with ${found}. Is it an eSauti?`,
  )
}
