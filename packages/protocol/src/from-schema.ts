type Flat<Type> = { [Key in keyof Type]: Type[Key] }
type PropertiesOf<Schema> = Schema extends { readonly properties: infer Properties } ? Properties : unknown
type RequiredOf<Schema> = Schema extends { readonly required: readonly (infer Name extends string)[] } ? Name : never

/** Whether an object may hold members that its schema does not name and says nothing about. */
type Others = 'refused' | 'unknown'

type OthersOf<Schema, Undeclared extends Others> = Schema extends { readonly additionalProperties: true | object }
  ? { readonly [name: string]: unknown }
  : Schema extends { readonly additionalProperties: false }
    ? unknown
    : Undeclared extends 'unknown'
      ? { readonly [name: string]: unknown }
      : unknown

type ObjectOf<Schema, Undeclared extends Others> = Flat<
  {
    readonly [Name in keyof PropertiesOf<Schema> as Name extends RequiredOf<Schema> ? Name : never]: FromSchema<
      PropertiesOf<Schema>[Name],
      Undeclared
    >
  } & {
    readonly [Name in keyof PropertiesOf<Schema> as Name extends RequiredOf<Schema> ? never : Name]?:
      | FromSchema<PropertiesOf<Schema>[Name], Undeclared>
      | undefined
  } & { readonly [Name in Exclude<RequiredOf<Schema>, keyof PropertiesOf<Schema>>]: unknown } & OthersOf<
      Schema,
      Undeclared
    >
>

type ArrayOf<Schema, Undeclared extends Others> = Schema extends { readonly items: infer Items extends object }
  ? Items extends readonly unknown[]
    ? readonly unknown[]
    : readonly FromSchema<Items, Undeclared>[]
  : readonly unknown[]

type OfType<Type, Schema, Undeclared extends Others> = Type extends 'string'
  ? string
  : Type extends 'number' | 'integer'
    ? number
    : Type extends 'boolean'
      ? boolean
      : Type extends 'null'
        ? null
        : Type extends 'array'
          ? ArrayOf<Schema, Undeclared>
          : Type extends 'object'
            ? ObjectOf<Schema, Undeclared>
            : unknown

/**
 * The type that a JSON Schema describes: `type` (also several), `properties`, `required`, `items`, `enum`, `const`, `anyOf`
 * and `oneOf`. Whatever else is in it is left to the validator; what cannot be told is `unknown`.
 *
 * Members that are not in `properties` are `refused`, being misspelt most likely, unless the schema allows them itself. With
 * `unknown` they are let through and can be read as unknown: for what a vendor answers.
 *
 * @example type Person = FromSchema<{ type: 'object'; required: ['name']; properties: { name: { type: 'string' } } }>
 */
export type FromSchema<Schema, Undeclared extends Others = 'refused'> = Schema extends { readonly const: infer Value }
  ? Value
  : Schema extends { readonly enum: readonly (infer Value)[] }
    ? Value
    : Schema extends { readonly type: readonly (infer Type)[] }
      ? OfType<Type, Schema, Undeclared>
      : Schema extends { readonly type: infer Type }
        ? OfType<Type, Schema, Undeclared>
        : Schema extends { readonly anyOf: readonly (infer Option)[] } | { readonly oneOf: readonly (infer Option)[] }
          ? FromSchema<Option, Undeclared>
          : Schema extends { readonly properties: object }
            ? ObjectOf<Schema, Undeclared>
            : unknown
