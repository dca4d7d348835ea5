import { useState } from 'preact/hooks'
import { go } from '../../address.ts'
import { useDeed } from '../../hooks/use-deed.ts'
import { hub } from '../../hub.ts'
import { Dialog } from '../../ui/dialog.tsx'

export function NewInbox({ onClose }: { readonly onClose: () => void }) {
  const [key, setKey] = useState('')
  const [types, setTypes] = useState('')
  const [start, setStart] = useState<'latest' | 'earliest'>('latest')
  const { isBusy, run } = useDeed()
  const make = async (): Promise<void> => {
    const globs = types.split(/[\s,]+/).filter(Boolean)
    const isMade = await run(async () => {
      await hub.putInbox(key, { start, filter: globs.length > 0 ? { event_types: globs } : {} })
      return `Inbox ${key} is there`
    })
    if (isMade) go(['inboxes', key])
  }
  return (
    <Dialog title="New inbox" onClose={onClose}>
      <form
        onSubmit={(event) => {
          event.preventDefault()
          void make()
        }}
      >
        <label>
          <span>Name</span>
          <input
            value={key}
            onInput={(event) => setKey(event.currentTarget.value)}
            pattern="[a-z0-9][a-z0-9._\-]{0,99}"
            title="Letters a to z in lower case, digits and . _ -"
            placeholder="crm"
            required
            autofocus
            spellcheck={false}
          />
        </label>
        <label>
          <span>Event types</span>
          <input
            value={types}
            onInput={(event) => setTypes(event.currentTarget.value)}
            placeholder="order.*, customer.created"
            spellcheck={false}
          />
          <small class="soft">With stars; nothing for all types. Further conditions are in its settings.</small>
        </label>
        <label>
          <span>Begins with</span>
          <select
            value={start}
            onChange={(event) => setStart(event.currentTarget.value === 'earliest' ? 'earliest' : 'latest')}
          >
            <option value="latest">what comes from now on</option>
            <option value="earliest">the earliest event of the log</option>
          </select>
        </label>
        <div class="actions">
          <button type="button" onClick={onClose}>
            Cancel
          </button>
          <button type="submit" class="primary" disabled={isBusy}>
            Make inbox
          </button>
        </div>
      </form>
    </Dialog>
  )
}
