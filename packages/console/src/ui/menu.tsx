import { useId, useRef } from 'preact/hooks'

type Entry = { readonly name: string; readonly run: () => void; readonly isDangerous?: boolean }

type Props = {
  readonly label: string
  /** for whoever does not see what the button stands beside */
  readonly name?: string
  readonly isQuiet?: boolean
  readonly entries: readonly Entry[]
}

/** A button with choices below it. The browser's popover: it closes by itself, and Escape closes it. */
export function Menu({ label, name, isQuiet = false, entries }: Props) {
  const id = useId()
  const list = useRef<HTMLDivElement>(null)
  const button = useRef<HTMLButtonElement>(null)
  const place = (event: { readonly newState: string }): void => {
    if (event.newState !== 'open' || !list.current || !button.current) return
    const { bottom, right } = button.current.getBoundingClientRect()
    list.current.style.top = `${bottom + 4}px`
    list.current.style.left = `${Math.max(8, right - list.current.offsetWidth)}px`
  }
  return (
    <>
      <button
        type="button"
        ref={button}
        popovertarget={id}
        aria-haspopup="menu"
        aria-label={name}
        class={isQuiet ? 'ghost small above' : ''}
      >
        {label}
      </button>
      <div ref={list} id={id} popover="auto" class="menu" role="menu" onToggle={place}>
        {entries.map(({ name, run, isDangerous }) => (
          <button
            key={name}
            type="button"
            role="menuitem"
            class={isDangerous ? 'ghost dangerous' : 'ghost'}
            onClick={() => {
              list.current?.hidePopover()
              run()
            }}
          >
            {name}
          </button>
        ))}
      </div>
    </>
  )
}
