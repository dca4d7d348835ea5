import type { Readable } from 'node:stream'

type Lines = {
  /** of one line; no more is read after a longer one */
  readonly maxBytes: number
  readonly onLine: (line: string) => void
  readonly onTooLong: () => void
}

/** Lines that end with LF and with nothing else: JSON has U+2028 as it is, where `node:readline` ends a line. */
export function readLines(stream: Readable, { maxBytes, onLine, onTooLong }: Lines): void {
  let parts: Buffer[] = []
  let size = 0
  stream.on('data', (chunk: Buffer) => {
    let from = 0
    for (let at = chunk.indexOf(10); at >= 0; at = chunk.indexOf(10, from)) {
      const line = Buffer.concat([...parts, chunk.subarray(from, at)])
      parts = []
      size = 0
      from = at + 1
      if (line.length <= maxBytes) onLine(line.toString())
      else onTooLong()
    }
    parts.push(chunk.subarray(from))
    size += chunk.length - from
    if (size <= maxBytes) return
    parts = []
    stream.destroy()
    onTooLong()
  })
}
