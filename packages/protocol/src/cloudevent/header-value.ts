const encoder = new TextEncoder()
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** All but U+0021 to U+007E, and of those the quote and the percent sign. */
const encoded = /[^\u0021\u0023\u0024\u0026-\u007e]+/gu

/**
 * An attribute as the value of its `ce-` field: UTF-8, percent-encoded where the binding asks for it and nowhere else.
 *
 * @example toHeaderValue('50 € "net"') // '50%20%E2%82%AC%20%22net%22'
 */
export function toHeaderValue(text: string): string {
  return text.replaceAll(encoded, (part) =>
    Array.from(encoder.encode(part), (byte) => `%${byte.toString(16).toUpperCase().padStart(2, '0')}`).join(''),
  )
}

/**
 * The attribute in a `ce-` field: a quoted string is undone, then percent signs once. A percent sign that no two hex digits
 * follow stands for itself, as do bytes that need not have been encoded.
 *
 * @param field one character a byte, as HTTP libraries give it
 * @returns undefined for what is no UTF-8, overlong forms included
 */
export function parseHeaderValue(field: string): string | undefined {
  const text = isQuoted.test(field) ? field.slice(1, -1).replaceAll(/\\(.)/g, '$1') : field
  if (isPlain.test(text)) return text
  if (isWide.test(text)) return undefined
  try {
    return decoder.decode(Buffer.from(decodePercents(text), 'latin1'))
  } catch {
    return undefined
  }
}

const isQuoted = /^"(?:[^"\\]|\\.)*"$/
const isPlain = /^[\u0020-\u0024\u0026-\u007e]*$/
const isWide = /[\u0100-\uffff]/

function decodePercents(text: string): string {
  return text.replaceAll(/%([\da-f]{2})/gi, (_all, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
}
