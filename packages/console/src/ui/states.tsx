import type { ComponentChildren } from 'preact'
import type { Failure } from '../hub.ts'
import { Copy } from './copy.tsx'

type EmptyProps = { readonly title: string; readonly children?: ComponentChildren; readonly action?: ComponentChildren }

/** What this place is for, and the one thing to do. */
export function Empty({ title, children, action }: EmptyProps) {
  return (
    <div class="empty">
      <h2>{title}</h2>
      {children && <p>{children}</p>}
      {action}
    </div>
  )
}

/** What went wrong, what to do, and what to find it in the log by. */
export function Broken({ failure, retry }: { readonly failure: Failure; readonly retry?: (() => void) | undefined }) {
  return (
    <div class="empty broken" role="alert">
      <h2>{failure.title}</h2>
      <p>{failure.detail}</p>
      {failure.correlationId && (
        <p class="small soft">
          Correlation id <Copy text={failure.correlationId} what="correlation id" />
        </p>
      )}
      {retry && (
        <button type="button" onClick={retry}>
          Try again
        </button>
      )}
    </div>
  )
}

/** Stands where the content will stand. */
export function Skeleton({ rows = 8, height = 36 }: { readonly rows?: number; readonly height?: number }) {
  return (
    <div class="skeleton" aria-busy="true" aria-label="Loading">
      {Array.from({ length: rows }, (_, index) => (
        <div key={index} style={{ height: `${height}px` }}>
          <span style={{ width: `${30 + ((index * 37) % 50)}%` }} />
        </div>
      ))}
    </div>
  )
}
