import type { Fault } from '@sluice/protocol'
import { isObject } from '../json-text.ts'
import { compilePattern } from './patterns.ts'
import { subschemasOf, toToken, type Schema, type Subschema } from './subschemas.ts'

/** A schema is compiled while other requests wait, and asked about each event: these keep both short. */
const maxBytes = 65_536
const maxSchemas = 1000
const maxDepth = 32
const maxAlternatives = 100
/** with each `$ref` counted as what it leads to */
const maxExpanded = 2000
/** of the machines of all patterns */
const maxInstructions = 10_000

export type Draft = '2020-12' | 'draft-07'

const draftShape = /^https?:\/\/json-schema\.org\/(?:draft\/(2020-12)|(draft-07))\/schema#?$/

/** Which draft a schema is of; undefined for one that is neither. */
export function draftOf({ $schema: named }: Schema): Draft | undefined {
  if (named === undefined) return '2020-12'
  const [, newer, older] = (typeof named === 'string' && draftShape.exec(named)) || []
  return newer ? '2020-12' : older ? 'draft-07' : undefined
}

export type Checked = {
  /** pointers into the schema */
  readonly faults: Fault[]
  /** How much is asked for each character of an event, at most; infinite where it refers to itself. */
  readonly work: number
}

/** What is wrong with a schema beside what its meta-schema says: too large, reaching outside, never ending. */
export function checkSchema(schema: Schema): Checked {
  if (draftOf(schema) === undefined)
    return fail('/$schema', 'must name draft 2020-12 or draft 7 (http://json-schema.org/draft-07/schema#)')
  if (Buffer.byteLength(JSON.stringify(schema)) > maxBytes) return fail('', `must have at most ${maxBytes} bytes`)
  const found = collect(schema)
  if (typeof found === 'string') return fail('', found)
  const faults = [...found.values()].flatMap((sub) => (isObject(sub.schema) ? keywordFaults(sub, found) : []))
  if (faults.length > 0) return { faults, work: 0 }
  return checkPatterns(found) ?? checkSize(found)
}

const fail = (pointer: string, detail: string): Checked => ({ faults: [{ pointer, detail }], work: 0 })

type Found = ReadonlyMap<string, Subschema>

/** Every schema in it by its pointer, or why there are too many. */
function collect(schema: Schema): Found | string {
  const found = new Map<string, Subschema>()
  let level: Subschema[] = [{ pointer: '', schema, use: 'here' }]
  for (let depth = 0; level.length > 0; depth += 1) {
    if (depth > maxDepth) return `must not hold schemas deeper than ${maxDepth} levels`
    for (const sub of level) found.set(sub.pointer, sub)
    if (found.size > maxSchemas) return `must hold at most ${maxSchemas} schemas`
    level = level.flatMap((sub) => (isObject(sub.schema) ? subschemasOf(sub.schema, sub.pointer) : []))
  }
  return found
}

function keywordFaults({ pointer, schema }: Subschema, found: Found): Fault[] {
  const faults: Fault[] = []
  const add = (keyword: string, detail: string | undefined, below = ''): void => {
    if (detail !== undefined) faults.push({ pointer: `${pointer}/${toToken(keyword)}${below}`, detail })
  }
  for (const [keyword, value] of Object.entries(schema)) {
    if (keyword === '$ref') add(keyword, referenceFault(value, found))
    if (keyword === 'pattern' && typeof value === 'string') add(keyword, patternFault(value))
    if (keyword === 'patternProperties' && isObject(value))
      for (const name of Object.keys(value)) add(keyword, patternFault(name), `/${toToken(name)}`)
    if (keyword === 'oneOf' || keyword === 'anyOf') add(keyword, alternativesFault(value))
    if (refused.has(keyword)) add(keyword, `is not supported; ${refused.get(keyword)}`)
    if (keyword === '$id' && pointer !== '') add(keyword, 'may only stand at the top')
  }
  return faults
}

const refused: ReadonlyMap<string, string> = new Map([
  ['$dynamicRef', 'use $ref'],
  ['$recursiveRef', 'use $ref'],
  ['$async', 'leave it out'],
  ['id', 'the name of a schema is $id'],
])

function referenceFault(value: unknown, found: Found): string | undefined {
  if (typeof value !== 'string') return undefined
  if (!value.startsWith('#')) return 'must begin with #: schemas from elsewhere are not fetched'
  return resolve(value, found) === undefined ? 'leads to no schema' : undefined
}

/** The schema that a `$ref` leads to. */
function resolve(reference: string, found: Found): Subschema | undefined {
  const fragment = decode(reference.slice(1))
  if (fragment === '' || fragment.startsWith('/')) return found.get(fragment)
  return [...found.values()].find(
    ({ schema }) => isObject(schema) && (schema['$anchor'] === fragment || schema['$dynamicAnchor'] === fragment),
  )
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

function patternFault(pattern: string): string | undefined {
  try {
    compilePattern(pattern)
    return undefined
  } catch (error) {
    return `the pattern ${JSON.stringify(pattern.slice(0, 100))} ${error instanceof Error ? error.message : String(error)}`
  }
}

function checkPatterns(found: Found): Checked | undefined {
  let instructions = 0
  for (const { schema } of found.values()) if (isObject(schema)) instructions += instructionsOf(schema)
  return instructions > maxInstructions
    ? fail('', `has patterns that are too large together: ${instructions} instructions, of at most ${maxInstructions}`)
    : undefined
}

function instructionsOf({ pattern, patternProperties }: Schema): number {
  const patterns = typeof pattern === 'string' ? [pattern] : []
  if (isObject(patternProperties)) patterns.push(...Object.keys(patternProperties))
  return patterns.reduce((sum, one) => sum + compilePattern(one).instructions, 0)
}

/** Lists of values and names are gone through one by one. */
function workOf(schema: Schema): number {
  const listed = ['enum', 'const', 'required', 'dependentRequired', 'dependencies'].map((keyword) => schema[keyword])
  const text = JSON.stringify(listed.filter((value) => value !== undefined))
  return 1 + instructionsOf(schema) + text.length / 4 + (schema['uniqueItems'] === true ? 10 : 0)
}

function alternativesFault(value: unknown): string | undefined {
  return Array.isArray(value) && value.length > maxAlternatives
    ? `must have at most ${maxAlternatives} alternatives`
    : undefined
}

/** What one value is asked, `$ref`s followed: those that never end are refused, and those that multiply. */
function checkSize(found: Found): Checked {
  const sizes = new Map<string, number>()
  const works = new Map<string, number>()
  const open = new Map<string, number>()
  let endless: string | undefined
  /** @param depth how many values deep; a reference back on the same depth would go on for ever */
  const sizeOf = (sub: Subschema, depth: number): number => {
    const known = sizes.get(sub.pointer)
    if (known !== undefined) return known
    const openedAt = open.get(sub.pointer)
    if (openedAt !== undefined) {
      works.set(sub.pointer, Infinity)
      if (openedAt === depth) endless ??= sub.pointer
      return 1
    }
    open.set(sub.pointer, depth)
    let size = 1
    let work = isObject(sub.schema) ? workOf(sub.schema) : 1
    for (const part of partsOf(sub, found)) {
      if (part.use === 'aside') continue
      size += sizeOf(part, depth + (part.use === 'inside' ? 1 : 0))
      work += works.get(part.pointer) ?? 0
    }
    open.delete(sub.pointer)
    sizes.set(sub.pointer, size)
    works.set(sub.pointer, work)
    return size
  }
  let largest = 0
  for (const sub of found.values()) largest = Math.max(largest, sizeOf(sub, 0))
  if (endless !== undefined) return fail(endless, 'refers to itself about the same value, which never ends')
  if (largest > maxExpanded) return fail('', `asks more than ${maxExpanded} things once its $refs are followed`)
  return { faults: [], work: Math.max(...works.values()) }
}

function partsOf({ pointer, schema }: Subschema, found: Found): Subschema[] {
  if (!isObject(schema)) return []
  const reference = schema['$ref']
  const target = typeof reference === 'string' ? resolve(reference, found) : undefined
  return [...subschemasOf(schema, pointer), ...(target ? [{ ...target, use: 'here' as const }] : [])]
}
