import { z } from 'zod'
import { HubError } from './error.ts'

/** One fault in a request: where (a JSON Pointer into the body, or `query.NAME`) and what. */
export const Fault = z.object({ pointer: z.string(), detail: z.string() })
export type Fault = z.infer<typeof Fault>

/** The body of every error answer: RFC 9457 problem details with the members that Sluice adds. */
export const Problem = z
  .object({
    type: z.string().describe('stable URI reference: /problems/<error_code>'),
    title: z.string(),
    status: z.int(),
    detail: z.string(),
    instance: z.string(),
    error_code: z.string(),
    message: z.string(),
    correlation_id: z.string(),
    details: z.record(z.string(), z.unknown()),
    errors: z.array(Fault).optional(),
  })
  .meta({ id: 'Problem', description: 'RFC 9457 problem details' })
export type Problem = z.infer<typeof Problem>

/** Half a megabyte can hold a hundred thousand unknown members: an answer must not be a multiple of its request. */
const maxFaults = 100

/** A 400 that lists every fault at once; beyond 100 it says how many more there are. */
export function toValidationError(all: readonly Fault[]): HubError {
  const more = all.length - maxFaults
  const faults = more > 0 ? [...all.slice(0, maxFaults), { pointer: '', detail: `and ${more} more faults` }] : all
  const detail = faults.map((fault) => (fault.pointer ? `${fault.pointer}: ${fault.detail}` : fault.detail)).join('; ')
  return new HubError('validation-error', detail, { errors: faults })
}

/** zod's issues as faults. Unknown members are named one by one. */
export function toFaults(error: z.ZodError, prefix = ''): Fault[] {
  return error.issues.flatMap((issue) => {
    const pointer = prefix + issue.path.map((part) => `/${escapePointer(String(part))}`).join('')
    if (issue.code !== 'unrecognized_keys') return [{ pointer, detail: issue.message }]
    return issue.keys.map((key) => ({ pointer: `${pointer}/${escapePointer(key)}`, detail: 'unknown member' }))
  })
}

/** One reference token of a JSON Pointer (RFC 6901 section 4). Long names are cut: they come from the request. */
export function escapePointer(name: string): string {
  return name.slice(0, 100).replaceAll('~', '~0').replaceAll('/', '~1')
}
