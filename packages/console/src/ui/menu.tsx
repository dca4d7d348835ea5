import { useId, useRef } from 'preact/hooks'

type Entry = { readonly name: string; readonly run: () => void; readonly isDangerous?: boolean }

/** A button with choices below it. The browser's popover: it closes by itself, and Escape closes it. */
export function Menu({ label, entries }: { readonly label: string; readonly entries: readonly Entry[] }) {
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
      <button type="button" ref={button} popovertarget={id} aria-haspopup="menu">
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
