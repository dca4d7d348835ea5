import type { Inbox, PatchInbox } from '@sluice/client/admin'
import { useState } from 'preact/hooks'
import { useDeed } from '../../hooks/use-deed.ts'
import { hub } from '../../hub.ts'
import { useMay } from '../../session.ts'
import { TryFilter } from './try-filter.tsx'

type Props = { readonly inbox: Inbox; readonly onSaved: (inbox: Inbox) => void }

export function Settings({ inbox, onSaved }: Props) {
  const { key, filter, start } = inbox
  const [filterText, setFilterText] = useState(() => JSON.stringify(filter, null, 2))
  const [change, setChange] = useState<PatchInbox>({})
  const { isBusy, run } = useDeed()
  const mayChange = useMay('inbox')
  const parsed = parseFilter(filterText)
  const isFilterChanged = parsed !== undefined && JSON.stringify(parsed) !== JSON.stringify(filter)
  const isChanged = isFilterChanged || Object.keys(change).length > 0
  const shown = { ...inbox, ...(change as Partial<Inbox>) } // of the form below, which sets whole members
  const set = (more: PatchInbox): void => setChange((before) => ({ ...before, ...more }))
  const save = (): Promise<boolean> =>
    run(async () => {
      onSaved(await hub.patchInbox(key, { ...change, ...(isFilterChanged && { filter: parsed }) }))
      return `Saved: revision ${inbox.revision + 1}`
    })
  return (
    <form
      class="settings"
      onSubmit={(event) => {
        event.preventDefault()
        void save()
      }}
    >
      <fieldset disabled={!mayChange}>
        <label class="tall">
          <span>Filter</span>
          <textarea
            class="mono"
            rows={9}
            value={filterText}
            onInput={(event) => setFilterText(event.currentTarget.value)}
            spellcheck={false}
            aria-invalid={parsed === undefined}
          />
          <small class={parsed ? 'soft' : 'bad-text'}>
            {parsed
              ? 'event_types, sources, subjects, identity, payload; a change holds from where the inbox stands.'
              : 'This is no JSON object yet.'}
          </small>
        </label>
        <TryFilter filter={parsed} />
        <Numbers shown={shown} set={set} />
        <p class="soft small">
          Began at {start}. Revision {inbox.revision}, generation {inbox.generation}.
        </p>
        {mayChange && (
          <button type="submit" class="primary" disabled={!isChanged || parsed === undefined || isBusy}>
            Save settings
          </button>
        )}
      </fieldset>
    </form>
  )
}

type NumbersProps = { readonly shown: Inbox; readonly set: (more: PatchInbox) => void }

/** All but the filter. */
function Numbers({ shown, set }: NumbersProps) {
  return (
    <div class="columns">
      <NumberField
        name="Lease, seconds"
        value={shown.lease_seconds}
        max={3600}
        onChange={(lease_seconds) => set({ lease_seconds })}
      />
      <NumberField
        name="Attempts at most"
        value={shown.max_attempts}
        max={1000}
        onChange={(max_attempts) => set({ max_attempts })}
      />
      <label>
        <span>Order</span>
        <select
          value={shown.ordering}
          onChange={(event) => set({ ordering: event.currentTarget.value as Inbox['ordering'] })}
        >
          <option value="none">none: in parallel</option>
          <option value="key">by subject, one after the other</option>
        </select>
      </label>
      <label>
        <span>After a dead letter</span>
        <select
          value={shown.on_dead}
          onChange={(event) => set({ on_dead: event.currentTarget.value as Inbox['on_dead'] })}
        >
          <option value="continue">go on</option>
          <option value="block">hold back its subject</option>
        </select>
      </label>
      <label>
        <span>Waits between attempts, seconds</span>
        <input
          value={shown.retry.schedule_seconds.join(', ')}
          placeholder="at once"
          onChange={(event) => set({ retry: { schedule_seconds: parseSeconds(event.currentTarget.value) } })}
        />
      </label>
      <label>
        <span>Owner</span>
        <input value={shown.owner ?? ''} onInput={(event) => set({ owner: event.currentTarget.value || null })} />
      </label>
    </div>
  )
}

/** What it holds is for the hub to judge. */
function parseFilter(text: string): Inbox['filter'] | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : undefined
  } catch {
    return undefined
  }
}

const parseSeconds = (text: string): number[] =>
  text
    .split(/[\s,]+/)
    .filter(Boolean)
    .map(Number)

type NumberProps = {
  readonly name: string
  readonly value: number
  readonly max: number
  readonly onChange: (value: number) => void
}

function NumberField({ name, value, max, onChange }: NumberProps) {
  return (
    <label>
      <span>{name}</span>
      <input
        type="number"
        min={1}
        max={max}
        required
        value={value}
        onInput={(event) => onChange(event.currentTarget.valueAsNumber)}
      />
    </label>
  )
}
