import type { ServerNotification } from '@modelcontextprotocol/sdk/types.js'
import type { ProgressReport } from '@sluice/sdk/integration'

const everyMs = 5000
/** The protocol wants each number larger than the last; this much is none to look at. */
const step = 1e-6

export type ProgressNotes = Disposable & { readonly onProgress: (report: ProgressReport) => void }

/**
 * Tells a client that gave a token how far its call is: what the handler says, and every 5 s that it still runs, for a client
 * may take a silent server for a dead one.
 */
export function reportProgress(
  token: string | number | undefined,
  send: (notification: ServerNotification) => Promise<void>,
): ProgressNotes {
  if (token === undefined) return { onProgress: () => {}, [Symbol.dispose]: () => {} }
  let [last, seconds] = [-step, 0]
  let total: number | null = null
  const note = (done: number, message: string | null): void => {
    last = Math.max(done, last + step)
    const params = {
      progressToken: token,
      progress: last,
      ...(total !== null && { total }),
      ...(message && { message }),
    }
    // Whoever is gone needs no news.
    send({ method: 'notifications/progress', params }).catch(() => undefined)
  }
  const beat = (): void => {
    note(0, `running for ${seconds} s`)
    seconds += everyMs / 1000
  }
  beat()
  const timer = setInterval(beat, everyMs)
  return {
    onProgress: (report) => {
      total = report.total
      note(report.done, report.message)
    },
    [Symbol.dispose]: () => clearInterval(timer),
  }
}
