import { cloudEventTypes, toBinaryCloudEvent, toCloudEventBatch, toStructuredCloudEvent } from '@sluice/protocol'
import type { Workspace } from '../domain/context.ts'
import type { Page } from '../domain/page.ts'
import { jsonText, type HubRequest, type HubResponse } from './exchange.ts'
import { pageResponse } from './page.ts'

type Asked = { readonly request: HubRequest; readonly principal: { readonly workspace: Workspace } }
type AskedForOne = Asked & { readonly query: { readonly format?: 'cloudevents' | 'cloudevents-binary' | undefined } }

/** The source of events that name none. */
export function toDefaultSource(workspace: Workspace): { source: string } {
  return { source: `/workspaces/${workspace.key}` }
}

/** One event, as JSON text, in the form that was asked for. */
export function eventResponse({ request, query, principal }: AskedForOne, eventText: string): HubResponse {
  const source = toDefaultSource(principal.workspace)
  if (query.format === 'cloudevents-binary') return asForeign(toBinaryCloudEvent(eventText, source))
  const isWanted = query.format === 'cloudevents' || prefers(request, cloudEventTypes.structured)
  return isWanted ? cloudEvents('structured', toStructuredCloudEvent(eventText, source)) : jsonText(200, eventText)
}

/** The content type is whatever a publisher said: a browser must not take HTML of theirs for a page of the hub's. */
function asForeign({ headers, body }: Pick<HubResponse, 'headers' | 'body'>): HubResponse {
  const shut = { 'x-content-type-options': 'nosniff', 'content-security-policy': "sandbox; default-src 'none'" }
  return { status: 200, headers: { ...headers, ...shut }, body }
}

/** A list of events, in the form that was asked for; of a batch of CloudEvents, what is no event stands in fields. */
export function eventPageResponse({ request, principal }: Asked, page: Page, searchedTo?: string | null): HubResponse {
  if (!prefers(request, cloudEventTypes.batch))
    return pageResponse('events', page, searchedTo === undefined ? '' : `,"searched_to":${JSON.stringify(searchedTo)}`)
  return batchOf(page.items, principal.workspace, {
    'x-sluice-has-more': String(page.hasMore),
    'x-sluice-next-cursor': page.nextCursor,
    'x-sluice-searched-to': searchedTo,
  })
}

export type LeaseFacts = {
  readonly lease_id: string
  readonly leased_until: string | null
  readonly inbox_status: string
}

/** Leased events, as JSON texts, in the form that was asked for. */
export function leaseResponse({ request, principal }: Asked, facts: LeaseFacts, items: readonly string[]): HubResponse {
  if (!prefers(request, cloudEventTypes.batch))
    return jsonText(200, `${JSON.stringify(facts).slice(0, -1)},"events":[${items.join(',')}]}`)
  return batchOf(items, principal.workspace, {
    'x-sluice-lease-id': facts.lease_id,
    'x-sluice-leased-until': facts.leased_until,
    'x-sluice-inbox-status': facts.inbox_status,
  })
}

type Fields = Readonly<Record<string, string | null | undefined>>

function batchOf(items: readonly string[], workspace: Workspace, fields: Fields): HubResponse {
  const response = cloudEvents('batch', toCloudEventBatch(items, toDefaultSource(workspace)))
  for (const [name, value] of Object.entries(fields)) if (value != null) response.headers[name] = value
  return response
}

function cloudEvents(mode: 'structured' | 'batch', text: string): HubResponse {
  return { status: 200, headers: { 'content-type': `${cloudEventTypes[mode]}; charset=utf-8` }, body: text }
}

/** True if `Accept` names this type, and names our own JSON later or with less weight, or not at all. */
function prefers(request: HubRequest, mediaType: string): boolean {
  const accept = request.header('accept')?.toLowerCase()
  if (accept === undefined || !accept.includes('cloudevents')) return false
  const ranges = accept.split(',').map(toRange)
  const [best] = ranges
    .filter(({ type, weight }) => weight > 0 && (type === mediaType || type === 'application/json'))
    .toSorted((left, right) => right.weight - left.weight)
  return best?.type === mediaType
}

function toRange(text: string): { type: string; weight: number } {
  const [type = '', ...parameters] = text.split(';').map((part) => part.trim())
  const weight = parameters.find((parameter) => parameter.startsWith('q='))
  return { type, weight: weight === undefined ? 1 : Number(weight.slice(2)) }
}
