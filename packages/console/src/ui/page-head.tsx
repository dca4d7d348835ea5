import type { ComponentChildren } from 'preact'
import { toHref } from '../address.ts'

type Props = {
  readonly title: ComponentChildren
  /** where `esc` and the arrow lead */
  readonly up?: { readonly path: readonly string[]; readonly name: string }
  readonly note?: ComponentChildren
  /** the one main action, at the right */
  readonly children?: ComponentChildren
}

export function PageHead({ title, up, note, children }: Props) {
  return (
    <header class="page-head">
      <div class="page-title">
        {up && (
          <a class="up" href={toHref(up.path)}>
            {up.name} <span aria-hidden="true">/</span>
          </a>
        )}
        <h1>{title}</h1>
        {note}
      </div>
      {children && <div class="row actions-right">{children}</div>}
    </header>
  )
}

type TabsProps = {
  readonly label: string
  readonly current: string
  readonly tabs: readonly { readonly name: string; readonly title: string; readonly count?: number | undefined }[]
  readonly hrefOf: (name: string) => string
}

/** Parts of a page, each with an address of its own. */
export function Tabs({ label, current, tabs, hrefOf }: TabsProps) {
  return (
    <nav class="tabs" aria-label={label}>
      {tabs.map(({ name, title, count }) => (
        <a key={name} href={hrefOf(name)} aria-current={name === current ? 'page' : undefined}>
          {title}
          {count !== undefined && <span class="count">{count}</span>}
        </a>
      ))}
    </nav>
  )
}
