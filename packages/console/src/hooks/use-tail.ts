import type { Event, TailQuery } from '@sluice/client/admin'
import { useEffect, useRef, useState } from 'preact/hooks'
import { hub, isAbort } from '../hub.ts'

export type Tail = {
  /** newest first */
  readonly events: readonly Event[]
  /** events in the last second */
  readonly seen: number
  /** all in all, and those of them that are a part of the list */
  readonly total: { readonly seen: number; readonly shown: number }
  readonly state: 'off' | 'connecting' | 'open'
}

/** Rows that the list grows by at most; older ones leave it. */
const keptEvents = 2000
/** New events are shown so often: a list that changes with each of them cannot be read. */
const drawMs = 250
const againMs = 2000

const off: Tail = { events: [], seen: 0, total: { seen: 0, shown: 0 }, state: 'off' }

type TailFilters = Pick<TailQuery, 'event_type' | 'source' | 'subject'>

/**
 * What is published while somebody looks on.
 *
 * @param onGap the connection was lost and is back: what came meanwhile is not here
 * @param perSecond events that are shown, at most
 */
export function useTail(filters: TailFilters, isOn: boolean, onGap: () => void, perSecond = 50): Tail {
  const [tail, setTail] = useState<Tail>(off)
  const latest = useRef(onGap)
  latest.current = onGap
  const name = JSON.stringify(filters)
  useEffect(() => {
    if (!isOn) return setTail(off)
    const stop = new AbortController()
    let arrived: Event[] = []
    setTail({ ...off, state: 'connecting' })
    const draw = setInterval(() => {
      if (arrived.length === 0) return
      const fresh = arrived.toReversed()
      arrived = []
      setTail((before) => ({ ...before, events: [...fresh, ...before.events].slice(0, keptEvents) }))
    }, drawMs)
    const read = async (): Promise<void> => {
      for await (const item of hub.tailEvents({ ...filters, per_second: perSecond }, stop.signal)) {
        if (item.kind === 'open') setTail((before) => ({ ...before, state: 'open' }))
        else if (item.kind === 'event') arrived.push(item.event)
        else {
          const { seen, shown } = item
          setTail((before) => {
            const { total } = before
            return { ...before, seen, total: { seen: total.seen + seen, shown: total.shown + shown } }
          })
        }
      }
    }
    const keepReading = async (): Promise<void> => {
      for (let isFirst = true; !stop.signal.aborted; isFirst = false) {
        if (!isFirst) latest.current()
        await read().catch((error: unknown) => isAbort(error))
        setTail((before) => ({ ...before, state: 'connecting', seen: 0 }))
        await new Promise((resolve) => setTimeout(resolve, againMs))
      }
    }
    void keepReading()
    return () => {
      stop.abort()
      clearInterval(draw)
    }
  }, [name, isOn])
  return tail
}
