import type { KeyWithSecret, NewKey as Wanted, Role } from '@sluice/client/admin'
import { useState } from 'preact/hooks'
import { useDeed } from '../../hooks/use-deed.ts'
import { hub } from '../../hub.ts'
import { copyText } from '../../ui/copy.tsx'
import { Dialog } from '../../ui/dialog.tsx'

const roles: readonly (readonly [Role, string])[] = [
  ['creator', 'publishes, consumes and reads'],
  ['publisher', 'publishes only'],
  ['consumer', 'works on inboxes only'],
  ['viewer', 'reads only'],
  ['admin', 'everything in this workspace'],
]

type Props = { readonly onClose: () => void; readonly onMade: (key: KeyWithSecret) => void }

export function NewKey({ onClose, onMade }: Props) {
  const [wanted, setWanted] = useState<Wanted>({ user_id: '', role: 'creator' })
  const { isBusy, run } = useDeed()
  const set = (more: Partial<Wanted>): void => setWanted((before) => ({ ...before, ...more }))
  const make = (): Promise<boolean> =>
    run(async () => {
      onMade(await hub.createKey(wanted))
      return undefined
    })
  return (
    <Dialog title="New key" onClose={onClose}>
      <form
        onSubmit={(event) => {
          event.preventDefault()
          void make()
        }}
      >
        <label>
          <span>Whose</span>
          <input
            required
            autofocus
            placeholder="shop"
            value={wanted.user_id}
            onInput={(event) => set({ user_id: event.currentTarget.value })}
          />
        </label>
        <label>
          <span>Role</span>
          <select
            value={wanted.role ?? 'creator'}
            onChange={(event) => set({ role: event.currentTarget.value as Role })}
          >
            {roles.map(([role, what]) => (
              <option key={role} value={role}>
                {role}: {what}
              </option>
            ))}
          </select>
        </label>
        <label>
          <span>May publish</span>
          <input
            placeholder="all types; or order.*, cart.*"
            spellcheck={false}
            onChange={(event) => {
              const globs = event.currentTarget.value.split(/[\s,]+/).filter(Boolean)
              set({ allowed_event_types: globs.length > 0 ? globs : null })
            }}
          />
        </label>
        <label>
          <span>Requests a minute, at most</span>
          <input
            type="number"
            min={1}
            placeholder="unlimited"
            onChange={(event) =>
              set({ rate_limit: event.currentTarget.value ? event.currentTarget.valueAsNumber : null })
            }
          />
        </label>
        <div class="actions">
          <button type="button" onClick={onClose}>
            Cancel
          </button>
          <button type="submit" class="primary" disabled={isBusy}>
            Make key
          </button>
        </div>
      </form>
    </Dialog>
  )
}

export function ShownOnce({ secret, onClose }: { readonly secret: string; readonly onClose: () => void }) {
  return (
    <Dialog title="The key, shown this once" onClose={onClose}>
      <p class="soft">The hub keeps only its digest. Put it where the program that needs it looks for it.</p>
      <pre class="secret" tabIndex={0}>
        {secret}
      </pre>
      <div class="actions">
        <button type="button" onClick={() => void copyText(secret, 'the key')}>
          Copy
        </button>
        <button type="button" class="primary" onClick={onClose}>
          Done
        </button>
      </div>
    </Dialog>
  )
}
