import { useEffect, useState } from 'preact/hooks'
import { toAgo, toLocal } from './format.ts'

const listeners = new Set<(nowMs: number) => void>()
let timer: ReturnType<typeof setInterval> | undefined

/** One timer for all times of the page. */
function useNow(): number {
  const [nowMs, setNowMs] = useState(Date.now)
  useEffect(() => {
    listeners.add(setNowMs)
    timer ??= setInterval(() => {
      for (const listener of listeners) listener(Date.now())
    }, 1000)
    return () => {
      listeners.delete(setNowMs)
      if (listeners.size > 0) return
      clearInterval(timer)
      timer = undefined
    }
  }, [])
  return nowMs
}

type Props = { readonly at: string; readonly exact?: boolean }

/** How long ago; the exact time, here and in UTC, on hover. `exact`: the local time itself. */
export function Time({ at, exact = false }: Props) {
  const title = `${toLocal(at)}\n${at.replace('T', ' ').replace('Z', ' UTC')}`
  return (
    <time dateTime={at} title={title} class="time">
      {exact ? toLocal(at) : <Ago at={at} />}
    </time>
  )
}

function Ago({ at }: { readonly at: string }) {
  return <>{toAgo(at, useNow())}</>
}
