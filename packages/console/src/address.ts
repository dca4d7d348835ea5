import { useEffect, useState } from 'preact/hooks'

/** Where the console is: `/console/`, or the like behind a proxy that serves the hub under a path of its own. */
export const base = new URL(/* @vite-ignore */ '..', import.meta.url).pathname

/** What the address says. All that a page shows by choice stands in it, so that a link shows the same. */
export type Address = {
  /** below the console: `['events', 'ID']` */
  readonly path: readonly string[]
  readonly query: Readonly<Record<string, string>>
}

export type Query = Readonly<Record<string, string | undefined>>

function read(): Address {
  const { pathname, search } = location
  const below = pathname.startsWith(base) ? pathname.slice(base.length) : ''
  return {
    path: below.split('/').filter(Boolean).map(decode),
    query: Object.fromEntries(new URLSearchParams(search)),
  }
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

/** @example toHref(['inboxes', 'crm'], { tab: 'dead' }) // '/console/inboxes/crm?tab=dead' */
export function toHref(path: readonly string[], query: Query = {}): string {
  const chosen = Object.entries(query).filter((entry): entry is [string, string] => Boolean(entry[1]))
  const text = new URLSearchParams(chosen).toString()
  return base + path.map(encodeURIComponent).join('/') + (text && `?${text}`)
}

const listeners = new Set<() => void>()
let current = read()

function tell(): void {
  current = read()
  for (const listener of listeners) listener()
}

/** @param href of the console itself, as `toHref` makes it */
export function follow(href: string): void {
  if (href !== location.href) history.pushState(null, '', href)
  tell()
}

/** @param replace leaves no step to come back to, for what changes while somebody types */
export function go(path: readonly string[], query: Query = {}, replace = false): void {
  const href = toHref(path, query)
  if (replace) history.replaceState(null, '', href)
  else history.pushState(null, '', href)
  tell()
}

/** Keeps the path and changes some of the query; `undefined` takes a member out. */
export function change(query: Query, replace = true): void {
  go(current.path, { ...current.query, ...query }, replace)
}

export const here = (): Address => current

export function useAddress(): Address {
  const [address, setAddress] = useState(current)
  useEffect(() => {
    const listener = (): void => setAddress(current)
    listeners.add(listener)
    listener()
    return () => void listeners.delete(listener)
  }, [])
  return address
}

/** Links of the console change the address without loading the page anew. Once, when it starts. */
export function followLinks(): void {
  addEventListener('popstate', tell)
  addEventListener('click', (event) => {
    if (
      event.defaultPrevented ||
      event.button !== 0 ||
      event.metaKey ||
      event.ctrlKey ||
      event.shiftKey ||
      event.altKey
    )
      return
    const link = event.composedPath().find((node) => node instanceof HTMLAnchorElement)
    if (!link || link.target || link.download || link.origin !== location.origin || !link.pathname.startsWith(base))
      return
    event.preventDefault()
    follow(link.href)
  })
}
