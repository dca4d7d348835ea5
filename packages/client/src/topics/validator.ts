import { dereference, Validator, type OutputUnit, type Schema, type SchemaDraft } from '@cfworker/json-schema'
import type { Fault } from '@sluice/protocol'
import { toAccept } from './accept.ts'
import { checkSchema, isObject, type Reference, type SchemaFault } from './check-schema.ts'

/** Every fault of data that has been through JSON; none if it is good. */
export type Validate = (data: unknown) => readonly Fault[]

/**
 * A validator that interprets the schema: no code is made from it, so it runs under any content security policy. Formats
 * are enforced.
 *
 * @returns what is wrong with the schema, instead of a validator
 */
export function compileSchema(schema: unknown): Validate | readonly SchemaFault[] {
  const { faults, references } = checkSchema(schema)
  if (faults.length > 0) return faults
  if (schema === true) return () => []
  if (schema === false) return [{ path: [], detail: 'must allow some data' }]
  try {
    // A copy, because addresses are written into it.
    return compile(structuredClone(schema) as Schema, references) // checked above
  } catch (error) {
    return [{ path: [], detail: `cannot be applied: ${error instanceof Error ? error.message : String(error)}` }]
  }
}

function compile(schema: Schema, references: readonly Reference[]): Validate | readonly SchemaFault[] {
  const draft = toDraft(schema.$schema)
  if (draft === undefined) return [{ path: ['$schema'], detail: 'must name draft 4, 7, 2019-09 or 2020-12' }]
  const validator = new Validator(schema, draft, false)
  const unresolved = checkReferences(schema, references)
  if (unresolved.length > 0) return unresolved
  // Throws for references that go round for ever.
  validator.validate({})
  const accepts = draft === '4' ? undefined : toAccept(schema)
  return (data) => {
    if (accepts?.(data)) return []
    try {
      const { valid, errors } = validator.validate(data)
      return valid ? [] : toFaults(errors)
    } catch (error) {
      // A schema that refers to itself may need more stack than there is.
      return [{ pointer: '', detail: `cannot be checked: ${error instanceof Error ? error.message : String(error)}` }]
    }
  }
}

function toDraft(uri = 'https://json-schema.org/draft/2020-12/schema'): SchemaDraft | undefined {
  const [, draft] = /\/\/json-schema\.org\/(?:draft-0|draft\/)([\d-]+)\/schema#?$/.exec(uri) ?? []
  return (['4', '7', '2019-09', '2020-12'] as const).find((known) => known === draft)
}

/** References lead to places in the same schema: nothing is fetched. */
function checkReferences(schema: Schema, references: readonly Reference[]): SchemaFault[] {
  const places = dereference(schema)
  return references.flatMap(({ node, path }) => {
    const copied = path.reduce<unknown>((at, key) => (at as Record<string | number, unknown>)[key], schema) // the same path
    const target = isObject(copied) ? copied['__absolute_ref__'] : undefined
    if (typeof target === 'string' && places[target] !== undefined) return []
    return [{ path: [...path, '$ref'], detail: `${JSON.stringify(node['$ref'])} leads nowhere in this schema` }]
  })
}

/** These only say that something under them is wrong, which says it better itself. */
const parents: ReadonlySet<string> = new Set(
  ['properties', 'patternProperties', 'additionalProperties', 'unevaluatedProperties', 'propertyNames', 'items'].concat(
    ['prefixItems', 'additionalItems', 'unevaluatedItems', '$ref', '$recursiveRef', 'allOf', 'then', 'else'],
  ),
)

function toFaults(errors: readonly OutputUnit[]): Fault[] {
  const told = errors.filter(({ keyword }) => !parents.has(keyword))
  const faults = (told.length > 0 ? told : errors).map(({ instanceLocation, keyword, error }) => ({
    pointer: decodeURI(instanceLocation.slice(1)).replaceAll('%23', '#'),
    detail: keyword === 'false' ? 'is not allowed' : toDetail(error),
  }))
  const seen = new Set<string>()
  return faults.filter(({ pointer, detail }) => {
    const key = `${pointer} ${detail}`
    return !seen.has(key) && seen.add(key)
  })
}

function toDetail(error: string): string {
  // Numbers of the data stand at the beginning.
  const words = error.replace(/^(Instance|String|Array|-?[\d.e+-]+) /, '').replace(/\.$/, '')
  return words.charAt(0).toLowerCase() + words.slice(1)
}
