const whole = new Intl.NumberFormat(undefined, { maximumFractionDigits: 0 })
const short = new Intl.NumberFormat(undefined, { notation: 'compact', maximumFractionDigits: 1 })

export const toCount = (count: number): string =>
  Math.abs(count) < 100_000 ? whole.format(count) : short.format(count)

/** `1 event`, `12 events` */
export const toAmount = (count: number, one: string, many = `${one}s`): string =>
  `${toCount(count)} ${count === 1 ? one : many}`

const steps: readonly (readonly [seconds: number, unit: string])[] = [
  [86_400, 'd'],
  [3600, 'h'],
  [60, 'm'],
  [1, 's'],
]

/** `3 d`, `12 m`: one unit is enough to read a table by. @param seconds not negative */
export function toSpan(seconds: number): string {
  const [size, unit] = steps.find(([step]) => seconds >= step) ?? [1, 's']
  return `${Math.floor(seconds / size)} ${unit}`
}

export function toBytes(bytes: number): string {
  if (bytes < 1024) return `${bytes} B`
  if (bytes < 1024 * 1024) return `${(bytes / 1024).toFixed(1)} KB`
  return `${(bytes / 1024 / 1024).toFixed(1)} MB`
}

const clock = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'medium' })

/** In the reader's own zone. */
export const toLocal = (iso: string): string => clock.format(new Date(iso))

export function toAgo(iso: string, nowMs: number): string {
  const seconds = (nowMs - Date.parse(iso)) / 1000
  if (Math.abs(seconds) < 1) return 'now'
  return seconds < 0 ? `in ${toSpan(-seconds)}` : `${toSpan(seconds)} ago`
}
