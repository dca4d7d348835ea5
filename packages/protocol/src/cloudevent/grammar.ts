/** Control characters, halves of surrogate pairs, and the code points that are no characters. */
const forbidden = /[\p{Cc}\p{Cs}\p{Noncharacter_Code_Point}]/u

const everyForbidden = new RegExp(forbidden, 'gu')

export function isText(text: string): boolean {
  return !forbidden.test(text)
}

/** With U+FFFD for what may not stand in an attribute. */
export function toAttributeText(text: string): string {
  return text.replaceAll(everyForbidden, '\ufffd')
}

/** JSON that says the same and holds nothing that may not stand in an attribute. */
export function toAttributeJson(json: string): string {
  // Tabs and line breaks stand between tokens; everything else of the kind within strings.
  return json.replaceAll(/[\t\r\n]/g, ' ').replaceAll(everyForbidden, (part) =>
    Array.from({ length: part.length }, (_, index) => {
      const unit = part.charCodeAt(index).toString(16)
      return `\\u${unit.padStart(4, '0')}`
    }).join(''),
  )
}

const authority = String.raw`(?:[\w.~!$&'()*+,;=:@[\]-]|%[\da-f]{2})*`
const part = String.raw`(?:[\w.~!$&'()*+,;=:@/-]|%[\da-f]{2})*`
const rest = String.raw`(?:[\w.~!$&'()*+,;=:@/?-]|%[\da-f]{2})*`
const scheme = String.raw`[a-z][a-z\d+.-]*:`
const hierarchy = String.raw`(?:\/\/${authority}(?=[/?#]|$)|(?!\/\/))${part}(?:\?${rest})?(?:#${rest})?$`

const uri = new RegExp(`^${scheme}${hierarchy}`, 'i')
// Without a scheme a colon in the first segment would read as one.
const uriReference = new RegExp(String.raw`^(?:${scheme}|(?![^/?#]*:))${hierarchy}`, 'i')

/** RFC 3986, absolute. */
export function isUri(text: string): boolean {
  return uri.test(text)
}

/** RFC 3986, absolute or relative; not empty. */
export function isUriReference(text: string): boolean {
  return text !== '' && uriReference.test(text)
}

/** A text that means the same and is a URI-reference: what may not stand in one is percent-encoded. */
export function toUriReference(text: string): string {
  if (isUriReference(text)) return text
  const escaped = text
    .toWellFormed()
    .replaceAll(/%(?![\da-f]{2})/gi, '%25')
    .replaceAll(/[^\w.~!$&'()*+,;=:@/?%-]+/g, (part) => encodeURIComponent(part))
  return isUriReference(escaped) ? escaped : `./${escaped}`
}

const timeShape = /^(\d{4})-(\d\d)-(\d\d)T([01]\d|2[0-3]):[0-5]\d:([0-5]\d|60)(\.\d+)?(Z|[+-]([01]\d|2[0-3]):[0-5]\d)$/i

/** RFC 3339: a date that exists, a time with seconds, a zone. */
export function isTime(text: string): boolean {
  const [, year, month, day] = timeShape.exec(text) ?? []
  if (year === undefined) return false
  const date = new Date(0)
  date.setUTCFullYear(Number(year), Number(month) - 1, Number(day))
  return date.getUTCMonth() === Number(month) - 1 && date.getUTCDate() === Number(day)
}

const token = String.raw`[\w!#$%&'*+.^\x60|~-]+`
const parameter = String.raw`${token}=(?:${token}|"(?:[\x20\x21\x23-\x5b\x5d-\x7e]|\\[\x20-\x7e])*")`
// Blanks belong to what follows them: if two places could take them, a refusal would take exponential time.
const mediaType = new RegExp(String.raw`^${token}\/${token}(?: *;(?: *${parameter})?)*$`)

/** RFC 9110 section 8.3.1. */
export function isMediaType(text: string): boolean {
  return text.length <= 255 && mediaType.test(text)
}

const utf8 = /;\s*charset="?(?:utf-?8|us-ascii)"?\s*(?:;|$)/i

function isUtf8(contentType: string): boolean {
  return !/;\s*charset=/i.test(contentType) || utf8.test(contentType)
}

/** JSON in UTF-8, by its media type. Nothing declared is read as JSON, too. */
export function isJsonType(contentType: string | undefined): boolean {
  return (
    contentType === undefined || (/^[^/;]+\/(?:[^;\s]+\+)?json\s*(?:;|$)/i.test(contentType) && isUtf8(contentType))
  )
}

/** Text in UTF-8 that people read, by its media type. */
export function isTextType(contentType: string): boolean {
  return (
    /^(?:text\/|application\/(?:xml|x-www-form-urlencoded)\s*(?:;|$)|[^/;]+\/[^;\s]+\+xml)/i.test(contentType) &&
    isUtf8(contentType)
  )
}
