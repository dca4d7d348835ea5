import { usage } from '../exit.ts'

/**
 * The fields of a request as people have them at hand: lines as `curl -i` and HTTP itself have them, or a JSON object. A request line in
 * front, and what stands behind an empty line, are passed over.
 *
 * @throws CommandError naming the line that is no field
 */
export function parseHead(text: string): Record<string, string> {
  if (text.trimStart().startsWith('{')) return parseObject(text)
  const fields: Record<string, string> = {}
  const [head = ''] = text.trimStart().split(/\r?\n\r?\n/)
  for (const [index, line] of head.split(/\r?\n/).entries()) {
    const [, name, value = ''] = /^[<>]?\s*([\w!#$%&'*+.^`|~-]+):\s*(.*?)\s*$/.exec(line) ?? []
    if (name !== undefined) fields[name.toLowerCase()] = append(fields[name.toLowerCase()], value)
    else if (index > 0 && line.trim() !== '')
      throw usage(`--headers: line ${index + 1} is no field: ${line.slice(0, 80)}`)
  }
  return fields
}

const append = (before: string | undefined, value: string): string =>
  before === undefined ? value : `${before}, ${value}`

function parseObject(text: string): Record<string, string> {
  try {
    const entries = Object.entries(JSON.parse(text) as object)
    return Object.fromEntries(
      entries.map(([name, value]) => [name.toLowerCase(), Array.isArray(value) ? value.join(', ') : String(value)]),
    )
  } catch (cause) {
    throw usage(`--headers is no JSON: ${cause instanceof Error ? cause.message : String(cause)}`)
  }
}
