import { Ajv, type ErrorObject, type ValidateFunction } from 'ajv'
import { isObject, toPointer, type JsonObject, type Note, type Reporter } from './report.ts'

/** Keywords that real configurations use beside those of JSON Schema draft 7: they are for forms. */
const vocabulary = ['label', 'help_text', 'x-autohive-input', 'placeholder']
/** Named, never asserted: that is how configurations have been written and tested. */
const formats = ['date', 'date-time', 'email', 'file', 'password', 'text', 'time', 'uri', 'url', 'uuid']

/** Checks a value; answers every fault in one text, or undefined. */
export type Check = (value: unknown) => string | undefined

/**
 * Strict enough to find a keyword that is misspelt, and open enough for union types and formats on objects, which real
 * configurations have.
 */
function createAjv(): Ajv {
  const ajv = new Ajv({ allErrors: true, strictTypes: false, strictTuples: false, addUsedSchema: false, logger: false })
  for (const keyword of vocabulary) ajv.addKeyword(keyword)
  for (const format of formats) ajv.addFormat(format, true)
  return ajv
}

const ajv = createAjv()
const compiled = new WeakMap<JsonObject, ValidateFunction>()

/** Compiled once for each schema object. @throws Error if the schema is none; `readSchema` finds that at load */
export function toCheck(schema: JsonObject): Check {
  return (value) => {
    const validate = compile(schema)
    return validate(value) ? undefined : toMessage(validate.errors ?? [])
  }
}

function compile(schema: JsonObject): ValidateFunction {
  const known = compiled.get(schema)
  if (known) return known
  const validate = ajv.compile(schema)
  compiled.set(schema, validate)
  return validate
}

/**
 * What is wrong with a value, each fault beside the member that it is about; a member that is missing has the pointer at which it
 * would stand. Says nothing of the values themselves.
 *
 * @throws Error if the schema is none
 */
export function findFaults(schema: JsonObject, value: unknown): Note[] {
  const validate = compile(schema)
  if (validate(value)) return []
  return (validate.errors ?? []).map((error) => {
    const missing: unknown = error.params['missingProperty']
    if (typeof missing === 'string') return { pointer: error.instancePath + toPointer(missing), detail: 'is missing' }
    return { pointer: error.instancePath, detail: describe(error) }
  })
}

function toMessage(errors: readonly ErrorObject[]): string {
  return errors
    .toSorted((left, right) => left.instancePath.localeCompare(right.instancePath))
    .map((error) => `${error.instancePath || '(the whole)'} ${describe(error)}`)
    .join('; ')
}

function describe({ message, params }: ErrorObject): string {
  const name = 'additionalProperty' in params ? ` (${String(params['additionalProperty'])})` : ''
  const allowed = 'allowedValues' in params ? `: ${JSON.stringify(params['allowedValues'])}` : ''
  return `${message ?? 'is wrong'}${name}${allowed}`
}

/**
 * A schema that can be compiled, or undefined. What keeps one from compiling is taken out and reported: a boolean `required`,
 * a keyword or format that nobody knows, a pattern that is none.
 */
export function readSchema(value: unknown, pointer: string, reporter: Reporter): JsonObject | undefined {
  if (!isObject(value)) {
    reporter.error(pointer, 'must be a JSON Schema, an object')
    return undefined
  }
  const schema = mend(value, pointer, reporter)
  try {
    ajv.compile(schema)
    return schema
  } catch (error) {
    reporter.error(pointer, `is no JSON Schema (draft 7): ${error instanceof Error ? error.message : String(error)}`)
    return undefined
  }
}

const schemaMaps = ['properties', 'patternProperties', 'definitions', '$defs']
const schemaLists = ['oneOf', 'anyOf', 'allOf']
const subSchemas = [
  'items',
  'additionalProperties',
  'additionalItems',
  'contains',
  'propertyNames',
  'not',
  'if',
  'then',
  'else',
]

function mend(schema: JsonObject, pointer: string, reporter: Reporter): JsonObject {
  const mended: JsonObject = {}
  for (const [keyword, value] of Object.entries(schema)) {
    const at = pointer + toPointer(keyword)
    const kept = mendKeyword({ keyword, value, at }, reporter)
    if (kept !== undefined) mended[keyword] = kept
  }
  const required = requiredOfProperties(schema)
  if (required.length > 0) mended['required'] = [...new Set([...toList(mended['required']), ...required])]
  return mended
}

type Keyword = { readonly keyword: string; readonly value: unknown; readonly at: string }

function mendKeyword({ keyword, value, at }: Keyword, reporter: Reporter): unknown {
  if (schemaMaps.includes(keyword) && isObject(value))
    return mapEntries(value, (part, name) => mendPart(part, at + toPointer(name), reporter))
  if (schemaLists.includes(keyword) && Array.isArray(value))
    return value.map((part, index) => mendPart(part, at + toPointer(index), reporter))
  if (keyword === 'items' && Array.isArray(value))
    return value.map((part, index) => mendPart(part, at + toPointer(index), reporter))
  if (subSchemas.includes(keyword)) return mendPart(value, at, reporter)
  if (keyword === 'required' && typeof value === 'boolean') {
    reporter.repair(
      at,
      `true or false says nothing here; ${value ? 'the name was added to the "required" of the object around it' : 'removed'}`,
    )
    return undefined
  }
  if (keyword === 'format' && !(typeof value === 'string' && formats.includes(value))) {
    reporter.repair(at, `unknown format ${JSON.stringify(value)} removed; known are ${formats.join(', ')}`)
    return undefined
  }
  if (keyword === 'pattern' && !isPattern(value)) {
    reporter.repair(at, 'is no regular expression; removed')
    return undefined
  }
  if (ajv.getKeyword(keyword) !== false || unlisted.has(keyword)) return value
  reporter.repair(at, `unknown keyword removed${suggest(keyword)}`)
  return undefined
}

/** Keywords that are good although Ajv does not list them: those without effect, and our vocabulary. */
const unlisted: ReadonlySet<string> = new Set([
  ...vocabulary,
  '$schema',
  '$id',
  '$comment',
  'title',
  'description',
  'default',
  'examples',
  'readOnly',
  'writeOnly',
  'if',
  'then',
  'else',
  'nullable',
  'definitions',
  '$defs',
  'contentMediaType',
  'contentEncoding',
])

const mendPart = (part: unknown, pointer: string, reporter: Reporter): unknown =>
  isObject(part) ? mend(part, pointer, reporter) : part

function mapEntries(value: JsonObject, change: (part: unknown, name: string) => unknown): JsonObject {
  return Object.fromEntries(Object.entries(value).map(([name, part]) => [name, change(part, name)]))
}

/** Names whose own schema says `required: true`, as drafts before 4 wrote it. */
function requiredOfProperties({ properties }: JsonObject): string[] {
  if (!isObject(properties)) return []
  return Object.entries(properties).flatMap(([name, part]) =>
    isObject(part) && part['required'] === true ? [name] : [],
  )
}

const toList = (value: unknown): unknown[] => (Array.isArray(value) ? value : [])

function isPattern(value: unknown): boolean {
  try {
    return typeof value === 'string' && new RegExp(value, 'u') instanceof RegExp
  } catch {
    return false
  }
}

const known = [
  'type',
  'properties',
  'required',
  'items',
  'description',
  'default',
  'enum',
  'minimum',
  'maximum',
  'format',
  'additionalProperties',
  'oneOf',
  'anyOf',
  'allOf',
  'minItems',
  'maxItems',
  'pattern',
  'minLength',
  'maxLength',
  'minProperties',
  'maxProperties',
  'uniqueItems',
  'const',
  'title',
  ...vocabulary,
]

/** The keyword that was most likely meant: one edit away, or different in case only. */
function suggest(keyword: string): string {
  const plain = keyword.toLowerCase()
  const near = known.find((name) => name.toLowerCase() === plain || isOneEdit(name.toLowerCase(), plain))
  return near === undefined ? '' : `; "${near}" was meant?`
}

function isOneEdit(left: string, right: string): boolean {
  const [short, long] = left.length <= right.length ? [left, right] : [right, left]
  if (long.length - short.length > 1) return false
  let at = 0
  while (at < short.length && short[at] === long[at]) at += 1
  return short.slice(long.length === short.length ? at + 1 : at) === long.slice(at + 1)
}
