/** The body of an answer while it arrives. It is read as one text or piece by piece, whatever its reader asks for. */
export type Arrival = {
  /** False when a stream's reader has enough for now; `resume` is called when it wants more. */
  readonly add: (chunk: Buffer) => boolean
  /** All of it is here, or `failure` says why not. Only the first call counts. */
  readonly end: (failure?: Failure) => void
  readonly text: () => Promise<string>
  readonly stream: () => ReadableStream<Uint8Array>
}

export type Failure = { readonly cause: unknown }

/** Bytes that may wait for the reader of a stream. */
const waitingMax = 64 * 1024

/**
 * @param resume lets more chunks come
 * @param cancel called when the reader of a stream has turned away
 */
export function createArrival(resume: () => void, cancel: () => void): Arrival {
  const chunks: Buffer[] = []
  let ended: { readonly failure: Failure | undefined } | undefined
  let onEnd = (): void => undefined
  let sink: ReadableStreamDefaultController<Uint8Array> | undefined
  let stream: ReadableStream<Uint8Array> | undefined
  const finish = (): void => {
    if (ended?.failure) sink?.error(ended.failure.cause)
    else sink?.close()
    sink = undefined
  }
  const open = (): ReadableStream<Uint8Array> =>
    new ReadableStream(
      {
        start: (controller) => {
          sink = controller
          for (const chunk of chunks.splice(0)) controller.enqueue(chunk)
          if (ended) finish()
        },
        pull: resume,
        cancel: () => {
          sink = undefined
          cancel()
        },
      },
      { highWaterMark: waitingMax, size: (chunk) => chunk.byteLength },
    )
  return {
    add: (chunk) => {
      if (!sink) return chunks.push(chunk) > 0
      sink.enqueue(chunk)
      return (sink.desiredSize ?? 0) > 0
    },
    end: (failure) => {
      if (ended) return
      ended = { failure }
      onEnd()
      if (sink) finish()
    },
    text: async () => {
      if (!ended) await new Promise<void>((resolve) => (onEnd = resolve))
      if (ended?.failure) throw ended.failure.cause
      return toText(chunks)
    },
    stream: () => (stream ??= open()),
  }
}

function toText(chunks: readonly Buffer[]): string {
  // Nearly every answer comes in one piece.
  const whole = chunks.length === 1 ? chunks[0] : Buffer.concat(chunks)
  return whole?.toString() ?? ''
}
