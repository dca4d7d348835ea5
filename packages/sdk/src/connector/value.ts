import { toDecimalParts, type ColumnType, type Decimal, maxPrecision } from './column-type.ts'
import { isExactNumber, printExact } from './exact-json.ts'
import { toDate, toNaive, toUtc } from './time-text.ts'

/**
 * A value as destinations get it, by the type of its column: BOOLEAN is a boolean; SHORT, INT and LONG a number, or a bigint beyond
 * 2^53; FLOAT and DOUBLE a number; DECIMAL its digits as text; dates and times ISO 8601 (`2026-01-31`, `2026-01-31T10:00:00.5`, with
 * `Z` for UTC_DATETIME, at most 6 digits of a second); BINARY bytes; STRING, XML and JSON text.
 */
export type Value = null | boolean | number | bigint | string | Uint8Array

const largestLong = 2n ** 63n - 1n
const isLong = (value: bigint): boolean => value <= largestLong && value >= -largestLong - 1n

/** The type of a column that nobody declared, by a value; undefined for null, which says nothing. Texts are never taken for dates. */
export function inferType(value: unknown): ColumnType | undefined {
  switch (typeof value) {
    case 'string':
      return 'STRING'
    case 'boolean':
      return 'BOOLEAN'
    case 'number':
      return Number.isSafeInteger(value) ? 'LONG' : 'DOUBLE'
    case 'bigint':
      return inferWhole(value)
    case 'object':
      return value === null ? undefined : inferObject(value)
    case 'undefined':
      return undefined
    default:
      return 'STRING'
  }
}

function inferWhole(value: bigint): ColumnType {
  if (isLong(value)) return 'LONG'
  return value.toString().replace('-', '').length > maxPrecision ? 'STRING' : `DECIMAL(${maxPrecision},0)`
}

function inferObject(value: object): ColumnType {
  if (value instanceof Date) return 'UTC_DATETIME'
  if (value instanceof Uint8Array) return 'BINARY'
  if (!isExactNumber(value)) return 'JSON'
  const digits = expand(value.rawJSON)
  if (digits === undefined) return 'STRING'
  const [whole = '', fraction = ''] = digits.replace('-', '').split('.')
  // The widest that holds it: the next one of the column will hardly be narrower.
  return whole.length + fraction.length > maxPrecision ? 'STRING' : `DECIMAL(${maxPrecision},${fraction.length})`
}

/** A number without its exponent; undefined where that would be very long. */
function expand(text: string): string | undefined {
  const [, sign = '', whole = '', fraction = '', power = '0'] =
    /^(-?)(\d+)(?:\.(\d*))?(?:[eE]([+-]?\d+))?$/.exec(text.trim()) ?? []
  if (whole === '' || Math.abs(Number(power)) > 2 * maxPrecision) return undefined
  const digits = `${whole}${fraction}`
  const point = whole.length + Number(power)
  const padded =
    point > digits.length ? digits.padEnd(point, '0') : digits.padStart(digits.length - Math.min(0, point), '0')
  const at = Math.max(0, point)
  const left = padded.slice(0, at).replace(/^0+(?=\d)/, '') || '0'
  const right = padded.slice(at).replace(/0+$/, '')
  return `${sign}${left}${right === '' ? '' : `.${right}`}`
}

/** The value for a column of that type; undefined where it does not fit. */
export function convert(value: unknown, type: ColumnType): Value | undefined {
  if (value === null || value === undefined) return null
  switch (type) {
    case 'BOOLEAN':
      return toBoolean(value)
    case 'SHORT':
      return toWhole(value, 2n ** 15n)
    case 'INT':
      return toWhole(value, 2n ** 31n)
    case 'LONG':
      return toWhole(value, 2n ** 63n)
    case 'FLOAT':
    case 'DOUBLE':
      return toDouble(value)
    case 'NAIVE_DATE':
      return toDate(value)
    case 'NAIVE_DATETIME':
      return toNaive(value)
    case 'UTC_DATETIME':
      return toUtc(value)
    case 'BINARY':
      return value instanceof Uint8Array ? value : undefined
    case 'XML':
    case 'STRING':
      return toText(value)
    case 'JSON':
      return value instanceof Uint8Array ? undefined : printExact(value)
    default:
      return toDecimalText(value, type)
  }
}

function toBoolean(value: unknown): boolean | undefined {
  if (typeof value === 'boolean') return value
  return value === 'true' ? true : value === 'false' ? false : undefined
}

function toWhole(value: unknown, limit: bigint): number | bigint | undefined {
  if (typeof value === 'number' && !Number.isSafeInteger(value)) return undefined
  const isText = typeof value === 'string' && /^[+-]?\d{1,25}$/.test(value)
  if (typeof value !== 'number' && typeof value !== 'bigint' && !isText) return undefined
  const whole = BigInt(value)
  if (whole >= limit || whole < -limit) return undefined
  const number = Number(whole)
  return Number.isSafeInteger(number) ? number : whole
}

function toDouble(value: unknown): number | undefined {
  if (typeof value === 'number') return value
  if (typeof value === 'bigint') return BigInt(Number(value)) === value ? Number(value) : undefined
  if (isExactNumber(value)) return Number(value.rawJSON)
  return typeof value === 'string' && /^[+-]?\d+(\.\d*)?([eE][+-]?\d+)?$/.test(value) ? Number(value) : undefined
}

/** What a value is as text: the same whether it comes as text, or was in a column that had to become STRING. */
function toText(value: unknown): string {
  if (typeof value === 'string') return value
  if (value instanceof Uint8Array) return Buffer.from(value).toString('base64')
  if (value instanceof Date) return toUtc(value) ?? String(value)
  if (isExactNumber(value)) return value.rawJSON
  return typeof value === 'object' ? printExact(value) : String(value as number)
}

function toDecimalText(value: unknown, type: ColumnType): string | undefined {
  const source = isExactNumber(value) ? value.rawJSON : value
  if (typeof source !== 'number' && typeof source !== 'bigint' && typeof source !== 'string') return undefined
  const digits = expand(String(source))
  const parts = toDecimalParts(type)
  return digits === undefined || !parts ? undefined : fit(digits, parts)
}

/** Undefined where a digit would get lost. */
function fit(digits: string, { precision, scale }: Decimal): string | undefined {
  const [whole = '', fraction = ''] = digits.replace('-', '').split('.')
  const isTooLong = fraction.length > scale || (whole === '0' ? 0 : whole.length) > precision - scale
  if (isTooLong) return undefined
  const sign = digits.startsWith('-') && /[1-9]/.test(digits) ? '-' : ''
  return `${sign}${whole}${scale === 0 ? '' : `.${fraction.padEnd(scale, '0')}`}`
}

/** For messages: what it is, without much of what it says. */
export function describe(value: unknown): string {
  if (value === null || value === undefined) return 'null'
  const text = toText(value)
  const kind = Array.isArray(value) ? 'list' : value instanceof Date ? 'date' : typeof value
  return `${kind} ${text.length > 40 ? `${text.slice(0, 40)}…` : text}`
}
