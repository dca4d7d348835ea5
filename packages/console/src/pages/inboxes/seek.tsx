import type { Inbox } from '@sluice/client/admin'
import { useState } from 'preact/hooks'
import { useDeed } from '../../hooks/use-deed.ts'
import { hub } from '../../hub.ts'
import { Dialog } from '../../ui/dialog.tsx'
import { toAmount } from '../../ui/format.ts'

type Props = { readonly inbox: Inbox; readonly onClose: () => void; readonly onChange: (inbox: Inbox) => void }
type Place = 'earliest' | 'latest' | 'time' | 'event'

export function Seek({ inbox, onClose, onChange }: Props) {
  const { key, leased } = inbox
  const [place, setPlace] = useState<Place>('time')
  const [text, setText] = useState('')
  const [name, setName] = useState('')
  const { isBusy, run } = useDeed()
  const seek = async (): Promise<void> => {
    const to = place === 'time' ? new Date(text).toISOString() : place === 'event' ? text.trim() : place
    const isDone = await run(async () => {
      onChange(await hub.seekInbox(key, { to }))
      return `${key} goes on from there`
    })
    if (isDone) onClose()
  }
  return (
    <Dialog title={`Seek ${key}`} onClose={onClose}>
      <form
        onSubmit={(event) => {
          event.preventDefault()
          void seek()
        }}
      >
        <p class="soft">
          The inbox goes on from another place of the log. {toAmount(leased, 'leased event')} and all that is parked are
          let go of; dead letters stay.
        </p>
        <label>
          <span>To</span>
          <select value={place} onChange={(event) => setPlace(event.currentTarget.value as Place)}>
            <option value="time">a time</option>
            <option value="event">an event</option>
            <option value="earliest">the earliest event</option>
            <option value="latest">the end of the log</option>
          </select>
        </label>
        {place === 'time' && (
          <label>
            <span>First event accepted at or after</span>
            <input
              type="datetime-local"
              step="1"
              required
              value={text}
              onInput={(event) => setText(event.currentTarget.value)}
            />
          </label>
        )}
        {place === 'event' && (
          <label>
            <span>Event id</span>
            <input
              required
              class="mono"
              value={text}
              onInput={(event) => setText(event.currentTarget.value)}
              spellcheck={false}
            />
          </label>
        )}
        <label>
          <span>
            Type <b class="mono">{key}</b> to go on
          </span>
          <input
            value={name}
            onInput={(event) => setName(event.currentTarget.value)}
            spellcheck={false}
            autocomplete="off"
          />
        </label>
        <div class="actions">
          <button type="button" onClick={onClose}>
            Cancel
          </button>
          <button type="submit" class="danger" disabled={isBusy || name !== key}>
            Seek {key}
          </button>
        </div>
      </form>
    </Dialog>
  )
}
