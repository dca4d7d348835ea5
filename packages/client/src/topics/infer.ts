import type { JsonObject } from '@sluice/protocol'
import type { TopicDefinition, TopicDefinitions } from './definition.ts'

type Flat<Type> = { [Key in keyof Type]: Type[Key] }
type PropertiesOf<Schema> = Schema extends { readonly properties: infer Properties } ? Properties : unknown
type RequiredOf<Schema> = Schema extends { readonly required: readonly (infer Name extends string)[] } ? Name : never

/** Members that are not defined may be sent only where the schema says so itself: elsewhere they are most likely misspelt. */
type OthersOf<Schema> = Schema extends { readonly additionalProperties: true | object }
  ? { readonly [name: string]: unknown }
  : unknown

type ObjectOf<Schema> = Flat<
  {
    readonly [Name in keyof PropertiesOf<Schema> as Name extends RequiredOf<Schema> ? Name : never]: FromSchema<
      PropertiesOf<Schema>[Name]
    >
  } & {
    readonly [Name in keyof PropertiesOf<Schema> as Name extends RequiredOf<Schema> ? never : Name]?:
      | FromSchema<PropertiesOf<Schema>[Name]>
      | undefined
  } & { readonly [Name in Exclude<RequiredOf<Schema>, keyof PropertiesOf<Schema>>]: unknown } & OthersOf<Schema>
>

type ArrayOf<Schema> = Schema extends { readonly items: infer Items extends object }
  ? Items extends readonly unknown[]
    ? readonly unknown[]
    : readonly FromSchema<Items>[]
  : readonly unknown[]

type OfType<Type, Schema> = Type extends 'string'
  ? string
  : Type extends 'number' | 'integer'
    ? number
    : Type extends 'boolean'
      ? boolean
      : Type extends 'null'
        ? null
        : Type extends 'array'
          ? ArrayOf<Schema>
          : Type extends 'object'
            ? ObjectOf<Schema>
            : unknown

/**
 * The type that a JSON Schema describes: `type` (also several), `properties`, `required`, `items`, `enum`, `const`, `anyOf`
 * and `oneOf`. Whatever else is in it is left to the validator; what cannot be told is `unknown`.
 */
export type FromSchema<Schema> = Schema extends { readonly const: infer Value }
  ? Value
  : Schema extends { readonly enum: readonly (infer Value)[] }
    ? Value
    : Schema extends { readonly type: readonly (infer Type)[] }
      ? OfType<Type, Schema>
      : Schema extends { readonly type: infer Type }
        ? OfType<Type, Schema>
        : Schema extends { readonly anyOf: readonly (infer Option)[] } | { readonly oneOf: readonly (infer Option)[] }
          ? FromSchema<Option>
          : Schema extends { readonly properties: object }
            ? ObjectOf<Schema>
            : unknown

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
