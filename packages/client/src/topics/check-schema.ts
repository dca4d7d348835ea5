/** Where in the schema, as keys from its root, and what is wrong. */
export type SchemaFault = { readonly path: readonly (string | number)[]; readonly detail: string }

type Node = { readonly [keyword: string]: unknown }
export type Reference = { readonly node: Node; readonly path: SchemaFault['path'] }
type Visit = { readonly faults: SchemaFault[]; readonly references: Reference[]; readonly isDraft4: boolean }
type Check = (value: unknown, path: SchemaFault['path'], visit: Visit) => void

const types = ['object', 'array', 'string', 'number', 'integer', 'boolean', 'null']

/**
 * What keeps a schema from meaning anything: keywords with values of the wrong kind, patterns that do not compile. Keywords
 * that nobody knows are notes, as JSON Schema says.
 *
 * @returns faults, and the places of `$ref` for whoever can resolve them
 */
export function checkSchema(schema: unknown): { faults: readonly SchemaFault[]; references: readonly Reference[] } {
  const isDraft4 = isObject(schema) && typeof schema['$schema'] === 'string' && schema['$schema'].includes('draft-04')
  const visit: Visit = { faults: [], references: [], isDraft4 }
  checkNode(schema, [], visit)
  return visit
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** A check for values that need no look inside. */
function must(holds: (value: unknown) => boolean, detail: string): Check {
  return (value, path, { faults }) => {
    if (!holds(value)) faults.push({ path, detail })
  }
}

const checkNode: Check = (schema, path, visit) => {
  if (typeof schema === 'boolean') return
  if (!isObject(schema))
    return void visit.faults.push({ path, detail: 'must be a JSON Schema: an object, true or false' })
  if ('$ref' in schema) visit.references.push({ node: schema, path })
  for (const [keyword, value] of Object.entries(schema)) {
    const check = Object.hasOwn(keywords, keyword) ? keywords[keyword] : undefined
    check?.(value, [...path, keyword], visit)
  }
}

const nodes: Check = (value, path, visit) => {
  if (!Array.isArray(value) || value.length === 0)
    return void visit.faults.push({ path, detail: 'must be a list of schemas' })
  for (const [index, schema] of value.entries()) checkNode(schema, [...path, index], visit)
}

function mapOf(check: Check): Check {
  return (value, path, visit) => {
    if (!isObject(value)) return void visit.faults.push({ path, detail: 'must be an object' })
    for (const [name, member] of Object.entries(value)) check(member, [...path, name], visit)
  }
}

const isTexts = (value: unknown): boolean => Array.isArray(value) && value.every((item) => typeof item === 'string')
const isCount = (value: unknown): boolean => Number.isInteger(value) && Number(value) >= 0
const isType = (value: unknown): boolean => typeof value === 'string' && types.includes(value)

const text = must((value) => typeof value === 'string', 'must be text')
const texts = must(isTexts, 'must be a list of names')
const flag = must((value) => typeof value === 'boolean', 'must be true or false')
const count = must(isCount, 'must be a whole number, 0 or more')
const number = must((value) => typeof value === 'number', 'must be a number')
const list = must(Array.isArray, 'must be a list')

const pattern: Check = (value, path, { faults }) => {
  try {
    if (typeof value === 'string') void new RegExp(value, 'u')
    else faults.push({ path, detail: 'must be a regular expression, as text' })
  } catch (error) {
    faults.push({ path, detail: `is no regular expression: ${error instanceof Error ? error.message : String(error)}` })
  }
}

const limit: Check = (value, path, visit) => (visit.isDraft4 ? flag : number)(value, path, visit)

const items: Check = (value, path, visit) => {
  if (Array.isArray(value)) for (const [index, schema] of value.entries()) checkNode(schema, [...path, index], visit)
  else checkNode(value, path, visit)
}

const patternProperties: Check = (value, path, visit) => {
  mapOf(checkNode)(value, path, visit)
  if (isObject(value)) for (const name of Object.keys(value)) pattern(name, [...path, name], visit)
}

const dependency: Check = (value, path, visit) => (Array.isArray(value) ? texts : checkNode)(value, path, visit)

const type = must(
  (value) => isType(value) || (Array.isArray(value) && value.length > 0 && value.every(isType)),
  `must be one of ${types.join(', ')}, or a list of them`,
)

const keywords: Readonly<Record<string, Check>> = {
  ...Object.fromEntries(
    ['additionalProperties', 'unevaluatedProperties', 'propertyNames', 'not', 'if', 'then', 'else', 'contains']
      .concat(['additionalItems', 'unevaluatedItems'])
      .map((name) => [name, checkNode]),
  ),
  ...Object.fromEntries(['allOf', 'anyOf', 'oneOf', 'prefixItems'].map((name) => [name, nodes])),
  ...Object.fromEntries(
    ['$defs', 'definitions', 'properties', 'dependentSchemas'].map((name) => [name, mapOf(checkNode)]),
  ),
  ...Object.fromEntries(
    [
      'minLength',
      'maxLength',
      'minItems',
      'maxItems',
      'minProperties',
      'maxProperties',
      'minContains',
      'maxContains',
    ].map((name) => [name, count]),
  ),
  ...Object.fromEntries(
    ['$ref', '$id', 'id', '$schema', '$anchor', '$comment', 'title', 'description', 'format'].map((name) => [
      name,
      text,
    ]),
  ),
  items,
  patternProperties,
  dependencies: mapOf(dependency),
  dependentRequired: mapOf(texts),
  minimum: number,
  maximum: number,
  exclusiveMinimum: limit,
  exclusiveMaximum: limit,
  multipleOf: must((value) => typeof value === 'number' && value > 0, 'must be a number above 0'),
  pattern,
  uniqueItems: flag,
  required: texts,
  type,
  enum: must((value) => Array.isArray(value) && value.length > 0, 'must be a list with at least one value'),
  examples: list,
  // The validator would pass over it, and let everything through.
  $dynamicRef: must(() => false, 'is not supported; write $ref'),
}
