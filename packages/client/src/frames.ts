import type { Settings } from './options.ts'
import { toOperation, toOutgoing, toRefusal, type Call } from './request.ts'
import { createSseParser, type SseFrame } from './sse.ts'

/** One connection over which frames come. */
export type Frames = {
  /**
   * The next one; undefined when there will be none, because the connection has ended or was closed here.
   *
   * @throws ApiError if the hub refused, anything else if the connection broke
   */
  readonly next: () => Promise<SseFrame | undefined>
  readonly close: () => void
  /** Closes, too, and gives what has come and was not asked for. */
  readonly drain: () => Promise<SseFrame[]>
}

/** The hub sends a comment every 15 s; a connection that is silent for three times as long is dead. */
const silenceMs = 45_000
/** While a connection is drained: when nothing has come for so long, nothing is on its way. */
const quietMs = 20

/** @param onSilence called when nothing has come for too long, also because nobody asked; closing is up to it */
export function openFrames(settings: Settings, call: Call, onSilence: () => void): Frames {
  const connection = new AbortController()
  let silence = setTimeout(onSilence, settings.timeoutMs)
  const parse = createSseParser()
  const decoder = new TextDecoder()
  const arrived: SseFrame[] = []
  let reader: ReadableStreamDefaultReader<Uint8Array> | undefined
  let reading: Promise<boolean> | undefined
  let isClosed = false
  /** One piece of the answer; false at its end. */
  const read = async (): Promise<boolean> => {
    reader ??= await connect(settings, call, connection.signal)
    const piece = await reader?.read()
    if (!piece?.value) return false
    clearTimeout(silence)
    if (!connection.signal.aborted) silence = setTimeout(onSilence, silenceMs)
    arrived.push(...parse(decoder.decode(piece.value, { stream: true })))
    return true
  }
  const readOn = (): Promise<boolean> => (reading ??= read().finally(() => (reading = undefined)))
  const close = (): void => {
    isClosed = true
    clearTimeout(silence)
    connection.abort()
  }
  return {
    next: async () => {
      while (!isClosed && arrived.length === 0) {
        if (!(await readOn())) return undefined
      }
      return isClosed ? undefined : arrived.shift()
    },
    close,
    drain: async () => {
      isClosed = true
      const isQuiet = (): Promise<boolean> => settings.clock.sleep(quietMs).then(() => false)
      while (reader && (await Promise.race([readOn(), isQuiet()]).catch(() => false)));
      close()
      return arrived.splice(0)
    },
  }
}

async function connect(
  settings: Settings,
  call: Call,
  signal: AbortSignal,
): Promise<ReadableStreamDefaultReader<Uint8Array> | undefined> {
  const response = await settings.transport({ ...toOutgoing(settings, call), isHeld: true, signal })
  if (response.status === 200) return response.stream()?.getReader()
  throw toRefusal(settings, toOperation(call), { response, text: await response.text() })
}
