import { isObject } from '../json-text.ts'

export type Schema = Readonly<Record<string, unknown>>

/** `here` is asked about the same value, `inside` about a part of it, `aside` only where a `$ref` leads to it. */
type Use = 'here' | 'inside' | 'aside'

export type Subschema = {
  /** JSON Pointer */
  readonly pointer: string
  readonly schema: Schema | boolean
  readonly use: Use
}

type Form = 'one' | 'list' | 'map'

/** Where schemas stand in schemas, in draft 7 and 2020-12. `items` may be one or a list, `dependencies` hold lists of names, too. */
const keywords: ReadonlyMap<string, readonly [Use, ...Form[]]> = new Map([
  ['allOf', ['here', 'list']],
  ['anyOf', ['here', 'list']],
  ['oneOf', ['here', 'list']],
  ['not', ['here', 'one']],
  ['if', ['here', 'one']],
  ['then', ['here', 'one']],
  ['else', ['here', 'one']],
  ['dependentSchemas', ['here', 'map']],
  ['dependencies', ['here', 'map']],
  ['properties', ['inside', 'map']],
  ['patternProperties', ['inside', 'map']],
  ['additionalProperties', ['inside', 'one']],
  ['unevaluatedProperties', ['inside', 'one']],
  ['propertyNames', ['inside', 'one']],
  ['items', ['inside', 'one', 'list']],
  ['prefixItems', ['inside', 'list']],
  ['additionalItems', ['inside', 'one']],
  ['unevaluatedItems', ['inside', 'one']],
  ['contains', ['inside', 'one']],
  ['contentSchema', ['inside', 'one']],
  ['$defs', ['aside', 'map']],
  ['definitions', ['aside', 'map']],
])

const isSchema = (value: unknown): value is Schema | boolean => typeof value === 'boolean' || isObject(value)

/** One token of a JSON Pointer, whole: two names never become one. */
export const toToken = (name: string): string => name.replaceAll('~', '~0').replaceAll('/', '~1')

/** The schemas that stand directly in one. What is no schema although it should be is left out: the meta-schema says so. */
export function subschemasOf(schema: Schema, pointer = ''): Subschema[] {
  return Object.entries(schema).flatMap(([keyword, value]) => {
    const known = keywords.get(keyword)
    if (!known) return []
    const [use, ...forms] = known
    const at = `${pointer}/${toToken(keyword)}`
    return entriesOf(value, forms).flatMap(([suffix, found]) =>
      isSchema(found) ? [{ pointer: at + suffix, schema: found, use }] : [],
    )
  })
}

function entriesOf(value: unknown, forms: readonly Form[]): (readonly [string, unknown])[] {
  if (Array.isArray(value)) return forms.includes('list') ? value.map((item, index) => [`/${index}`, item]) : []
  if (forms.includes('map') && isObject(value))
    return Object.entries(value).map(([name, item]) => [`/${toToken(name)}`, item])
  return forms.includes('one') ? [['', value]] : []
}
