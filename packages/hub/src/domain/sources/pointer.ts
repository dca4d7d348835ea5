/**
 * What a JSON Pointer finds, as text: strings as they are, numbers as they were written, so that two long ids stay two.
 *
 * @param text JSON whose value is `value`
 * @returns undefined for what is not there, and for what is no string or number
 */
export function findText(text: string, value: unknown, pointer: string): string | undefined {
  const found = resolve(value, pointer)
  if (typeof found === 'string') return found
  if (typeof found !== 'number') return undefined
  return Number.isSafeInteger(found) ? String(found) : asWritten(text, pointer)
}

function asWritten(text: string, pointer: string): string | undefined {
  const keep = (_name: string, member: unknown, { source }: { readonly source?: string }): unknown =>
    typeof member === 'number' ? source : member
  // The types do not know the third argument yet, which Node has.
  const found = resolve(JSON.parse(text, keep as (name: string, member: unknown) => unknown), pointer)
  return typeof found === 'string' ? found : undefined
}

function resolve(value: unknown, pointer: string): unknown {
  let found = value
  for (const escaped of pointer.split('/').slice(1)) {
    const name = escaped.replaceAll('~1', '/').replaceAll('~0', '~')
    if (typeof found !== 'object' || found === null || !Object.hasOwn(found, name)) return undefined
    found = (found as Record<string, unknown>)[name] // an own member, as just asked
  }
  return found
}
