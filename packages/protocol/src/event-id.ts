/**
 * Event ids are addresses: a UUID version 8 (RFC 9562 section 5.8) that holds
 *
 *     48 bits  accept time, ms since 1970, never decreasing within a log
 *      4 bits  version, 8
 *     12 bits  position, high part
 *      2 bits  variant, 10
 *     36 bits  position, low part
 *     26 bits  random tag of the log
 *
 * Reading by id needs no index, ids sort by acceptance, and an id of another log (another workspace, or this one before
 * a restore) has another tag: it is simply not found.
 */
export type EventAddress = {
  readonly acceptedMs: number
  readonly position: number
  readonly tag: number
}

/** 2^48 - 1: positions and accept times are below this. */
export const maxPosition = 2 ** 48 - 1
/** 2^26: tags are below this. */
export const tagSpace = 2 ** 26

/** Three hex digits at a time from a table: printing a number of 48 bits takes ten times as long, and every answer holds ids. */
const digits = Array.from({ length: 4096 }, (_, value) => value.toString(16).padStart(3, '0'))
const digitsOf = (value: number): string => digits[value & 0xfff] ?? ''

let lastMs = -1
let lastTime = ''

/** Neighbouring events share their millisecond. */
function timeOf(acceptedMs: number): string {
  if (acceptedMs === lastMs) return lastTime
  const hex = acceptedMs.toString(16).padStart(12, '0')
  lastTime = `${hex.slice(0, 8)}-${hex.slice(8)}-8`
  lastMs = acceptedMs
  return lastTime
}

/**
 * @param address position and accept time below 2^48, tag below 2^26
 * @example toEventId({ acceptedMs: 1700000000000, position: 1, tag: 7 }) // '018bcfe5-6800-8000-8000-000004000007'
 */
export function toEventId({ acceptedMs, position, tag }: EventAddress): string {
  const high = Math.floor(position / 2 ** 36)
  const low = position - high * 2 ** 36
  // 36 + 26 bits do not fit a double: the low part is split at 14 bits above the 48 of the node, which is split in the middle.
  const lowHigh = Math.floor(low / 2 ** 22)
  const nodeHigh = ((low - lowHigh * 2 ** 22) << 2) | (tag >>> 24)
  const variant = '89ab'.charAt(lowHigh >>> 12)
  const node = digitsOf(nodeHigh >>> 12) + digitsOf(nodeHigh) + digitsOf(tag >>> 12) + digitsOf(tag)
  return `${timeOf(acceptedMs)}${digitsOf(high)}-${variant}${digitsOf(lowHigh)}-${node}`
}

const shape = /^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/

/** The address in an id, or undefined if the text is no event id. Upper-case digits are accepted, as in any UUID. */
export function parseEventId(text: string): EventAddress | undefined {
  const id = text.toLowerCase()
  if (!shape.test(id)) return undefined
  const acceptedMs = Number.parseInt(id.slice(0, 8) + id.slice(9, 13), 16)
  const high = Number.parseInt(id.slice(15, 18), 16)
  const lowHigh = Number.parseInt(id.slice(19, 23), 16) - 0x8000
  const node = Number.parseInt(id.slice(24), 16)
  const nodeHigh = Math.floor(node / 2 ** 26)
  return {
    acceptedMs,
    position: high * 2 ** 36 + lowHigh * 2 ** 22 + nodeHigh,
    tag: node - nodeHigh * 2 ** 26,
  }
}
