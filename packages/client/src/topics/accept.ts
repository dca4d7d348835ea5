import { format, ucs2length } from '@cfworker/json-schema'
import { isObject } from './check-schema.ts'

/** True for data that its schema lets through. False says nothing: the validator decides, and tells the faults. */
export type Accept = (data: unknown) => boolean

type Maker = (value: never) => Accept
type Schema = Readonly<Record<string, unknown>>

/** Keywords that refuse nothing; what nobody knows is a note, too, but is left to the validator. */
const notes: ReadonlySet<string> = new Set(
  ['$schema', '$id', '$comment', '$defs', 'definitions', 'title', 'description', 'default', 'examples'].concat([
    'readOnly',
    'writeOnly',
    'deprecated',
    'additionalProperties',
    'type',
    'required',
    'properties',
  ]),
)

const isText = (data: unknown): data is string => typeof data === 'string'
const isNumber = (data: unknown): data is number => typeof data === 'number'
const isInteger = (data: unknown): boolean => Number.isInteger(data)
const isNull = (data: unknown): boolean => data === null
const isFlag = (data: unknown): boolean => typeof data === 'boolean'

const types: Readonly<Record<string, Accept>> = {
  object: isObject,
  array: Array.isArray,
  string: isText,
  number: isNumber,
  integer: isInteger,
  boolean: isFlag,
  null: isNull,
}

const makers: Readonly<Record<string, Maker>> = {
  enum: (values: readonly unknown[]) => (data) => values.includes(data),
  const: (value: unknown) => (data) => data === value,
  minimum: (least: number) => (data) => !isNumber(data) || data >= least,
  maximum: (most: number) => (data) => !isNumber(data) || data <= most,
  exclusiveMinimum: (below: number) => (data) => !isNumber(data) || data > below,
  exclusiveMaximum: (above: number) => (data) => !isNumber(data) || data < above,
  minLength: (least: number) => (data) => !isText(data) || ucs2length(data) >= least,
  maxLength: (most: number) => (data) => !isText(data) || ucs2length(data) <= most,
  minItems: (least: number) => (data) => !Array.isArray(data) || data.length >= least,
  maxItems: (most: number) => (data) => !Array.isArray(data) || data.length <= most,
  pattern: (source: string) => {
    const expression = new RegExp(source, 'u')
    return (data) => !isText(data) || expression.test(data)
  },
  format: (name: string) => {
    const check = Object.hasOwn(format, name) ? format[name] : undefined
    return (data) => !check || !isText(data) || check(data)
  },
}

/**
 * A quick look for the data of everyday: the validator writes down where it is at every step, which takes ten times as long,
 * and is of use only for faults. Closures over the schema, no code made of text.
 *
 * @param schema one that has been checked, and is not of draft 4
 * @returns undefined for a schema with a keyword that is not known here
 */
export function toAccept(schema: unknown): Accept | undefined {
  if (typeof schema === 'boolean') return () => schema
  if (!isObject(schema)) return undefined
  const checks: Accept[] = []
  for (const [keyword, value] of Object.entries(schema)) {
    if (notes.has(keyword)) continue
    const check = keyword === 'items' ? toItems(value) : makeCheck(keyword, value)
    if (!check) return undefined
    checks.push(check)
  }
  if (schema['type'] !== undefined) checks.unshift(toType(schema['type']))
  const members = toMembers(schema)
  if (!members) return undefined
  checks.push(...members)
  return (data) => checks.every((accepts) => accepts(data))
}

function makeCheck(keyword: string, value: unknown): Accept | undefined {
  return Object.hasOwn(makers, keyword) ? makers[keyword]?.(value as never) : undefined // of the kind that was checked
}

function toType(type: unknown): Accept {
  const accepted = [type].flat().map((name) => types[String(name)] ?? (() => false))
  const only = accepted.length === 1 ? accepted.at(0) : undefined
  return only ?? ((data) => accepted.some((accepts) => accepts(data)))
}

function toItems(schema: unknown): Accept | undefined {
  const item = toAccept(schema)
  return item && ((data) => !Array.isArray(data) || data.every(item))
}

function toMembers(schema: Schema): Accept[] | undefined {
  const { required = [], properties = {}, additionalProperties: others = true } = schema
  const names = required as readonly string[] // checked
  const checks: Accept[] =
    names.length === 0 ? [] : [(data) => !isObject(data) || names.every((name) => Object.hasOwn(data, name))]
  const members = new Map<string, Accept>()
  for (const [name, member] of Object.entries(properties as Schema)) {
    const accepts = toAccept(member)
    if (!accepts) return undefined
    members.set(name, accepts)
  }
  const other = toAccept(others)
  if (!other) return undefined
  if (members.size > 0 || others !== true) checks.push(toEach(members, other))
  return checks
}

function toEach(members: ReadonlyMap<string, Accept>, other: Accept): Accept {
  return (data) => {
    if (!isObject(data)) return true
    for (const name of Object.keys(data)) {
      if (!(members.get(name) ?? other)(data[name])) return false
    }
    return true
  }
}
