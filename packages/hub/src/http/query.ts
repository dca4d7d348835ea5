import { toFaults, toValidationError, type Fault } from '@sluice/protocol'
import type { z } from 'zod'

/**
 * The query as its schema makes it. Unknown and repeated names are refused, all faults at once.
 *
 * @throws HubError `validation-error` with pointers `query.NAME`
 */
export function parseQuery(queryText: string, schema: z.ZodObject | undefined): Record<string, unknown> {
  if (queryText === '' && schema === undefined) return {}
  const given = new URLSearchParams(queryText)
  const faults: Fault[] = []
  const values: Record<string, string> = {}
  for (const [name, value] of given) {
    const pointer = `query.${name.slice(0, 100)}`
    if (!schema || !Object.hasOwn(schema.shape, name)) faults.push({ pointer, detail: 'unknown parameter' })
    else if (Object.hasOwn(values, name)) faults.push({ pointer, detail: 'given twice' })
    else values[name] = value
  }
  const parsed = schema?.safeParse(values)
  if (parsed && !parsed.success) {
    faults.push(
      ...toFaults(parsed.error).map(({ pointer, detail }) => ({ pointer: `query.${pointer.slice(1)}`, detail })),
    )
  }
  if (faults.length > 0) throw toValidationError(faults)
  return parsed?.data ?? {}
}
