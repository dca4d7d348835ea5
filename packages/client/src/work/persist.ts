import type { Clock } from '../clock.ts'
import { ApiError, TransportError } from '../error.ts'
import type { Logger } from '../logger.ts'
import { isTransient, toBackoffMs } from '../retry.ts'

/** Waiting for a hub that is away grows to this, so that it is found again soon after it is back. */
const capMs = 5000

/** True for what time may cure: no answer, or a server in trouble. */
function isTemporary(error: unknown): boolean {
  return error instanceof TransportError || (error instanceof ApiError && isTransient(error.status))
}

/** Does it until it is done, refused for good, or the signal aborts (then it rejects with the signal's reason). */
export async function persist<Result>(
  attempt: () => Promise<Result>,
  options: {
    readonly signal: AbortSignal
    readonly clock: Clock
    readonly random: () => number
    readonly logger: Logger | undefined
  },
): Promise<Result> {
  for (let failures = 0; ; failures += 1) {
    try {
      return await attempt()
    } catch (error) {
      options.signal.throwIfAborted()
      if (!isTemporary(error)) throw error
      const asked = error instanceof ApiError ? (error.retryAfter ?? 0) * 1000 : 0
      const delayMs = asked + toBackoffMs(failures, options.random, capMs)
      options.logger?.warn(
        { failures: failures + 1, delayMs: Math.round(delayMs), reason: String(error) },
        'waiting for the hub',
      )
      await options.clock.sleep(delayMs, options.signal)
    }
  }
}
