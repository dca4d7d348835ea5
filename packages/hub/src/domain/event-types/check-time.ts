/** CPU time that checking the events of one request may take together. */
export type CheckTime = {
  leftMs: number
  /** since other requests had their turn */
  heldMs: number
  /** events for which it did not suffice */
  unchecked: number
}

/** Beyond what an event may take anyway: a thousand large ones that are checked without trouble must all be. */
const requestMs = 250
const eventMs = 0.5
const charactersInMs = 10_000

export const openCheckTime = (): CheckTime => ({ leftMs: requestMs, heldMs: 0, unchecked: 0 })

/** Runs a check of an event of that many characters at the cost of the request. */
export function charge<Result>(time: CheckTime, size: number, check: () => Result): Result {
  const began = cpuMs()
  try {
    return check()
  } finally {
    const tookMs = cpuMs() - began
    time.heldMs += tookMs
    time.leftMs -= Math.max(0, tookMs - eventMs - size / charactersInMs)
  }
}

/** Of this thread, in milliseconds: a clock on the wall also counts the time in which other processes had the processor. */
export function cpuMs(): number {
  const { user, system } = process.threadCpuUsage()
  return (user + system) / 1000
}
