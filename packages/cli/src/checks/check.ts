/** One thing that was looked at. `warn` works, but deserves attention. */
export type Check = {
  readonly name: string
  readonly status: 'ok' | 'warn' | 'fail'
  readonly found: string
  /** what to do about it */
  readonly todo?: string
}

export function toReason(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

/** What is behind an error, which may be for the operator's eyes only. */
export function toCause(error: unknown): string {
  return toReason(error instanceof Error && error.cause !== undefined ? error.cause : error)
}
