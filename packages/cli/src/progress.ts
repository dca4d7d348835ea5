export type Progress = {
  /** so many bytes more of the input */
  read(bytes: number): void
  show(tally: Tally): void
  end(tally: Tally): void
}

type Tally = { readonly accepted: number; readonly failed: number }

const barWidth = 24

/** A bar on stderr that is drawn over and over on a terminal; anywhere else one line at the end. @param totalBytes of the input, where it is known */
export function createProgress(totalBytes: number | undefined): Progress {
  const began = performance.now()
  const { stderr } = process
  let bytes = 0
  const draw = (tally: Tally, share: number | undefined): string => {
    const done = tally.accepted + tally.failed
    const rate = Math.round(done / Math.max(0.001, (performance.now() - began) / 1000))
    const failed = tally.failed > 0 ? `, ${tally.failed.toLocaleString('en')} failed` : ''
    return `${toBar(share)}${tally.accepted.toLocaleString('en')} accepted${failed}, ${rate.toLocaleString('en')}/s`
  }
  return {
    read: (more) => {
      bytes += more
    },
    show: (tally) => {
      if (!stderr.isTTY) return
      stderr.write(`\r\u001b[2K${draw(tally, totalBytes === undefined ? undefined : bytes / Math.max(1, totalBytes))}`)
    },
    end: (tally) => {
      stderr.write(`${stderr.isTTY ? '\r\u001b[2K' : ''}${draw(tally, 1)}\n`)
    },
  }
}

function toBar(share: number | undefined): string {
  if (share === undefined) return ''
  const full = Math.min(barWidth, Math.round(share * barWidth))
  return `[${'#'.repeat(full)}${'.'.repeat(barWidth - full)}] ${Math.min(100, Math.round(share * 100))} % `
}
