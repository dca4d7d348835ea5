import type { ComponentChildren } from 'preact'
import { say } from './toast.tsx'

/** Ids in tables and heads: the ends tell them apart. */
export function shorten(id: string): string {
  return id.length > 20 ? `${id.slice(0, 8)}…${id.slice(-6)}` : id
}

export async function copyText(text: string, what: string): Promise<void> {
  try {
    await navigator.clipboard.writeText(text)
    say(`Copied ${what}`)
  } catch {
    // Browsers have no clipboard on http:// but for this machine.
    say('The browser does not let this page use the clipboard', 'bad')
  }
}

type Props = { readonly text: string; readonly what: string; readonly children?: ComponentChildren }

/** An id, shortened in the middle, whole on copy. */
export function Copy({ text, what, children }: Props) {
  return (
    <button
      type="button"
      class="copy mono"
      title={`Copy ${what}: ${text}`}
      onClick={(event) => {
        event.stopPropagation()
        event.preventDefault()
        void copyText(text, what)
      }}
    >
      {children ?? shorten(text)}
      <CopyIcon />
    </button>
  )
}

export function CopyIcon() {
  return (
    <svg viewBox="0 0 16 16" width="12" height="12" aria-hidden="true" class="icon">
      <rect x="5.5" y="5.5" width="8" height="8" rx="1.5" fill="none" stroke="currentColor" />
      <path d="M10.5 3.5v-.5a1 1 0 0 0-1-1H3.500a1 1 0 0 0-1 1v6a1 1 0 0 0 1 1h.5" fill="none" stroke="currentColor" />
    </svg>
  )
}
