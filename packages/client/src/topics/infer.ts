import type { FromSchema, JsonObject } from '@sluice/protocol'
import type { TopicDefinition, TopicDefinitions } from './definition.ts'

/** Topics one by one, as a union. */
export type TopicOf<Definitions extends TopicDefinitions> = Definitions['Topics'][number]

export type CategoryOf<Definitions extends TopicDefinitions, Topic> = Topic extends {
  readonly Category: infer Category extends string
}
  ? Category
  : DefaultOf<Definitions>

export type DefaultOf<Definitions extends TopicDefinitions> = Definitions extends {
  readonly DefaultCategory: infer Category extends string
}
  ? Category
  : never

/** Those of the topics that are in a category. */
export type InCategory<Definitions extends TopicDefinitions, Category, Topic> =
  Topic extends TopicOf<Definitions> ? (CategoryOf<Definitions, Topic> extends Category ? Topic : never) : never

/** What a topic's data must be; always an object. */
export type DataOfTopic<Topic extends TopicDefinition> =
  FromSchema<Topic['Schema']> extends infer Data ? (Data extends object ? Data : JsonObject) : never

/** True for definitions that are known only when the program runs. */
export type IsDynamic<Definitions extends TopicDefinitions> = string extends TopicOf<Definitions>['Entity']
  ? true
  : false

type Snake<Text extends string> = Text extends `${infer First}${infer Rest}`
  ? First extends Uppercase<First>
    ? First extends Lowercase<First>
      ? `${First}${Snake<Rest>}`
      : `_${Lowercase<First>}${Snake<Rest>}`
    : `${First}${Snake<Rest>}`
  : ''

type Camel<Topic extends TopicDefinition> =
  | `${Uncapitalize<Topic['Action']>}${Topic['Entity']}`
  | `${Uncapitalize<Topic['Entity']>}${Topic['Action']}`

/** `createdMyEntity`, `myEntityCreated`, `created_my_entity`, `my_entity_created`. */
export type MethodName<Topic extends TopicDefinition> = Camel<Topic> | Snake<Camel<Topic>>
