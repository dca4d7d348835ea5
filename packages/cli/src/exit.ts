import { ApiError, TransportError } from '@sluice/client'

export const exitCodes = { done: 0, failed: 1, usage: 2, unreachable: 3, refused: 4, partly: 5 } as const
export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes]

/** Ends the command with this code; the message is for people and says what to do. */
export class CommandError extends Error {
  readonly exitCode: ExitCode

  constructor(exitCode: ExitCode, message: string, options?: { readonly cause: unknown }) {
    super(message, options)
    this.name = 'CommandError'
    this.exitCode = exitCode
  }
}

/** Wrong arguments. @example throw usage('--limit must be a whole number') */
export function usage(message: string): CommandError {
  return new CommandError(exitCodes.usage, message)
}

/** What a failed command says, in a line or two, and how it exits. */
export function toFailure(error: unknown): { readonly exitCode: ExitCode; readonly message: string } {
  if (error instanceof CommandError) return { exitCode: error.exitCode, message: error.message }
  if (error instanceof TransportError) {
    return {
      exitCode: exitCodes.unreachable,
      message: `cannot reach the hub: ${error.message}. Is it running (sluice start)? Is --url right?`,
    }
  }
  if (error instanceof ApiError) return toRefusal(error)
  return { exitCode: exitCodes.failed, message: error instanceof Error ? error.message : String(error) }
}

function toRefusal(error: ApiError): { exitCode: ExitCode; message: string } {
  const exitCode = error.status === 401 || error.status === 403 ? exitCodes.refused : exitCodes.failed
  const { problem } = error
  if (!problem) return { exitCode, message: `${error.message}; is this the address of a hub?` }
  const hints: Record<string, string> = {
    unauthorized: 'Pass --key or set SLUICE_API_KEY; make a key with: sluice keys create --user-id YOU',
    'rate-limit-exceeded': `Try again in ${Math.ceil(error.retryAfter ?? 60)} s.`,
  }
  const hint = hints[problem.error_code]
  const detail = problem.detail === problem.title ? '' : `: ${problem.detail}`
  const words = `${problem.title}${detail}${hint ? `. ${hint}` : ''}`
  return { exitCode, message: `${words} (request ${problem.correlation_id})` }
}
