import { checkDefinitions, type CheckedTopic } from './check-definitions.ts'
import type { Topic, TopicDefinitions } from './definition.ts'
import { TopicNotFoundError, TopicsError } from './error.ts'
import { toEventType, toMethodNames } from './names.ts'
import type { DataOfTopic, InCategory, TopicOf } from './infer.ts'

/** Definitions that have been checked. `Definitions` carries what TypeScript knows of them. */
export type Topics<Definitions extends TopicDefinitions = TopicDefinitions> = {
  readonly list: readonly Topic[]
  readonly defaultCategory: string | undefined
  /**
   * One topic.
   *
   * @param category the default category where left out
   * @throws TopicNotFoundError that names the topics there are
   */
  get(names: { readonly action: string; readonly entity: string; readonly category?: string | undefined }): CheckedTopic
  /** The topic that a method stands for, in its category. */
  find(method: string, category?: string): CheckedTopic | undefined
  /** The methods of a category, one name a topic, for messages. */
  methods(category?: string): readonly string[]
  /** is never there; carries the type */
  readonly definitions?: Definitions
}

/**
 * The data of one topic.
 *
 * @example type Data = DataOf<typeof topics, 'MyEntity', 'Created'>
 */
export type DataOf<Defined, Entity extends string, Action extends string, Category extends string = string> =
  Defined extends Topics<infer Definitions>
    ? DataOfTopic<
        Extract<
          InCategory<Definitions, Category, TopicOf<Definitions>>,
          { readonly Entity: Entity; readonly Action: Action }
        >
      >
    : never

/**
 * Topics from an object. Their types come with them: the names of the methods of a session and the data of each.
 *
 * @throws TopicsError with everything that is wrong, by topic and JSON Pointer
 * @example
 * const topics = defineTopics({
 *   DefaultCategory: 'crm',
 *   Topics: [{ Action: 'Created', Entity: 'MyEntity', Schema: { type: 'object', required: ['id'], properties: { id: { type: 'string' } } } }],
 * })
 */
export function defineTopics<const Definitions extends TopicDefinitions>(
  definitions: Definitions,
): Topics<Definitions> {
  return toTopics<Definitions>(definitions, 'the definitions')
}

/**
 * Topics that are known only when the program runs: an object of any origin, or JSON text. Methods of their sessions have no
 * types. For files, YAML among them, there is `topicsFromFile` in `@sluice/client/node`.
 *
 * @throws TopicsError
 */
export function parseTopics(source: unknown): Topics {
  if (typeof source !== 'string') return toTopics(source, 'the definitions')
  try {
    return toTopics(JSON.parse(source), 'the definitions')
  } catch (cause) {
    if (cause instanceof TopicsError || !(cause instanceof SyntaxError)) throw cause
    throw new TopicsError('the definitions', [{ topic: '', pointer: '', detail: `not JSON: ${cause.message}` }], {
      cause,
    })
  }
}

/** @param name of the source, for messages */
export function toTopics<Definitions extends TopicDefinitions>(source: unknown, name: string): Topics<Definitions> {
  const { checked, faults } = checkDefinitions(source)
  if (faults.length > 0) throw new TopicsError(name, faults)
  const { topics: list, defaultCategory } = checked
  const byType = new Map(list.map((topic) => [topic.eventType, topic]))
  const byMethod = new Map(
    list.flatMap((topic) => toMethodNames(topic).map((method) => [`${topic.category} ${method}`, topic])),
  )
  return {
    list,
    defaultCategory,
    get: ({ action, entity, category = defaultCategory }) => {
      const eventType = category === undefined ? `${entity}${action}` : toEventType({ category, entity, action })
      const topic = byType.get(eventType)
      // The names run together in the type: those of another topic may give the same one.
      if (topic?.entity === entity && topic.action === action) return topic
      throw new TopicNotFoundError(eventType, [...byType.keys()])
    },
    find: (method, category = defaultCategory) => byMethod.get(`${category} ${method}`),
    methods: (category = defaultCategory) =>
      list.filter((topic) => topic.category === category).map((topic) => toMethodNames(topic)[0] ?? topic.eventType),
  }
}
