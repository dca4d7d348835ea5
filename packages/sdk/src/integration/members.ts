import { toPointer, type JsonObject, type Reporter } from './report.ts'

/** Reads members of a configuration; what is wrong is reported. */

export function readText(value: JsonObject, name: string, reporter: Reporter, at = ''): string {
  const text = value[name]
  const pointer = at + toPointer(name)
  if (typeof text === 'string' && text.trim() !== '') return text
  if (typeof text === 'number') {
    reporter.repair(pointer, 'a number was taken as text')
    return String(text)
  }
  reporter.error(pointer, text === undefined ? 'is missing' : 'must be a text that is not empty')
  return ''
}

export function readOptionalTexts<Name extends string>(
  value: JsonObject,
  names: readonly Name[],
  at: string,
  reporter: Reporter,
): { [Member in Name]?: string } {
  const texts: { [Member in Name]?: string } = {}
  for (const name of names) {
    const text = value[name]
    if (typeof text === 'string') texts[name] = text
    else if (text !== undefined) reporter.repair(at + toPointer(name), 'is no text; left out')
  }
  return texts
}
