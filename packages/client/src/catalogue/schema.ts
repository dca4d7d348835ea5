/** The part of JSON Schema (2020-12) that the catalogue is written in. */
export type JsonSchema = {
  readonly $schema?: string
  readonly type: 'object' | 'array' | 'string' | 'integer' | 'number' | 'boolean'
  readonly description?: string
  readonly format?: string
  readonly pattern?: string
  readonly enum?: readonly string[]
  readonly minLength?: number
  readonly maxLength?: number
  readonly minimum?: number
  readonly maximum?: number
  readonly items?: JsonSchema
  readonly minItems?: number
  readonly uniqueItems?: boolean
  readonly required?: readonly string[]
  readonly properties?: { readonly [name: string]: JsonSchema }
  readonly examples?: readonly unknown[]
}

declare const value: unique symbol
/** A JSON Schema and, for TypeScript only, the type of what it accepts. */
export type Schema<T> = JsonSchema & { readonly [value]?: T }
type ValueOf<S> = S extends Schema<infer T> ? T : never

export type Members = { readonly [name: string]: Schema<unknown> }
type NoMembers = { readonly [name: string]: never }
type Flat<T> = { [K in keyof T]: T[K] }
export type ObjectOf<R, O = NoMembers> = Flat<
  { [K in keyof R]: ValueOf<R[K]> } & { [K in keyof O as string extends K ? never : K]?: ValueOf<O[K]> }
>

/** Objects are open: members that are not named are accepted, since events grow. */
export function object<R extends Members, O extends Members = NoMembers>(
  required: R,
  optional?: O,
): Schema<ObjectOf<R, O>> {
  const names = Object.keys(required)
  return {
    type: 'object',
    // An empty list says nothing, and some tools refuse it.
    ...(names.length > 0 && { required: names }),
    properties: { ...required, ...optional },
  }
}

export function list<T>(items: Schema<T>): Schema<T[]> {
  return { type: 'array', items, minItems: 1 }
}

/** One of a few words. */
export function choice<const V extends readonly [string, ...string[]]>(...values: V): Schema<V[number]> {
  return { type: 'string', enum: values }
}

/** Words for people: 1 to 10,000 characters. */
export function text(example: string): Schema<string> {
  return { type: 'string', minLength: 1, maxLength: 10_000, examples: [example] }
}

/** An identifier in the system that emits the event, as text even where it is a number there. 1 to 255 characters. */
export function id(example: string): Schema<string> {
  return { type: 'string', minLength: 1, maxLength: 255, examples: [example] }
}

/** A moment, RFC 3339 with a zone. */
export function time(example = '2026-03-14T09:26:53Z'): Schema<string> {
  return { type: 'string', format: 'date-time', examples: [example] }
}

/** A day of the calendar, without a zone. */
export function date(example: string): Schema<string> {
  return { type: 'string', format: 'date', examples: [example] }
}

export function email(example: string): Schema<string> {
  return { type: 'string', format: 'email', maxLength: 320, examples: [example] }
}

export function url(example: string): Schema<string> {
  return { type: 'string', format: 'uri', maxLength: 8192, examples: [example] }
}

/** How many: a whole number from 0, or from `minimum`. */
export function count(example: number, minimum = 0): Schema<number> {
  return { type: 'integer', minimum, examples: [example] }
}

/** A whole number that may be below 0, as a correction of stock. */
export function difference(example: number): Schema<number> {
  return { type: 'integer', examples: [example] }
}

/** A number between two bounds, both included; it may have a fraction. */
export function between(minimum: number, maximum: number, example: number): Schema<number> {
  return { type: 'number', minimum, maximum, examples: [example] }
}

/** A whole number between two bounds, both included. */
export function whole(minimum: number, maximum: number, example: number): Schema<number> {
  return { type: 'integer', minimum, maximum, examples: [example] }
}

export function percent(example: number): Schema<number> {
  return between(0, 100, example)
}

export function flag(example = true): Schema<boolean> {
  return { type: 'boolean', examples: [example] }
}

/** Text of one shape. The pattern must be readable for RE2, which the hub uses: no look-around, no back references. */
export function code(pattern: string, example: string): Schema<string> {
  return { type: 'string', pattern, examples: [example] }
}

/** The same schema with a sentence on what it holds. */
export function described<T>(description: string, schema: Schema<T>): Schema<T> {
  return { ...schema, description }
}
