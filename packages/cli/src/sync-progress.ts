import type { Tally } from '@sluice/sdk/sync'

export type SyncProgress = {
  /** says what has come so far: a line for each table, drawn over and over on a terminal, each two seconds anywhere else */
  readonly show: () => void
  /** of something else that is said: the lines stay below it */
  readonly note: (line: string) => void
  readonly end: () => void
}

const everyMs = { terminal: 200, file: 2000 }

/** Progress of a sync on stderr. */
export function createSyncProgress(tally: Tally): SyncProgress {
  const { stderr } = process
  const began = performance.now()
  let shownAt = began
  let drawn = 0
  const clear = (): void => {
    if (drawn > 0) stderr.write(`\u001b[${drawn}F\u001b[0J`)
    drawn = 0
  }
  const draw = (): void => {
    const lines = toLines(tally, (performance.now() - began) / 1000)
    clear()
    stderr.write(lines.map((line) => `${line}\n`).join(''))
    if (stderr.isTTY) drawn = lines.length
  }
  return {
    show: () => {
      const now = performance.now()
      if (now - shownAt < (stderr.isTTY ? everyMs.terminal : everyMs.file)) return
      shownAt = now
      draw()
    },
    note: (line) => {
      clear()
      stderr.write(`${line}\n`)
    },
    end: draw,
  }
}

function toLines({ changes, operations, http }: Tally, seconds: number): string[] {
  const width = Math.max(0, ...[...changes.keys()].map((table) => table.length))
  const tables = [...changes].map(
    ([table, count]) =>
      `${table.padEnd(width)}  ${count.toLocaleString('en')} rows, ${Math.round(count / Math.max(0.001, seconds)).toLocaleString('en')}/s`,
  )
  const { pages, requests, retries } = http
  const all = `${pages} pages, ${requests} requests, ${retries} of them again, ${operations.checkpoints} checkpoints`
  return [...tables, all]
}
