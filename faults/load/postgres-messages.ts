/** One message of Postgres' protocol; `type` is empty for the first ones of a client, which have none. */
export type Message = { readonly type: string; readonly bytes: Buffer }

const typeBytes = 1
const lengthBytes = 4

/** Cuts a stream of bytes into messages. */
export function createMessageReader(startsWithout: boolean): (chunk: Buffer) => Message[] {
  let rest: Buffer = Buffer.alloc(0)
  let isTyped = !startsWithout
  return (chunk) => {
    rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk])
    const messages: Message[] = []
    for (;;) {
      const before = isTyped ? typeBytes : 0
      if (rest.length < before + lengthBytes) return messages
      const size = before + rest.readInt32BE(before)
      if (rest.length < size) return messages
      messages.push({ type: isTyped ? rest.toString('latin1', 0, typeBytes) : '', bytes: rest.subarray(0, size) })
      rest = rest.subarray(size)
      isTyped = true
    }
  }
}

/** The text of the statement that each command of a client carries out; a prepared one is known by its name. */
export function createStatementReader(): (message: Message) => string | undefined {
  const prepared = new Map<string, string>()
  let bound = ''
  return ({ type, bytes }) => {
    const texts = (): string[] => bytes.toString('utf8', typeBytes + lengthBytes).split('\0')
    if (type === 'P') {
      const [name = '', text = ''] = texts()
      prepared.set(name, text)
    }
    if (type === 'B') {
      const [, name = ''] = texts()
      bound = prepared.get(name) ?? ''
    }
    if (type === 'Q') bound = texts()[0] ?? ''
    return type === 'B' || type === 'Q' || type === 'S' ? bound : undefined
  }
}
