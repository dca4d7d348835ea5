/**
 * The lines of an input, ended by LF or CRLF. Not `node:readline`, which ends them at U+2028 and U+2029, too: those may
 * stand in JSON.
 *
 * @param onBytes told how much of the input was read
 */
export async function* readLines(
  input: AsyncIterable<Buffer | string>,
  onBytes: (bytes: number) => void,
): AsyncGenerator<string, void, undefined> {
  const decoder = new TextDecoder()
  let pieces: string[] = []
  for await (const chunk of input) {
    onBytes(chunk.length)
    const text = typeof chunk === 'string' ? chunk : decoder.decode(chunk, { stream: true })
    const [first = '', ...more] = text.split('\n')
    pieces.push(first)
    for (const next of more) {
      yield withoutReturn(pieces.join(''))
      pieces = [next]
    }
  }
  const last = withoutReturn(pieces.join('') + decoder.decode())
  if (last !== '') yield last
}

function withoutReturn(line: string): string {
  return line.endsWith('\r') ? line.slice(0, -1) : line
}
