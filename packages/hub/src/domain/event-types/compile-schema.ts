import { Script, createContext } from 'node:vm'
import { escapePointer, type Fault } from '@sluice/protocol'
import { Ajv, type AnySchemaObject, type ErrorObject, type Format, type Options, type ValidateFunction } from 'ajv'
import { fullFormats } from 'ajv-formats/dist/formats.js'
import { Ajv2020 } from 'ajv/dist/2020.js'
import { isObject } from '../json-text.ts'
import { cpuMs } from './check-time.ts'
import { checkSchema, draftOf, type Draft } from './check-schema.ts'
import { compilePattern } from './patterns.ts'
import type { Schema } from './subschemas.ts'

/** Asks a payload. @param size characters of the event; answers what is wrong, with pointers into the event, at most 100 */
export type Validator = (payload: unknown, size: number) => Fault[]

const maxFaults = 100

/**
 * What is wrong with a schema: what its meta-schema says, what we do not take (`checkSchema`), and what cannot be compiled.
 * Pointers into the schema; empty if it can be used.
 */
export function findSchemaFaults(schema: Schema): Fault[] {
  const { faults } = checkSchema(schema)
  if (faults.length > 0) return faults
  const wrong = metaFaults(schema)
  if (wrong.length > 0) return wrong
  try {
    compile(schema)
    return []
  } catch (error) {
    return [{ pointer: '', detail: error instanceof Error ? error.message : String(error) }]
  }
}

/**
 * A validator for a schema that `findSchemaFaults` has nothing against. Under a time limit, unless schema and event are so small that they
 * need none.
 *
 * @throws Error if it cannot be compiled
 */
export function compileSchema(schema: Schema): Validator {
  const { faults, work } = checkSchema(schema)
  // An export that was made up may hold what was never saved.
  if (faults[0]) throw new Error(`${faults[0].pointer} ${faults[0].detail}`)
  const validate = compile(schema)
  return (payload, size) => {
    const limitMs = leastMs + Math.ceil(size / charactersInMs)
    const passes = work * size > smallWork ? validateInTime(validate, payload, limitMs) : validate(payload)
    if (passes === undefined) return [{ pointer: '/payload', detail: `takes longer than ${limitMs} ms to check` }]
    return passes ? [] : toFaults(validate.errors ?? [])
  }
}

/**
 * Things that are asked of the payload, times its characters: about 25 ns for each at worst, 5 ms in all. The time limit costs
 * 0.2 ms.
 */
const smallWork = 200_000
/** CPU time: others wait. What would not take for ever is through in a tenth of it. */
const leastMs = 50
const charactersInMs = 2048
/** Of the clock on the wall, one after the other: on a busy machine the first may pass without this process having run. */
const wallTimes = [1, 2, 4]

/** One for all schemas: a context takes half a megabyte. */
const guard: { validate: ValidateFunction | null; payload: unknown; passes: boolean } = {
  validate: null,
  payload: null,
  passes: false,
}
let script: Script | undefined

/** Answers undefined where the time was up. */
function validateInTime(validate: ValidateFunction, payload: unknown, limitMs: number): boolean | undefined {
  const began = cpuMs()
  Object.assign(guard, { validate, payload })
  try {
    for (const times of wallTimes) {
      const passes = runGuarded(limitMs * times)
      if (passes !== undefined) return passes
      // The watchdog may be a little early.
      if (cpuMs() - began >= limitMs * 0.8) return undefined
    }
    return undefined
  } catch (error) {
    if (isTooDeep(error)) return undefined
    throw error
  } finally {
    Object.assign(guard, { validate: null, payload: null })
  }
}

function runGuarded(timeout: number): boolean | undefined {
  if (!script) {
    createContext(guard)
    script = new Script('passes = validate(payload)')
  }
  try {
    script.runInContext(guard, { timeout })
    return guard.passes
  } catch (error) {
    if (isObject(error) && error['code'] === 'ERR_SCRIPT_EXECUTION_TIMEOUT') return undefined
    throw error
  }
}

/** A deep recursion ends by itself. */
const isTooDeep = (error: unknown): boolean =>
  error instanceof RangeError || (isObject(error) && error['name'] === 'RangeError')

/** With every fault at once, which also keeps the code flat: stopping at the first nests it as deep as the schema is long. */
const options: Options = {
  allErrors: true,
  strict: false,
  meta: false,
  validateSchema: false,
  inlineRefs: false,
  ownProperties: true,
  // 19.99 is a multiple of 0.01.
  multipleOfPrecision: 9,
  logger: false,
  formats: boundFormats(),
  code: {
    optimize: false,
    regExp: Object.assign((pattern: string) => compilePattern(pattern), { code: 'compilePattern' }),
  },
}

const engines: Readonly<Record<Draft, typeof Ajv | typeof Ajv2020>> = { '2020-12': Ajv2020, 'draft-07': Ajv }

const compilers = new Map<Draft, Ajv | Ajv2020>()

/** One for each draft: making one takes longer than compiling a small schema. */
function compilerOf(draft: Draft): Ajv | Ajv2020 {
  const known = compilers.get(draft)
  if (known) return known
  const compiler = new engines[draft](options)
  compiler.removeKeyword('uniqueItems')
  compiler.addKeyword({ keyword: 'uniqueItems', type: 'array', validate: areUnique })
  compilers.set(draft, compiler)
  return compiler
}

/** The compiler is to keep nothing of a schema: names of two must not meet, and memory is to follow those that are in use. */
function compile(schema: Schema): ValidateFunction {
  const compiler = compilerOf(draftOf(schema) ?? '2020-12')
  const { $schema: _draft, $id: _name, ...content } = schema
  try {
    return compiler.compile(content as AnySchemaObject)
  } finally {
    compiler.removeSchema(content as AnySchemaObject)
    delete compiler.refs['']
  }
}

/** By their texts: comparing each with each takes hours for a large array. */
function areUnique(wanted: unknown, items: readonly unknown[]): boolean {
  return wanted !== true || new Set(items.map(toSortedText)).size === items.length
}

function toSortedText(value: unknown): string {
  return JSON.stringify(value, (_name, member: unknown) =>
    isObject(member) ? Object.fromEntries(Object.entries(member).toSorted(([a], [b]) => (a < b ? -1 : 1))) : member,
  )
}

/** Expressions of formats may take quadratic time: no address or time is that long. */
function boundFormats(): Record<string, Format> {
  const free = new Set(['byte', 'binary', 'password'])
  const bounded = Object.entries(fullFormats).map(([name, format]) => [
    name,
    free.has(name) ? format : bound(format as Format),
  ])
  return Object.fromEntries(bounded)
}

const maxFormatted = 4096

function bound(format: Format): Format {
  if (typeof format === 'function') return (text: string) => text.length <= maxFormatted && format(text) === true
  if (format instanceof RegExp) return (text: string) => text.length <= maxFormatted && format.test(text)
  if (typeof format === 'object' && typeof format.validate === 'function' && format.type !== 'number') {
    const validate = format.validate as (text: string) => boolean
    return (text: string) => text.length <= maxFormatted && validate(text)
  }
  return format
}

const metaSchemas: Readonly<Record<Draft, string>> = {
  '2020-12': 'https://json-schema.org/draft/2020-12/schema',
  'draft-07': 'http://json-schema.org/draft-07/schema',
}
const judges = new Map<Draft, ValidateFunction>()

/** Compiled once, at the first schema that is saved. */
function judgeOf(draft: Draft): ValidateFunction {
  const known = judges.get(draft)
  if (known) return known
  const judge = new engines[draft]({ allErrors: true, strict: false, logger: false }).getSchema(metaSchemas[draft])
  if (!judge) throw new Error(`there is no meta-schema for ${draft}`)
  judges.set(draft, judge)
  return judge
}

function metaFaults(schema: Schema): Fault[] {
  const draft = draftOf(schema) ?? '2020-12'
  const judge = judgeOf(draft)
  if (judge(schema)) return []
  const hint = schema['$schema'] === undefined ? ` (read as draft ${draft}; "$schema" can name draft 7)` : ''
  // One mistake is said several times, by each schema that the meta-schema is made of.
  const details = new Map<string, Set<string>>()
  for (const { instancePath, keyword, message = 'is wrong' } of judge.errors ?? []) {
    const known = details.get(instancePath) ?? new Set()
    details.set(instancePath, known)
    if (keyword !== 'anyOf') known.add(message)
  }
  const faults = [...details].map(([pointer, words]) => ({ pointer, detail: [...words].join(', or ') + hint }))
  return faults.slice(0, maxFaults)
}

function toFaults(errors: readonly ErrorObject[]): Fault[] {
  const faults = errors.slice(0, maxFaults).map(toFault)
  const more = errors.length - faults.length
  return more > 0 ? [...faults, { pointer: '', detail: `and ${more} more faults` }] : faults
}

function toFault({ keyword, instancePath, params, message = 'is wrong' }: ErrorObject): Fault {
  const pointer = `/payload${instancePath}`
  const at = (name: unknown): string => `${pointer}/${escapePointer(String(name))}`
  switch (keyword) {
    case 'required':
      return { pointer: at(params['missingProperty']), detail: 'is required' }
    case 'additionalProperties':
      return { pointer: at(params['additionalProperty']), detail: 'is not among the members that the schema allows' }
    case 'unevaluatedProperties':
      return { pointer: at(params['unevaluatedProperty']), detail: 'is not among the members that the schema allows' }
    case 'enum':
      return { pointer, detail: `must be one of ${print(params['allowedValues'])}` }
    case 'const':
      return { pointer, detail: `must be ${print(params['allowedValue'])}` }
    case 'uniqueItems':
      return { pointer, detail: 'must not hold equal items' }
    default:
      return { pointer, detail: message }
  }
}

const print = (value: unknown): string => {
  const text = JSON.stringify(value)
  return text.length > 200 ? `${text.slice(0, 200)}…` : text
}
