import { createHash } from 'node:crypto'

/** `fivetran` writes names in lower case with underscores; `source` keeps them as they come. */
export type Naming = 'fivetran' | 'source'

/** Letters that no decomposition takes apart. */
const folded: Readonly<Record<string, string>> = {
  ß: 'ss',
  æ: 'ae',
  Æ: 'AE',
  œ: 'oe',
  Œ: 'OE',
  ø: 'o',
  Ø: 'O',
  đ: 'd',
  Đ: 'D',
  ð: 'd',
  Ð: 'D',
  ł: 'l',
  Ł: 'L',
  þ: 'th',
  Þ: 'Th',
  ı: 'i',
}

function fold(name: string): string {
  const plain = name.normalize('NFKD').replaceAll(/\p{M}/gu, '')
  return plain.replaceAll(/[^\0-\x7f]/gu, (letter) => folded[letter] ?? '_')
}

/**
 * The name of a column at the destination.
 *
 * @example toColumnName('API2Key', 'fivetran') // api_2_key
 */
export function toColumnName(name: string, naming: Naming): string {
  if (naming === 'source') return name
  return fold(name)
    .replaceAll(/[^A-Za-z0-9_]/g, '_')
    .replaceAll(/([a-z])(?=[A-Z])|([A-Za-z])(?=\d)|(\d)(?=[A-Za-z])/g, '$&_')
    .toLowerCase()
    .replaceAll(/_+/g, '_')
}

/** The name of a table: as a column's, without underscores before its first letter. */
export function toTableName(name: string, naming: Naming): string {
  const made = toColumnName(name, naming)
  return naming === 'source' ? made : made.replace(/^_+(?=[a-z])/, '')
}

/**
 * A name that fits: one that is longer is cut and ends with a part of its hash, so that two long names stay two.
 *
 * @param maxBytes of the destination, as 63 of Postgres
 */
export function toShortName(name: string, maxBytes: number | undefined): string {
  if (maxBytes === undefined || Buffer.byteLength(name) <= maxBytes) return name
  const hash = createHash('sha256').update(name).digest('hex').slice(0, 8)
  let kept = name
  while (Buffer.byteLength(kept) > maxBytes - 9) kept = kept.slice(0, -1)
  return `${kept}_${hash}`
}
