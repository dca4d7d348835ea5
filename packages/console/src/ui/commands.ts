import { useEffect, useRef } from 'preact/hooks'

/** Something that the page can do: in the palette, and under a key where it has one. */
export type Command = {
  readonly name: string
  /** as `KeyboardEvent.key` says it */
  readonly key?: string | undefined
  readonly run: () => void
  /** known by its key alone: it makes no sense in the palette */
  readonly isHidden?: boolean
}

type Registered = { readonly current: readonly Command[] }

const registered: Registered[] = []

/** What can be done while this component is shown. What was shown last wins a key. */
export function useCommands(commands: readonly Command[]): void {
  const latest = useRef(commands)
  latest.current = commands
  useEffect(() => {
    registered.push(latest)
    return () => void registered.splice(registered.indexOf(latest), 1)
  }, [])
}

export function allCommands(): Command[] {
  return registered.toReversed().flatMap(({ current }) => current)
}

const isTyping = (target: EventTarget | null): boolean =>
  target instanceof HTMLElement && (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName))

/** @param openPalette for Ctrl-K, which works everywhere */
export function useKeyboard(openPalette: () => void): void {
  const latest = useRef(openPalette)
  latest.current = openPalette
  useEffect(() => {
    const listen = (event: KeyboardEvent): void => {
      if (event.key.toLowerCase() === 'k' && (event.ctrlKey || event.metaKey)) {
        event.preventDefault()
        return latest.current()
      }
      if (event.ctrlKey || event.metaKey || event.altKey || document.querySelector('dialog[open]')) return
      if (isTyping(event.target)) {
        if (event.key === 'Escape') (event.target as HTMLElement).blur()
        return
      }
      // On a button or a link, Enter is that one's.
      if (
        event.key === 'Enter' &&
        event.target instanceof HTMLElement &&
        /^(A|BUTTON|SUMMARY)$/.test(event.target.tagName)
      )
        return
      const command = allCommands().find(({ key }) => key === event.key)
      if (!command) return
      event.preventDefault()
      command.run()
    }
    addEventListener('keydown', listen)
    return () => removeEventListener('keydown', listen)
  }, [])
}
