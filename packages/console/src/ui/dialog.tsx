import type { ComponentChildren } from 'preact'
import { useEffect, useId, useRef, useState } from 'preact/hooks'

type DialogProps = {
  readonly title: string
  readonly onClose: () => void
  readonly children: ComponentChildren
  readonly wide?: boolean
}

/** The browser's own: it keeps the focus inside, and Escape closes it. */
export function Dialog({ title, onClose, children, wide = false }: DialogProps) {
  const element = useRef<HTMLDialogElement>(null)
  const id = useId()
  useEffect(() => {
    const before = document.activeElement
    element.current?.showModal()
    return () => before instanceof HTMLElement && before.focus()
  }, [])
  return (
    <dialog
      ref={element}
      class={wide ? 'wide' : ''}
      aria-labelledby={id}
      onClose={onClose}
      onClick={(event) => event.target === element.current && element.current?.close()}
    >
      <div class="dialog-body">
        <h2 id={id}>{title}</h2>
        {children}
      </div>
    </dialog>
  )
}

type Question = {
  readonly title: string
  readonly text: ComponentChildren
  /** on the button: what will be done */
  readonly verb: string
  /** must be typed first: what is destroyed cannot be had back */
  readonly name?: string | undefined
  readonly isDangerous?: boolean | undefined
}

type Asked = Question & { readonly answer: (yes: boolean) => void }

let show: ((asked: Asked | undefined) => void) | undefined

/** Asks before something is done that cannot be undone. */
export function ask(question: Question): Promise<boolean> {
  return new Promise((resolve) => show?.({ ...question, answer: resolve }))
}

export function Asking() {
  const [asked, setAsked] = useState<Asked>()
  const [typed, setTyped] = useState('')
  useEffect(() => {
    show = (next) => {
      setTyped('')
      setAsked(next)
    }
    return () => void (show = undefined)
  }, [])
  if (!asked) return null
  const end = (yes: boolean): void => {
    asked.answer(yes)
    setAsked(undefined)
  }
  return (
    <Dialog title={asked.title} onClose={() => end(false)}>
      <form
        onSubmit={(event) => {
          event.preventDefault()
          end(true)
        }}
      >
        <div class="soft">{asked.text}</div>
        {asked.name !== undefined && (
          <label>
            <span>
              Type <b class="mono">{asked.name}</b> to go on
            </span>
            <input
              value={typed}
              onInput={(event) => setTyped(event.currentTarget.value)}
              autofocus
              spellcheck={false}
              autocomplete="off"
            />
          </label>
        )}
        <div class="actions">
          <button type="button" onClick={() => end(false)}>
            Cancel
          </button>
          <button
            type="submit"
            class={asked.isDangerous ? 'danger' : 'primary'}
            disabled={asked.name !== undefined && typed !== asked.name}
          >
            {asked.verb}
          </button>
        </div>
      </form>
    </Dialog>
  )
}
