import { ActionError } from '@sluice/sdk/integration'

/**
 * The text of a feed, by its byte order mark, else the charset of its Content-Type, else what its first line says, else UTF-8.
 *
 * @throws ActionError for a charset that nobody knows
 */
export function toText(bytes: Uint8Array, contentType: string): string {
  const [, named] = /charset\s*=\s*"?([^\s;"]+)/i.exec(contentType) ?? []
  const head = new TextDecoder('latin1').decode(bytes.subarray(0, 200))
  const [, declared] = /^\s*<\?xml[^>]*encoding\s*=\s*["']([^"']+)["']/i.exec(head) ?? []
  const label = markOf(bytes) ?? named ?? declared ?? 'utf-8'
  try {
    return new TextDecoder(label).decode(bytes)
  } catch {
    throw new ActionError(`the feed is in the charset "${label.slice(0, 40)}", which is not known`)
  }
}

function markOf([first, second, third]: Uint8Array): string | undefined {
  if (first === 0xef && second === 0xbb && third === 0xbf) return 'utf-8'
  if (first === 0xff && second === 0xfe) return 'utf-16le'
  return first === 0xfe && second === 0xff ? 'utf-16be' : undefined
}
