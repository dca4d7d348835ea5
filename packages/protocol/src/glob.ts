/**
 * Globs for event types, sources and subjects: `*` stands for any run of characters, dots included; everything else for itself.
 * Matching takes O(length of text × number of stars) at worst, never exponential time.
 *
 * @example matchesGlob('order.*', 'order.line.added') // true
 */
export function matchesGlob(glob: string, text: string): boolean {
  const parts = glob.split('*')
  const first = parts[0] ?? ''
  if (parts.length === 1) return first === text
  const last = parts.at(-1) ?? ''
  if (text.length < first.length + last.length || !text.startsWith(first) || !text.endsWith(last)) return false
  let at = first.length
  const end = text.length - last.length
  for (const part of parts.slice(1, -1)) {
    const found = text.indexOf(part, at)
    if (found < 0 || found + part.length > end) return false
    at = found + part.length
  }
  return true
}

/** Events of these types are made by the hub itself. `*` leaves them out; `sluice.*` asks for them. */
export const reservedPrefix = 'sluice.'

/** An event-type glob list: empty means `*`, and no glob that begins with a star reaches the hub's own events. */
export function matchesEventType(globs: readonly string[], eventType: string): boolean {
  const reserved = eventType.startsWith(reservedPrefix)
  if (globs.length === 0) return !reserved
  return globs.some((glob) => !(reserved && glob.startsWith('*')) && matchesGlob(glob, eventType))
}
