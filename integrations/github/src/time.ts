import { ActionError } from '@sluice/sdk/integration'

/** Before anything on GitHub. */
export const beginning = '1970-01-01T00:00:00Z'

/** As GitHub writes times: UTC, in seconds. They compare as texts. */
const print = (ms: number): string => new Date(ms).toISOString().replace(/\.\d+Z$/, 'Z')

export const earlier = (time: string, ms: number): string => print(Math.max(0, Date.parse(time) - ms))

/** @throws ActionError for a text that is no time */
export function toTime(name: string, text: string): string {
  const ms = Date.parse(text)
  if (Number.isNaN(ms))
    throw new ActionError(`${name} is no time: ${JSON.stringify(text.slice(0, 50))}; write 2026-01-31T12:00:00Z`)
  return print(ms)
}
