import type { Event } from '@sluice/protocol'
import { ApiError } from './error.ts'
import type { Settings } from './options.ts'
import { toOperation, toOutgoing, toRefusal, type Call } from './request.ts'
import { isTransient, toBackoffMs } from './retry.ts'
import { createSseParser, type SseFrame } from './sse.ts'

export type StreamOptions = {
  /** ends the stream, without an error */
  readonly signal?: AbortSignal | undefined
  /** 1 to 3,600: compete for work instead of only following; acknowledge what comes */
  readonly leaseSeconds?: number | undefined
  /** with `leaseSeconds`: events leased at a time, 1 to 1,000; default 10 */
  readonly limit?: number | undefined
  /** go on after this place: `cursor` of an event that came before */
  readonly cursor?: string | undefined
  /** default: where the inbox stands */
  readonly from?: 'latest' | 'earliest' | undefined
}

export type StreamedEvent = {
  readonly event: Event
  /** the place of the event; give it to a later `stream` to go on after it */
  readonly cursor: string | undefined
  /** with `leaseSeconds` */
  readonly lease_id?: string
  readonly leased_until?: string
}

/** The hub sends a comment every 15 s; a connection that is silent for three times as long is dead. */
const silenceMs = 45_000
/** A connection that held this long was a good one: the next failure starts at the shortest wait again. */
const steadyMs = 5000

/** See `Inbox.stream`. */
export async function* streamInbox(
  settings: Settings,
  key: string,
  options: StreamOptions,
): AsyncGenerator<StreamedEvent, void, undefined> {
  const { signal } = options
  const { clock } = settings
  let place: string | undefined
  let retryMs = 0
  for (let failures = 0; !signal?.aborted; failures += 1) {
    const since = clock.now()
    const frames = readFrames(settings, toCall(key, options, place), signal)
    try {
      for (let frame = await nextFrame(frames, signal); frame; frame = await nextFrame(frames, signal)) {
        place = frame.id ?? place
        retryMs = frame.retryMs ?? retryMs
        if (frame.data === '') continue
        failures = 0
        yield toStreamed(frame)
      }
    } finally {
      await frames.return()
    }
    if (clock.now() - since > steadyMs) failures = 0
    await clock.sleep(Math.max(retryMs, toBackoffMs(failures, settings.random)), signal).catch(() => undefined)
  }
}

/** The next frame, or undefined when the connection is over for whatever reason that another one may cure. */
async function nextFrame(
  frames: AsyncGenerator<SseFrame, void, undefined>,
  signal: AbortSignal | undefined,
): Promise<SseFrame | undefined> {
  try {
    const { value } = await frames.next()
    return signal?.aborted ? undefined : (value ?? undefined)
  } catch (error) {
    if (!signal?.aborted && error instanceof ApiError && !isTransient(error.status)) throw error
    return undefined
  }
}

function toCall(key: string, options: StreamOptions, place: string | undefined): Call {
  const { leaseSeconds, limit, cursor, from } = options
  const start = place === undefined ? { cursor, from } : {}
  return {
    method: 'GET',
    path: `/v1/inboxes/${encodeURIComponent(key)}/stream`,
    query: { lease_seconds: leaseSeconds, limit, ...start },
    headers: { accept: 'text/event-stream', ...(place !== undefined && { 'last-event-id': place }) },
    repeatable: true,
  }
}

async function* readFrames(
  settings: Settings,
  call: Call,
  signal: AbortSignal | undefined,
): AsyncGenerator<SseFrame, void, undefined> {
  const connection = new AbortController()
  let silence: ReturnType<typeof setTimeout> | undefined
  // Also while nobody asks for the next frame: the timer must not keep a program alive that has turned away.
  const close = (): void => {
    clearTimeout(silence)
    connection.abort()
  }
  signal?.addEventListener('abort', close, { once: true })
  if (signal?.aborted) close()
  silence = setTimeout(close, settings.timeoutMs)
  try {
    const response = await settings.transport({ ...toOutgoing(settings, call), signal: connection.signal })
    if (response.status !== 200) throw toRefusal(settings, toOperation(call), { response, text: await response.text() })
    const parse = createSseParser()
    const decoder = new TextDecoder()
    const reader = response.body?.getReader()
    for (let piece = await reader?.read(); piece?.value; piece = await reader?.read()) {
      clearTimeout(silence)
      silence = setTimeout(close, silenceMs)
      yield* parse(decoder.decode(piece.value, { stream: true }))
    }
  } finally {
    signal?.removeEventListener('abort', close)
    close()
  }
}

function toStreamed({ data, id }: SseFrame): StreamedEvent {
  // Written by the hub: an event, or a lease around one.
  const body = JSON.parse(data) as Event | { lease_id: string; leased_until: string; event: Event }
  return 'lease_id' in body ? { ...body, cursor: id } : { event: body, cursor: id }
}
