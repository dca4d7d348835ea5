import { RE2JS, RE2JSException } from 're2js'

/** Characters of a pattern, and instructions of the machine that it becomes: `x{1000}` alone has a thousand. */
const maxCharacters = 1000
const maxInstructions = 2000

/** A pattern as JSON Schema has it, somewhere in the text. */
export type Pattern = {
  readonly test: (text: string) => boolean
  readonly toString: () => string
  /** of the machine: matching takes time in proportion to these times the text */
  readonly instructions: number
}

/**
 * Matching takes time in proportion to the text, whatever the pattern: backtracking engines have patterns that never end.
 *
 * @throws Error with what is wrong with it: malformed, too large, or beyond what can be matched so (look-around, back-references)
 */
export function compilePattern(pattern: string): Pattern {
  if (pattern.length > maxCharacters) throw new Error(`has more than ${maxCharacters} characters`)
  const compiled = compile(pattern)
  const instructions = compiled.programSize()
  if (instructions > maxInstructions) throw new Error('is too large once its repetitions are written out')
  return { test: (text) => compiled.test(text), toString: () => pattern, instructions }
}

function compile(pattern: string): RE2JS {
  try {
    return RE2JS.compile(RE2JS.translateRegExp(pattern))
  } catch (cause) {
    if (!(cause instanceof RE2JSException)) throw cause
    const reason = cause.message.replace(/^error parsing regexp: /, '')
    const hint = /\(\?|escape sequence: `\\\d/.test(reason) ? '; look-around and back-references are not possible' : ''
    throw new Error(`cannot be used: ${reason}${hint}`, { cause })
  }
}
