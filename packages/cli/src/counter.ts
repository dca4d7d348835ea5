export type Counter = {
  readonly show: (count: number) => void
  readonly end: (count: number) => void
}

/** A number on stderr that is drawn over and over on a terminal; anywhere else one line at the end. */
export function createCounter(what: string): Counter {
  const began = performance.now()
  const { stderr } = process
  const draw = (count: number): string => {
    const rate = Math.round(count / Math.max(0.001, (performance.now() - began) / 1000))
    return `${count.toLocaleString('en')} ${what}, ${rate.toLocaleString('en')}/s`
  }
  return {
    show: (count) => {
      if (stderr.isTTY) stderr.write(`\r\u001b[2K${draw(count)}`)
    },
    end: (count) => {
      stderr.write(`${stderr.isTTY ? '\r\u001b[2K' : ''}${draw(count)}\n`)
    },
  }
}
