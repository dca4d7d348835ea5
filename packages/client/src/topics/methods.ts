import { TopicNotFoundError } from './error.ts'
import type { PublishOptions } from './session.ts'
import type { Topics } from './topics.ts'
import type { CheckedTopic } from './check-definitions.ts'

/** Publishes on a topic. */
export type PublishOn = (topic: CheckedTopic, data: unknown, options?: PublishOptions) => unknown

/** What runtimes, consoles and test tools ask every object for, and take undefined for an answer. */
const asked: ReadonlySet<string> = new Set(
  ['then', 'catch', 'finally', 'toJSON', 'inspect', 'nodeType', 'tagName', 'asymmetricMatch', '$$typeof'].concat([
    '@@__IMMUTABLE_ITERABLE__@@',
    '@@__IMMUTABLE_RECORD__@@',
    '_isMockFunction',
    'message',
    'name',
    'length',
  ]),
)

/**
 * `own`, and a method for each topic of the category. Any other name throws as soon as it is read, and says what there is.
 *
 * @throws TopicNotFoundError from the object that is returned
 */
export function withMethods<Own extends object>(own: Own, topics: Topics<never>, more: Methods): Own {
  const { category, publish } = more
  const methods = new Map<string, unknown>()
  return new Proxy(own, {
    get: (target, name) => {
      if (typeof name === 'symbol' || Reflect.has(target, name)) return Reflect.get(target, name)
      const known = methods.get(name)
      if (known) return known
      const topic = topics.find(name, category)
      if (topic) {
        const method = (data: unknown, options?: PublishOptions): unknown => publish(topic, data, options)
        methods.set(name, method)
        return method
      }
      if (asked.has(name)) return undefined
      throw new TopicNotFoundError(name, topics.methods(category))
    },
    has: (target, name) =>
      Reflect.has(target, name) || (typeof name === 'string' && Boolean(topics.find(name, category))),
  })
}

type Methods = { readonly category?: string | undefined; readonly publish: PublishOn }
