import { limits, type JsonObject } from '../event.ts'
import { scanMembers, startOfJson } from '../json-scan.ts'

/** Metadata travel as the JSON text of an object. Undefined for what is none, or is nested too deep. */
export function parseMetadata(value: string | number | boolean): JsonObject | undefined {
  const text = String(value)
  try {
    const parsed: unknown = JSON.parse(text)
    if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) return undefined
    // They stand one level down in the event.
    scanMembers(text, startOfJson(text), limits.depth - 2)
    return parsed as JsonObject // neither null nor an array, as checked above
  } catch {
    return undefined
  }
}
