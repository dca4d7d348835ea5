/** Time as the client sees it. Tests bring their own. */
export type Clock = {
  /** ms since 1970; never runs backwards */
  now(): number
  /** ms since 1970 as the calendar has it, for signatures and dates; default: `now` */
  wall?(): number
  /** Rejects with the signal's reason as soon as it aborts. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>
}

/** Longer timers fire at once, in every runtime. */
export const longestTimerMs = 2 ** 31 - 1

/** The time of the machine, anchored when the program began: a clock that is set back moves no deadline. */
export const systemClock: Clock = {
  now: () => performance.timeOrigin + performance.now(),
  // The other one stands still while a laptop sleeps, and a signature with a time of hours ago is refused.
  wall: Date.now,
  sleep: (ms, signal) =>
    new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason)
      const onAbort = (): void => {
        clearTimeout(timer)
        reject(signal?.reason)
      }
      const timer = setTimeout(
        () => {
          signal?.removeEventListener('abort', onAbort)
          resolve()
        },
        Math.min(ms, longestTimerMs),
      )
      signal?.addEventListener('abort', onAbort, { once: true })
    }),
}

export function wallTime(clock: Clock): number {
  return clock.wall ? clock.wall() : clock.now()
}
