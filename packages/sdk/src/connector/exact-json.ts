/**
 * A number that no double holds exactly, as text: what `JSON.rawJSON` makes. `JSON.stringify` prints it digit by digit. Integers of
 * any size are bigints instead.
 */
export type ExactNumber = { readonly rawJSON: string }

// Node has them; the compiler's library of ES2024 does not.
const json = JSON as typeof JSON & {
  rawJSON(text: string): ExactNumber
  isRawJSON(value: unknown): value is ExactNumber
}

type Reviver = (key: string, value: unknown, context: { readonly source?: string }) => unknown

/** A number of 16 digits and more, or with an exponent, may not be what `JSON.parse` makes of it. */
const suspicious = /[[:,]\s*-?\d(?:[\d.]{15}|[\d.]*[eE])/
const numberAlone = /^\s*-?\d/

/**
 * Parses JSON without losing digits: integers beyond 2^53 become bigints, other numbers that a double does not hold become
 * `ExactNumber`. Takes a quarter more than `JSON.parse` where there is none of either, and ten times as long where there is.
 *
 * @throws SyntaxError if it is no JSON
 * @example parseExact('{"id": 9007199254740993}') // { id: 9007199254740993n }
 */
export function parseExact(text: string): unknown {
  if (!suspicious.test(text) && !numberAlone.test(text)) return JSON.parse(text)
  const revive: Reviver = (_, value, { source }) =>
    typeof value === 'number' && source !== undefined ? toExact(value, source) : value
  return JSON.parse(text, revive as (key: string, value: unknown) => unknown) // the third argument is younger than the type
}

function toExact(value: number, source: string): number | bigint | ExactNumber {
  if (/^-?\d+$/.test(source)) return Number.isSafeInteger(value) ? value : BigInt(source)
  return Number.isFinite(value) && toDigits(String(value)) === toDigits(source) ? value : json.rawJSON(source)
}

/** Sign, digits without zeros around them, and power of ten: equal for equal numbers, however they are written. */
function toDigits(text: string): string {
  const [, sign = '', whole = '', fraction = '', power = '0'] =
    /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/.exec(text) ?? []
  const digits = `${whole}${fraction}`.replace(/^0+/, '')
  const trimmed = digits.replace(/0+$/, '')
  if (trimmed === '') return '0'
  return `${sign}${trimmed}e${Number(power) - fraction.length + digits.length - trimmed.length}`
}

export const isExactNumber = (value: unknown): value is ExactNumber => json.isRawJSON(value)

/** Prints JSON with bigints and exact numbers digit by digit. Undefined members are left out; NaN and Infinity become null. */
export function printExact(value: unknown): string {
  return (
    JSON.stringify(value, (_, member: unknown) =>
      typeof member === 'bigint' ? json.rawJSON(String(member)) : member,
    ) ?? 'null'
  )
}
