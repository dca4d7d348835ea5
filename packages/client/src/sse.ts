/** What stood between two blank lines. Comments come out as frames without data: they show that the connection lives. */
export type SseFrame = {
  readonly event: string
  readonly data: string
  /** the last id seen on this connection */
  readonly id: string | undefined
  /** asked for by the server, in ms */
  readonly retryMs: number | undefined
}

/**
 * Reads server-sent events piece by piece, wherever the pieces are cut.
 *
 * @returns a function that takes the next piece of text and gives the frames that it completes
 * @see https://html.spec.whatwg.org/multipage/server-sent-events.html#event-stream-interpretation
 */
export function createSseParser(): (text: string) => SseFrame[] {
  let rest = ''
  let lines: string[] = []
  let id: string | undefined
  let retryMs: number | undefined
  return (text) => {
    const frames: SseFrame[] = []
    const buffer = rest + text
    // A CR at the end may be the first half of CRLF.
    const heldBack = buffer.endsWith('\r') ? '\r' : ''
    const parts = buffer.slice(0, buffer.length - heldBack.length).split(/\r\n|\n|\r/)
    rest = (parts.pop() ?? '') + heldBack
    for (const line of parts) {
      if (line !== '') {
        lines.push(line)
        continue
      }
      const fields = parseFields(lines)
      lines = []
      id = fields.id ?? id
      retryMs = fields.retryMs ?? retryMs
      frames.push({ event: fields.event, data: fields.data.join('\n'), id, retryMs })
    }
    return frames
  }
}

type Fields = { event: string; data: string[]; id: string | undefined; retryMs: number | undefined }

function parseFields(lines: readonly string[]): Fields {
  const fields: Fields = { event: 'message', data: [], id: undefined, retryMs: undefined }
  for (const line of lines) {
    const colon = line.indexOf(':')
    const name = colon < 0 ? line : line.slice(0, colon)
    const value = colon < 0 ? '' : line.slice(colon + (line[colon + 1] === ' ' ? 2 : 1))
    if (name === 'data') fields.data.push(value)
    else if (name === 'event') fields.event = value
    else if (name === 'id' && !value.includes('\0')) fields.id = value
    else if (name === 'retry' && /^\d{1,9}$/.test(value)) fields.retryMs = Number(value)
  }
  return fields
}
