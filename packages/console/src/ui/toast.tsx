import { useEffect, useState } from 'preact/hooks'

type Toast = { readonly id: number; readonly text: string; readonly tone: 'good' | 'bad' }

let show: ((toast: Toast) => void) | undefined
let last = 0
const shownMs = 4000

/** A word at the edge of the page on what was just done. */
export function say(text: string, tone: Toast['tone'] = 'good'): void {
  last += 1
  show?.({ id: last, text, tone })
}

export function Toasts() {
  const [toasts, setToasts] = useState<readonly Toast[]>([])
  useEffect(() => {
    show = (toast) => {
      setToasts((before) => [...before.slice(-2), toast])
      setTimeout(() => setToasts((before) => before.filter(({ id }) => id !== toast.id)), shownMs)
    }
    return () => void (show = undefined)
  }, [])
  return (
    <div class="toasts" role="status" aria-live="polite">
      {toasts.map(({ id, text, tone }) => (
        <p key={id} class={`toast ${tone}`}>
          {text}
        </p>
      ))}
    </div>
  )
}
