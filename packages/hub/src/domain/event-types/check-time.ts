/** CPU time that checking the events of one request may take together, and how many it did not suffice for. */
export type CheckTime = { leftMs: number; unchecked: number }

const requestMs = 250

export const openCheckTime = (): CheckTime => ({ leftMs: requestMs, unchecked: 0 })

/** Of this thread, in milliseconds: a wall clock also counts the time in which other processes had the processor. */
export function cpuMs(): number {
  const { user, system } = process.threadCpuUsage()
  return (user + system) / 1000
}
