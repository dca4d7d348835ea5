const datePattern = /^(\d{4})-(\d\d)-(\d\d)$/
const timePattern = /^(\d{4}-\d\d-\d\d)[Tt ](\d\d):(\d\d)(?::(\d\d)(?:[.,](\d{1,9}))?)?\s*(Z|z|[+-]\d\d(?::?\d\d)?)?$/

/** `YYYY-MM-DD` of a day that exists; undefined for anything else. */
export function toDate(value: unknown): string | undefined {
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? undefined : value.toISOString().slice(0, 10)
  if (typeof value !== 'string' || !datePattern.test(value)) return undefined
  const day = new Date(`${value}T00:00:00Z`)
  return !Number.isNaN(day.getTime()) && day.toISOString().startsWith(value) ? value : undefined
}

/** A time without a zone, as it stands on a wall; a day alone is its midnight. */
export function toNaive(value: unknown): string | undefined {
  if (value instanceof Date) return toUtc(value)?.slice(0, -1)
  const parts = parse(value)
  if (parts) return parts.zone === undefined ? format(parts.ms, parts.fraction) : undefined
  const day = toDate(value)
  return day === undefined ? undefined : `${day}T00:00:00`
}

/** A time with its offset, told in UTC. */
export function toUtc(value: unknown): string | undefined {
  if (value instanceof Date) {
    const ms = value.getTime()
    return Number.isNaN(ms)
      ? undefined
      : `${format(Math.floor(ms / 1000) * 1000, String(value.getUTCMilliseconds()).padStart(3, '0'))}Z`
  }
  const parts = parse(value)
  if (parts?.zone === undefined) return undefined
  const moved = format(parts.ms - toOffsetMs(parts.zone), parts.fraction)
  return moved === undefined ? undefined : `${moved}Z`
}

type Parts = { readonly ms: number; readonly fraction: string; readonly zone: string | undefined }

function parse(value: unknown): Parts | undefined {
  const [, day, hour = '', minute = '', second = '00', fraction = '', zone] =
    typeof value === 'string' ? (timePattern.exec(value) ?? []) : []
  if (day === undefined || toDate(day) === undefined) return undefined
  // 24:00 and leap seconds are the next moment.
  if (Number(hour) > 24 || Number(minute) > 59 || Number(second) > 60) return undefined
  const seconds = Number(hour) * 3600 + Number(minute) * 60 + Number(second)
  return { ms: Date.parse(`${day}T00:00:00Z`) + seconds * 1000, fraction, zone }
}

function toOffsetMs(zone: string): number {
  if (/^z$/i.test(zone)) return 0
  const [, sign, hours, minutes = '00'] = /^([+-])(\d\d):?(\d\d)?$/.exec(zone) ?? []
  return (sign === '-' ? -1 : 1) * (Number(hours) * 60 + Number(minutes)) * 60_000
}

/** Destinations keep microseconds: what is finer is cut off. Zeros at the end say nothing. */
function format(ms: number, fraction: string): string | undefined {
  const date = new Date(ms)
  if (Number.isNaN(ms) || Number.isNaN(date.getTime())) return undefined
  const kept = fraction.slice(0, 6).replace(/0+$/, '')
  return `${date.toISOString().slice(0, 19)}${kept === '' ? '' : `.${kept}`}`
}
