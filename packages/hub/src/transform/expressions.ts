import type { Fault } from '@sluice/protocol'
import jsonata from 'jsonata'

/** How deep functions may call each other. */
const maxDepth = 200
/** Values in one list. */
const maxValues = 100_000
/** Nesting of a mapping. */
const maxNesting = 64
const rememberedExpressions = 500

export type Mapped = { readonly value: unknown } | { readonly fault: Fault }

/** What is wrong with the expressions of a mapping, by JSON Pointer. */
export function checkMapping(mapping: unknown): Fault[] {
  const faults: Fault[] = []
  visit(mapping, '', (text, pointer) => {
    const fault = findFault(text)
    if (fault !== undefined) faults.push({ pointer, detail: fault })
  })
  return faults
}

function findFault(text: string): string | undefined {
  try {
    compile(text)
    return undefined
  } catch (error) {
    return describe(error)
  }
}

function visit(value: unknown, pointer: string, see: (expression: string, pointer: string) => void, depth = 0): void {
  if (depth > maxNesting) return see('(', pointer)
  const expression = toExpression(value)
  if (expression !== undefined) see(expression, pointer)
  else if (typeof value === 'object' && value !== null)
    for (const [name, item] of Object.entries(value)) visit(item, `${pointer}/${escape(name)}`, see, depth + 1)
}

const escape = (name: string): string => name.replaceAll('~', '~0').replaceAll('/', '~1')

/** The expression in a text of a mapping; undefined for what stands for itself. */
const toExpression = (value: unknown): string | undefined =>
  typeof value === 'string' && value.startsWith('=') && !value.startsWith('==') ? value.slice(1) : undefined

/** Makes a value of an event. The first expression that fails is the fault. */
export async function applyMapping(mapping: unknown, event: unknown): Promise<Mapped> {
  try {
    return { value: await evaluate(mapping, '', event) }
  } catch (error) {
    if (error instanceof ExpressionError) return { fault: { pointer: error.pointer, detail: error.message } }
    throw error
  }
}

class ExpressionError extends Error {
  readonly pointer: string

  constructor(pointer: string, detail: string) {
    super(detail)
    this.name = 'ExpressionError'
    this.pointer = pointer
  }
}

async function evaluate(value: unknown, pointer: string, event: unknown): Promise<unknown> {
  const expression = toExpression(value)
  if (expression !== undefined) return run(expression, pointer, event)
  if (typeof value === 'string') return value.startsWith('==') ? value.slice(1) : value
  if (typeof value !== 'object' || value === null) return value
  const entries: [string, unknown][] = []
  for (const [name, item] of Object.entries(value)) {
    const made = await evaluate(item, `${pointer}/${escape(name)}`, event)
    if (made !== undefined || Array.isArray(value)) entries.push([name, made ?? null])
  }
  return Array.isArray(value) ? entries.map(([, made]) => made) : Object.fromEntries(entries)
}

async function run(expression: string, pointer: string, event: unknown): Promise<unknown> {
  try {
    return toPlain(await compile(expression).evaluate(event))
  } catch (error) {
    throw new ExpressionError(pointer, describe(error))
  }
}

/** As JSON has it: no functions, no lists with members of their own. */
function toPlain(value: unknown): unknown {
  if (value === undefined) return undefined
  const text = JSON.stringify(value, (_name, member: unknown) => {
    const isFunction =
      typeof member === 'function' || (typeof member === 'object' && member !== null && '_jsonata_lambda' in member)
    if (isFunction) throw new TypeError('gives a function, which is no JSON')
    return member
  })
  return text === undefined ? undefined : JSON.parse(text)
}

const compiled = new Map<string, ReturnType<typeof jsonata>>()

function compile(text: string): ReturnType<typeof jsonata> {
  const known = compiled.get(text)
  if (known) return known
  const expression = jsonata(text, { stack: maxDepth, sequence: maxValues })
  if (compiled.size >= rememberedExpressions) compiled.clear()
  compiled.set(text, expression)
  return expression
}

/** Errors of the library are plain objects, or of a class of its own. */
function describe(error: unknown): string {
  const isSpoken = typeof error === 'object' && error !== null && 'message' in error
  const message = isSpoken ? String(error.message) : String(error)
  const at = isSpoken && 'position' in error ? ` (at character ${String(error.position)})` : ''
  return `${message.slice(0, 500)}${at}`
}
