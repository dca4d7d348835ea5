/** The types of columns. `DECIMAL` always has its precision and scale. */
const simpleTypes = [
  'BOOLEAN',
  'SHORT',
  'INT',
  'LONG',
  'FLOAT',
  'DOUBLE',
  'NAIVE_DATE',
  'NAIVE_DATETIME',
  'UTC_DATETIME',
  'BINARY',
  'XML',
  'STRING',
  'JSON',
] as const
export type SimpleType = (typeof simpleTypes)[number]
type DecimalType = `DECIMAL(${number},${number})`
export type ColumnType = SimpleType | DecimalType

/** As a schema may write it: in any case; DECIMAL as `DECIMAL(10,2)` or as an object. */
export type TypeSource = string | { readonly type: 'DECIMAL'; readonly precision: number; readonly scale: number }

export const maxPrecision = 38

/** The type that a schema means, or why it means none. */
export function parseType(source: unknown): { readonly type: ColumnType } | { readonly fault: string } {
  if (typeof source === 'object' && source !== null) return parseDecimalObject(source)
  if (typeof source !== 'string') return { fault: 'must be the name of a type, or {type: "DECIMAL", precision, scale}' }
  const upper = source.trim().toUpperCase()
  const simple = simpleTypes.find((type) => type === upper)
  if (simple) return { type: simple }
  const [, precision, scale] = /^DECIMAL\(\s*(\d{1,3})\s*,\s*(\d{1,3})\s*\)$/.exec(upper) ?? []
  if (precision !== undefined) return toDecimal(Number(precision), Number(scale))
  if (upper === 'DECIMAL') return { fault: 'DECIMAL needs precision and scale: DECIMAL(10,2)' }
  return { fault: `"${source}" is no type; types are ${simpleTypes.join(', ')}, DECIMAL(p,s)` }
}

function parseDecimalObject(source: object): ReturnType<typeof parseType> {
  const { type, precision, scale, ...rest } = source as Readonly<Record<string, unknown>> // read member by member
  if (type !== 'DECIMAL' || Object.keys(rest).length > 0)
    return { fault: 'an object here can only be {type: "DECIMAL", precision, scale}' }
  return toDecimal(precision, scale)
}

function toDecimal(precision: unknown, scale: unknown): ReturnType<typeof parseType> {
  const isWhole = Number.isInteger(precision) && Number.isInteger(scale)
  const [p, s] = [Number(precision), Number(scale)]
  if (!isWhole || p < 1 || p > maxPrecision || s < 0 || s > p)
    return { fault: `DECIMAL takes a precision from 1 to ${maxPrecision} and a scale from 0 to that` }
  return { type: `DECIMAL(${p},${s})` }
}

export type Decimal = { readonly precision: number; readonly scale: number }

/** Precision and scale; undefined for other types. */
export function toDecimalParts(type: ColumnType): Decimal | undefined {
  const [, precision, scale] = /^DECIMAL\((\d+),(\d+)\)$/.exec(type) ?? []
  return precision === undefined ? undefined : { precision: Number(precision), scale: Number(scale) }
}

const wholeDigits: Readonly<Partial<Record<ColumnType, number>>> = { SHORT: 5, INT: 10, LONG: 19 }
const widths: readonly ColumnType[] = ['SHORT', 'INT', 'LONG']

/**
 * The narrowest type that holds what either holds, without losing a digit: the top is STRING. One exception is for the destination
 * to find: a LONG beyond 2^53 is no DOUBLE (`changeType` answers `inexact`, and STRING it is).
 *
 * @example widen('LONG', 'DOUBLE') // DOUBLE
 */
export function widen(left: ColumnType, right: ColumnType): ColumnType {
  if (left === right) return left
  const [isLeftWhole, isRightWhole] = [left in wholeDigits, right in wholeDigits]
  if (isLeftWhole && isRightWhole) return widths[Math.max(widths.indexOf(left), widths.indexOf(right))] ?? 'LONG'
  if (isFloating(left) && (isFloating(right) || isRightWhole)) return 'DOUBLE'
  if (isFloating(right) && isLeftWhole) return 'DOUBLE'
  const decimals = [toDecimalOf(left), toDecimalOf(right)] as const
  if (decimals[0] && decimals[1]) return joinDecimals(decimals[0], decimals[1])
  if (isNaive(left) && isNaive(right)) return 'NAIVE_DATETIME'
  return 'STRING'
}

const isFloating = (type: ColumnType): boolean => type === 'DOUBLE' || type === 'FLOAT'
const isNaive = (type: ColumnType): boolean => type === 'NAIVE_DATE' || type === 'NAIVE_DATETIME'

function toDecimalOf(type: ColumnType): Decimal | undefined {
  const digits = wholeDigits[type]
  return digits === undefined ? toDecimalParts(type) : { precision: digits, scale: 0 }
}

function joinDecimals(left: Decimal, right: Decimal): ColumnType {
  const scale = Math.max(left.scale, right.scale)
  const precision = Math.max(left.precision - left.scale, right.precision - right.scale) + scale
  return precision > maxPrecision ? 'STRING' : `DECIMAL(${precision},${scale})`
}
