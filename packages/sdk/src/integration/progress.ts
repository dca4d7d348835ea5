/** How far a run is. */
export type ProgressReport = {
  /** at least 0, at most `total` */
  readonly done: number
  /** null: not known */
  readonly total: number | null
  readonly message: string | null
}

/**
 * Says how far a run is, to whoever waits for it: a fraction between 0 and 1, or so many of so many. Calls that follow each other
 * within 100 ms are left out, but never the last step. Where nobody waits, nothing happens.
 *
 * @throws RangeError for what is no place between 0 and the end
 * @example context.progress({ done: 3, total: 10 }, 'third page of ten')
 */
export type Progress = (at: number | { readonly done: number; readonly total?: number }, message?: string) => void

export type ProgressOptions = {
  readonly onProgress: ((report: ProgressReport) => void) | undefined
  readonly nowMs: () => number
}

const everyMs = 100
const messageLength = 500

export function createProgress({ onProgress, nowMs }: ProgressOptions): Progress {
  let lastMs = Number.NEGATIVE_INFINITY
  let isOver = false
  return (at, message) => {
    const { done, total = null } = typeof at === 'number' ? { done: at, total: 1 } : at
    if (!(done >= 0 && done <= (total ?? Number.MAX_SAFE_INTEGER)))
      throw new RangeError(`progress must be between 0 and ${total ?? 'its end'}; it is ${done}`)
    const isLast = done === total && !isOver
    const now = nowMs()
    if (!isLast && now - lastMs < everyMs) return
    lastMs = now
    isOver = done === total
    onProgress?.({ done, total, message: message?.slice(0, messageLength) ?? null })
  }
}
