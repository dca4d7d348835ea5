import { useMemo, useState } from 'preact/hooks'
import { allCommands } from './commands.ts'
import { Dialog } from './dialog.tsx'

/** Everything that the page can do, by its first letters. */
export function Palette({ onClose }: { readonly onClose: () => void }) {
  const commands = useMemo(() => allCommands().filter(({ isHidden }) => !isHidden), [])
  const [text, setText] = useState('')
  const [chosen, setChosen] = useState(0)
  const words = text.toLowerCase().split(/\s+/).filter(Boolean)
  const found = commands.filter(({ name }) => words.every((word) => name.toLowerCase().includes(word)))
  const run = (index: number): void => {
    const command = found[index]
    if (!command) return
    onClose()
    // After the dialog has given the focus back.
    setTimeout(command.run)
  }
  const move = (event: KeyboardEvent): void => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key]
    if (step !== undefined) setChosen((now) => Math.max(0, Math.min(found.length - 1, now + step)))
    else if (event.key === 'Enter') run(chosen)
    else return
    event.preventDefault()
  }
  return (
    <Dialog title="Commands" onClose={onClose}>
      <div class="palette">
        <input
          autofocus
          role="combobox"
          aria-expanded="true"
          aria-controls="palette-list"
          aria-activedescendant={`command-${chosen}`}
          aria-label="Search commands"
          placeholder="What do you want to do?"
          value={text}
          onInput={(event) => {
            setText(event.currentTarget.value)
            setChosen(0)
          }}
          onKeyDown={move}
        />
        <ul id="palette-list" role="listbox" aria-label="Commands">
          {found.map(({ name, key }, index) => (
            <li
              key={name}
              id={`command-${index}`}
              role="option"
              aria-selected={index === chosen}
              onClick={() => run(index)}
              onMouseMove={() => setChosen(index)}
            >
              <span>{name}</span>
              {key && <kbd>{key}</kbd>}
            </li>
          ))}
        </ul>
        {found.length === 0 && <p class="soft">Nothing here is called that.</p>}
      </div>
    </Dialog>
  )
}

const keys: readonly (readonly [string, string])[] = [
  ['/', 'Search'],
  ['j  k', 'Next, previous'],
  ['Enter', 'Open'],
  ['Esc', 'Back'],
  ['r', 'Replay'],
  ['c', 'Copy the id'],
  ['Ctrl K', 'Everything that the page can do'],
  ['?', 'These keys'],
]

export function Keys({ onClose }: { readonly onClose: () => void }) {
  return (
    <Dialog title="Keyboard" onClose={onClose}>
      <dl class="keys">
        {keys.map(([key, what]) => (
          <div key={key}>
            <dt>
              {key.split('  ').map((one) => (
                <kbd key={one}>{one}</kbd>
              ))}
            </dt>
            <dd>{what}</dd>
          </div>
        ))}
      </dl>
    </Dialog>
  )
}
