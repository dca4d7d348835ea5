import type { Event } from '@sluice/protocol'
import { ApiError } from './error.ts'
import { openFrames, type Frames } from './frames.ts'
import { giveBack, type StreamTools } from './give-back.ts'
import type { Call } from './request.ts'
import { isTransient, toBackoffMs } from './retry.ts'
import type { SseFrame } from './sse.ts'

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

/** A connection that held this long was a good one: the next failure starts at the shortest wait again. */
const steadyMs = 5000

/** See `Inbox.stream`. */
export async function* streamInbox(
  tools: StreamTools,
  key: string,
  options: StreamOptions,
): AsyncGenerator<StreamedEvent, void, undefined> {
  const { signal } = options
  const { clock, random } = tools.settings
  let place: string | undefined
  let retryMs = 0
  for (let failures = 0; !signal?.aborted; failures += 1) {
    const since = clock.now()
    const onOver = (): void => void leave()
    const frames = openFrames(tools.settings, toCall(key, options, place), onOver)
    let leaving: Promise<void> | undefined
    const leave = (): Promise<void> => (leaving ??= leaveFrames(tools, key, { frames, options }))
    signal?.addEventListener('abort', onOver)
    try {
      for (let frame = await nextFrame(frames, signal); frame; frame = await nextFrame(frames, signal)) {
        place = frame.id ?? place
        retryMs = frame.retryMs ?? retryMs
        if (frame.data === '') continue
        failures = 0
        yield toStreamed(frame)
      }
    } finally {
      signal?.removeEventListener('abort', onOver)
      await leave()
    }
    if (clock.now() - since > steadyMs) failures = 0
    await clock.sleep(Math.max(retryMs, toBackoffMs(failures, random)), signal).catch(() => undefined)
  }
}

type Leaving = { readonly frames: Frames; readonly options: StreamOptions }

/** What was leased for this stream and nobody has taken from it goes back. */
async function leaveFrames(tools: StreamTools, key: string, { frames, options }: Leaving): Promise<void> {
  if (options.leaseSeconds === undefined) return frames.close()
  const rest = (await frames.drain()).filter((frame) => frame.data !== '').map(toStreamed)
  await giveBack(tools, key, rest)
}

/** Undefined when the connection is over for whatever reason that another one may cure. */
async function nextFrame(frames: Frames, signal: AbortSignal | undefined): Promise<SseFrame | undefined> {
  try {
    return await frames.next()
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

function toStreamed({ data, id }: SseFrame): StreamedEvent {
  // Written by the hub: an event, or a lease around one.
  const body = JSON.parse(data) as Event | { lease_id: string; leased_until: string; event: Event }
  return 'lease_id' in body ? { ...body, cursor: id } : { event: body, cursor: id }
}
