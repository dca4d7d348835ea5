import type { Event } from '@sluice/protocol'
import { openFrames } from './frames.ts'
import type { Settings } from './options.ts'

export type TailQuery = {
  /** glob */
  readonly event_type?: string | undefined
  /** glob */
  readonly source?: string | undefined
  /** glob */
  readonly subject?: string | undefined
  /** events in a second, 1 to 200; default 50 */
  readonly per_second?: number | undefined
}

/** An event; `pace`, about once a second: how many there were, and how many of them came; `open`: nothing is missed from here on. */
export type Tailed =
  | { readonly kind: 'open' }
  | { readonly kind: 'event'; readonly event: Event }
  | { readonly kind: 'pace'; readonly seen: number; readonly shown: number }

/** @throws ApiError if the hub refuses; anything else if the connection breaks */
export async function* tailEvents(
  settings: Settings,
  query: TailQuery,
  signal: AbortSignal,
): AsyncGenerator<Tailed, void, undefined> {
  const headers = { accept: 'text/event-stream' }
  const call = { method: 'GET', path: '/v1/events/stream', query, headers, repeatable: true } as const
  const frames = openFrames(settings, call, () => frames.close())
  const leave = (): void => frames.close()
  signal.addEventListener('abort', leave)
  try {
    let isOpen = false
    for (let frame = await frames.next(); frame; frame = await frames.next()) {
      if (!isOpen) yield { kind: 'open' }
      isOpen = true
      // Written by the hub: an event, or two numbers.
      if (frame.event === 'event') yield { kind: 'event', event: JSON.parse(frame.data) as Event }
      if (frame.event === 'pace') yield { kind: 'pace', ...(JSON.parse(frame.data) as { seen: number; shown: number }) }
    }
  } finally {
    signal.removeEventListener('abort', leave)
    leave()
  }
}
