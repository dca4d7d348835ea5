import type { Topic } from './definition.ts'

type Names = Pick<Topic, 'category' | 'entity' | 'action'>

/** @example toEventType({ category: 'crm', entity: 'MyEntity', action: 'Created' }) // 'crm.MyEntityCreated' */
export function toEventType({ category, entity, action }: Names): string {
  return `${category}.${entity}${action}`
}

/** What a topic can be called by in its category: action or entity first, as `createdMyEntity` and `my_entity_created`. */
export function toMethodNames(names: Pick<Names, 'entity' | 'action'>): string[] {
  const camel = toCamelNames(names)
  return [...camel, ...camel.map(toSnake)]
}

/** Every word begins with a capital, so two topics share a method only if they share one of these. */
export function toCamelNames({ entity, action }: Pick<Names, 'entity' | 'action'>): string[] {
  return [...new Set([uncapitalize(action) + entity, uncapitalize(entity) + action])]
}

function uncapitalize(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1)
}

function toSnake(text: string): string {
  return text.replaceAll(/[A-Z]/g, (capital) => `_${capital.toLowerCase()}`)
}
