import { isDeepStrictEqual } from 'node:util'
import type { Fault } from '@sluice/protocol'
import { isObject } from '../json-text.ts'
import { toToken, type Schema } from './subschemas.ts'

/**
 * Where a new schema refuses payloads that the old one took: a member that has become required, a narrower type, a value that
 * has gone. Pointers into the new schema (into the old one for what is gone). A new optional member is no narrowing, although somebody may have sent something
 * else under its name. What cannot be decided (a changed pattern, `not`, `if`, alternatives of alternatives by the thousand) counts as
 * narrower.
 *
 * @example findIncompatibilities({}, { required: ['id'] }) // [{ pointer: '/required', detail: '"id" has become required' }]
 */
export function findIncompatibilities(before: Schema, after: Schema): Fault[] {
  const faults = new Map<string, Fault>()
  const add = (pointer: string, detail: string): void => void faults.set(`${pointer} ${detail}`, { pointer, detail })
  const budget = { left: maxComparisons }
  compare({ before, after, pointer: '' }, { roots: { before, after }, seen: new Set(), budget, add })
  if (budget.left < 0) add('', 'is too large to be compared with the one before')
  return [...faults.values()]
}

/** Each alternative is compared with each, at every depth. */
const maxComparisons = 20_000

type Pair = { readonly before: unknown; readonly after: unknown; readonly pointer: string }
type Comparing = {
  readonly roots: { readonly before: Schema; readonly after: Schema }
  /** pairs of references that were followed */
  readonly seen: Set<string>
  readonly budget: { left: number }
  readonly add: (pointer: string, detail: string) => void
}

function compare(pair: Pair, comparing: Comparing): void {
  comparing.budget.left -= 1
  if (comparing.budget.left < 0) return
  const { before, after, pointer } = follow(pair, comparing) ?? {}
  if (pointer === undefined || before === false || after === true || isDeepStrictEqual(before, after)) return
  if (after === false) return comparing.add(pointer, 'takes nothing any more')
  if (!isObject(after)) return
  const old = isObject(before) ? before : {}
  const both: Both = { old, now: after, pointer }
  for (const rule of rules) rule(both, comparing)
}

/** Both with their `$ref`s followed; undefined where this pair was compared before. */
function follow({ before, after, pointer }: Pair, { roots, seen }: Comparing): Pair | undefined {
  const [left, right] = [referenceOf(before), referenceOf(after)]
  if (left === undefined && right === undefined) return { before, after, pointer }
  const name = JSON.stringify([left ?? pointer, right ?? pointer])
  if (seen.has(name)) return undefined
  seen.add(name)
  return {
    before: left === undefined ? before : merge(before, roots.before, left),
    after: right === undefined ? after : merge(after, roots.after, right),
    pointer,
  }
}

const referenceOf = (schema: unknown): string | undefined =>
  isObject(schema) && typeof schema['$ref'] === 'string' ? schema['$ref'] : undefined

/** What stands beside a reference holds as well; where both say something, the nearer one is looked at. */
function merge(schema: unknown, root: Schema, reference: string): unknown {
  const tokens = decodeURIComponent(reference.slice(1)).split('/').slice(1)
  const target = tokens
    .map((token) => token.replaceAll('~1', '/').replaceAll('~0', '~'))
    .reduce<unknown>((at, token) => (isObject(at) || Array.isArray(at) ? Reflect.get(at, token) : undefined), root)
  if (!isObject(target)) return target
  const { $ref: _reference, ...beside } = isObject(schema) ? schema : {}
  return { ...target, ...beside }
}

type Both = { readonly old: Schema; readonly now: Schema; readonly pointer: string }
type Rule = (both: Both, comparing: Comparing) => void

const print = (value: unknown): string => JSON.stringify(value)

const typesOf = ({ type }: Schema): readonly unknown[] | undefined =>
  type === undefined ? undefined : Array.isArray(type) ? type : [type]

const compareTypes: Rule = ({ old, now, pointer }, { add }) => {
  const [were, are] = [typesOf(old), typesOf(now)]
  if (!are) return
  if (!were) {
    const values = valuesOf(old)
    if (!values) return add(`${pointer}/type`, `now takes ${are.join(' or ')} only`)
    for (const value of values)
      if (!are.some((type) => isOfType(value, type))) add(`${pointer}/type`, `no longer takes ${print(value)}`)
    return
  }
  const gone = were.filter((type) => !are.includes(type) && !(type === 'integer' && are.includes('number')))
  for (const type of gone) {
    const rest = type === 'number' && are.includes('integer') ? 'numbers that are no integers' : String(type)
    add(`${pointer}/type`, `no longer takes ${rest}`)
  }
}

function isOfType(value: unknown, type: unknown): boolean {
  if (type === 'integer') return Number.isInteger(value)
  if (type === 'null' || value === null) return type === 'null' && value === null
  if (type === 'array' || Array.isArray(value)) return type === 'array' && Array.isArray(value)
  return typeof value === type
}

/** The values that `const` and `enum` leave. */
function valuesOf(schema: Schema): readonly unknown[] | undefined {
  if (Object.hasOwn(schema, 'const')) return [schema['const']]
  return Array.isArray(schema['enum']) ? schema['enum'] : undefined
}

const compareValues: Rule = ({ old, now, pointer }, { add }) => {
  const [were, are] = [valuesOf(old), valuesOf(now)]
  if (!are) return
  const at = `${pointer}/${Object.hasOwn(now, 'const') ? 'const' : 'enum'}`
  if (!were) return add(at, `now takes ${are.length === 1 ? print(are[0]) : 'the listed values'} only`)
  for (const value of were)
    if (!are.some((other) => isDeepStrictEqual(other, value))) add(at, `no longer takes ${print(value)}`)
}

const namesIn = (value: unknown): readonly string[] =>
  Array.isArray(value) ? value.filter((name): name is string => typeof name === 'string') : []

const compareRequired: Rule = ({ old, now, pointer }, { add }) => {
  const were = new Set(namesIn(old['required']))
  for (const name of namesIn(now['required']))
    if (!were.has(name)) add(`${pointer}/required`, `${print(name)} has become required`)
}

const membersIn = (value: unknown): Schema => (isObject(value) ? value : {})

const compareMembers: Rule = ({ old, now, pointer }, comparing) => {
  const [were, are] = [membersIn(old['properties']), membersIn(now['properties'])]
  const rest = now['additionalProperties'] ?? now['unevaluatedProperties']
  for (const [name, before] of Object.entries(were)) {
    const at = `${pointer}/properties/${toToken(name)}`
    if (Object.hasOwn(are, name)) compare({ before, after: are[name], pointer: at }, comparing)
    else if (before === false || isCovered(name, now)) continue
    else if (rest === false) comparing.add(at, `${print(name)} has gone, and other members are refused`)
    else if (isObject(rest)) compare({ before, after: rest, pointer: `${pointer}/additionalProperties` }, comparing)
  }
}

/** A pattern may take the place of a member; which ones it fits is not looked at. */
const isCovered = (_name: string, now: Schema): boolean => Object.keys(membersIn(now['patternProperties'])).length > 0

const compareRest: Rule = ({ old, now, pointer }, comparing) => {
  for (const keyword of ['additionalProperties', 'unevaluatedProperties', 'additionalItems', 'unevaluatedItems']) {
    const [before = true, after] = [old[keyword], now[keyword]]
    if (after === undefined || after === true) continue
    const at = `${pointer}/${keyword}`
    if (after !== false) compare({ before, after, pointer: at }, comparing)
    else if (before !== false)
      comparing.add(at, keyword.endsWith('Items') ? 'further items are now refused' : 'other members are now refused')
  }
}

const compareItems: Rule = ({ old, now, pointer }, comparing) => {
  for (const keyword of ['items', 'prefixItems']) {
    const [before, after] = [old[keyword], now[keyword]]
    if (!Array.isArray(after)) {
      if (after === undefined) continue
      const parts = Array.isArray(before) ? before : [before ?? true]
      for (const part of parts) compare({ before: part, after, pointer: `${pointer}/${keyword}` }, comparing)
      continue
    }
    for (const [index, item] of after.entries()) {
      const was: unknown = Array.isArray(before) ? (before[index] ?? true) : (before ?? true)
      compare({ before: was, after: item, pointer: `${pointer}/${keyword}/${index}` }, comparing)
    }
  }
}

const lower = ['minimum', 'exclusiveMinimum', 'minLength', 'minItems', 'minProperties', 'minContains']
const upper = ['maximum', 'exclusiveMaximum', 'maxLength', 'maxItems', 'maxProperties', 'maxContains']

const compareBounds: Rule = ({ old, now, pointer }, { add }) => {
  for (const keyword of [...lower, ...upper]) {
    const [was, is] = [old[keyword], now[keyword]]
    if (typeof is !== 'number') continue
    const isLower = lower.includes(keyword)
    if (typeof was !== 'number') {
      // These hold anyway.
      if (!(is === 0 && keyword.startsWith('min') && keyword !== 'minimum'))
        add(`${pointer}/${keyword}`, `is now ${is}`)
    } else if (isLower ? is > was : is < was) add(`${pointer}/${keyword}`, `was ${was} and is now ${is}`)
  }
}

/** Keywords that can only be compared as a whole. */
const wholes = ['pattern', 'format', 'multipleOf', 'not', 'if', 'then', 'else', 'contains', 'propertyNames']
const wholeMaps = ['patternProperties', 'dependentRequired', 'dependentSchemas', 'dependencies']

const compareWholes: Rule = ({ old, now, pointer }, { add }) => {
  for (const keyword of wholes) {
    if (!Object.hasOwn(now, keyword) || isDeepStrictEqual(old[keyword], now[keyword])) continue
    const words = Object.hasOwn(old, keyword) ? 'is another one' : 'is new'
    add(`${pointer}/${keyword}`, `${words}, and may refuse what was taken before`)
  }
  if (now['uniqueItems'] === true && old['uniqueItems'] !== true)
    add(`${pointer}/uniqueItems`, 'equal items are now refused')
  for (const keyword of wholeMaps) {
    const were = membersIn(old[keyword])
    for (const [name, value] of Object.entries(membersIn(now[keyword]))) {
      if (!Object.hasOwn(were, name) || !isDeepStrictEqual(were[name], value))
        add(`${pointer}/${keyword}/${toToken(name)}`, 'is new or another one, and may refuse what was taken before')
    }
  }
}

const listIn = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : [])

const compareCombined: Rule = ({ old, now, pointer }, comparing) => {
  for (const [index, part] of listIn(now['allOf']).entries()) {
    const were = listIn(old['allOf'])
    if (!were.some((before) => isNoNarrower(before, part, comparing)))
      comparing.add(`${pointer}/allOf/${index}`, 'is new or narrower')
  }
  for (const keyword of ['anyOf', 'oneOf']) {
    if (!Array.isArray(now[keyword])) continue
    const are = listIn(now[keyword])
    if (!Array.isArray(old[keyword])) comparing.add(`${pointer}/${keyword}`, 'is new')
    for (const [index, before] of listIn(old[keyword]).entries()) {
      if (!are.some((after) => isNoNarrower(before, after, comparing)))
        comparing.add(`${pointer}/${keyword}`, `the alternative ${index} of before has gone or is narrower`)
    }
  }
}

function isNoNarrower(before: unknown, after: unknown, { roots, budget }: Comparing): boolean {
  let narrower = false
  const add = (): void => void (narrower = true)
  compare({ before, after, pointer: '' }, { roots, seen: new Set(), budget, add })
  return !narrower
}

const rules: readonly Rule[] = [
  compareTypes,
  compareValues,
  compareRequired,
  compareMembers,
  compareRest,
  compareItems,
  compareBounds,
  compareWholes,
  compareCombined,
]
