import type { EventType, Pagination } from '@sluice/protocol'
import type { RequestOptions } from '../request.ts'
import type { TopicDefinition } from './definition.ts'
import { toTopics, type Topics } from './topics.ts'

/** What is used of `createAdmin(…)`. */
export type EventTypeList = {
  listEventTypes(
    query: { readonly limit?: number; readonly cursor?: string; readonly category?: string },
    options?: RequestOptions,
  ): Promise<{ readonly event_types: readonly EventType[]; readonly pagination: Pagination }>
}

export type HubTopicOptions = RequestOptions & {
  /** only topics of this category, which is the default one then */
  readonly category?: string
}

/**
 * Topics as the hub has them: those of its event types that were imported as topics, with category, entity and action. They
 * are read once; what changes in the hub later is seen by the next call. An event type without a schema takes any object.
 *
 * @param hub `createAdmin({ baseUrl, apiKey })` of `@sluice/client/admin`
 * @throws TopicsError; ApiError; TransportError
 * @example const topics = await topicsFromHub(createAdmin({ baseUrl, apiKey }), { category: 'crm' })
 */
export async function topicsFromHub(hub: EventTypeList, options: HubTopicOptions = {}): Promise<Topics> {
  const { category, ...requestOptions } = options
  const topics: TopicDefinition[] = []
  for (let cursor: string | null | undefined; cursor !== null;) {
    const query = { limit: 200, ...(category !== undefined && { category }), ...(cursor !== undefined && { cursor }) }
    const page = await hub.listEventTypes(query, requestOptions)
    topics.push(...page.event_types.flatMap(toDefinition))
    cursor = page.pagination.has_more ? page.pagination.next_cursor : null
  }
  const defaultCategory = category ?? theOnly(topics.map((topic) => topic.Category))
  return toTopics(
    { ...(defaultCategory !== undefined && { DefaultCategory: defaultCategory }), Topics: topics },
    'the hub',
  )
}

function toDefinition({ category, entity, action, description, schema }: EventType): TopicDefinition[] {
  if (category === null || entity === null || action === null) return []
  return [
    {
      Action: action,
      Entity: entity,
      Category: category,
      ...(description !== null && { Description: description }),
      Schema: schema ?? {},
    },
  ]
}

function theOnly(categories: readonly (string | undefined)[]): string | undefined {
  const different = [...new Set(categories)]
  return different.length === 1 ? different[0] : undefined
}
