import type { Connection } from '@sluice/client/admin'
import { useState } from 'preact/hooks'
import { change, useAddress } from '../../address.ts'
import { useDeed } from '../../hooks/use-deed.ts'
import { useLoad } from '../../hooks/use-load.ts'
import { usePages } from '../../hooks/use-pages.ts'
import { hub } from '../../hub.ts'
import { Badge } from '../../ui/badge.tsx'
import { ask, Dialog } from '../../ui/dialog.tsx'
import { Menu } from '../../ui/menu.tsx'
import { PageHead } from '../../ui/page-head.tsx'
import { SchemaForm } from '../../ui/schema-form.tsx'
import { Empty } from '../../ui/states.tsx'
import { Table, type Column } from '../../ui/table.tsx'
import { Time } from '../../ui/time.tsx'

const toAccount = ({ account }: Connection): string => account?.email ?? account?.username ?? account?.user_id ?? '–'

export function Page() {
  const { query } = useAddress()
  const { run } = useDeed()
  const pages = usePages('connections', async (cursor, signal) => {
    const { connections, pagination } = await hub.listConnections({ cursor, limit: 100 }, { signal })
    return { items: connections, pagination }
  })
  const remove = async (key: string): Promise<void> => {
    const text = 'Its credentials go for good; what uses it fails from then on.'
    if (!(await ask({ title: `Remove ${key}?`, text, verb: `Remove ${key}`, name: key, isDangerous: true }))) return
    const isGone = await run(async () => {
      await hub.deleteConnection(key)
      return `Connection ${key} is gone`
    })
    if (isGone) pages.reload()
  }
  const columns: readonly Column<Connection>[] = [
    { title: 'Connection', width: 'minmax(120px, 1fr)', cell: ({ key }) => <span class="strong">{key}</span> },
    { title: 'Integration', width: 'minmax(90px, 1fr)', cell: ({ integration }) => integration },
    {
      title: 'Account',
      width: 'minmax(120px, 2fr)',
      isExtra: true,
      cell: (one) => (one.account_error ? <Badge tone="bad">{one.account_error}</Badge> : toAccount(one)),
    },
    {
      title: 'For',
      width: '92px',
      isExtra: true,
      cell: ({ grant, user_id: user }) => (grant === 'workspace' ? 'everybody' : user),
    },
    { title: 'Changed', width: '84px', isNumber: true, isExtra: true, cell: ({ updated_at: at }) => <Time at={at} /> },
    {
      title: '',
      width: '56px',
      isNumber: true,
      cell: ({ key }) => (
        <Menu
          label="…"
          name={`Actions on ${key}`}
          isQuiet
          entries={[{ name: 'Remove…', isDangerous: true, run: () => void remove(key) }]}
        />
      ),
    },
  ]
  return (
    <>
      <PageHead title="Connections">
        <button type="button" class="primary" onClick={() => change({ new: '-' })}>
          New connection
        </button>
      </PageHead>
      <Table
        label="Connections"
        columns={columns}
        pages={pages}
        keyOf={({ key }) => key}
        empty={
          <Empty title="No connections">
            A connection holds somebody's credentials at an outside service, sealed; no page and no route shows them.
          </Empty>
        }
      />
      {query['new'] && (
        <NewConnection
          integration={query['new']}
          onClose={() => change({ new: undefined })}
          onMade={() => {
            change({ new: undefined })
            pages.reload()
          }}
        />
      )}
    </>
  )
}

type NewProps = { readonly integration: string; readonly onClose: () => void; readonly onMade: () => void }

/** For services whose credentials are typed; others are connected by their own page. */
function NewConnection({ integration, onClose, onMade }: NewProps) {
  const found = useLoad('integrations', (signal) => hub.listIntegrations({ limit: 200 }, { signal }))
  const choices = found.value?.integrations.filter(({ auth }) => auth) ?? []
  const [chosen, setChosen] = useState(integration)
  const [key, setKey] = useState('')
  const [credentials, setCredentials] = useState<Record<string, unknown>>({})
  const { isBusy, run } = useDeed()
  const of = choices.find(({ name }) => name === chosen) ?? choices[0]
  const make = async (): Promise<void> => {
    const isMade = await run(async () => {
      await hub.putConnection(key, { integration: of?.name ?? '', credentials })
      return `Connection ${key} is there`
    })
    if (isMade) onMade()
  }
  return (
    <Dialog title="New connection" onClose={onClose}>
      <form
        onSubmit={(event) => {
          event.preventDefault()
          void make()
        }}
      >
        <label>
          <span>Integration</span>
          <select value={of?.name ?? ''} onChange={(event) => setChosen(event.currentTarget.value)}>
            {choices.map(({ name, display_name: title }) => (
              <option key={name} value={name}>
                {title}
              </option>
            ))}
          </select>
        </label>
        <label>
          <span>Name</span>
          <input
            required
            pattern="[a-z0-9][a-z0-9._\-]{0,99}"
            placeholder="support-desk"
            spellcheck={false}
            value={key}
            onInput={(event) => setKey(event.currentTarget.value)}
          />
        </label>
        {of?.auth?.fields ? (
          <SchemaForm key={of.name} schema={of.auth.fields} value={credentials} onChange={setCredentials} />
        ) : (
          <p class="soft">
            {of
              ? `${of.display_name} is connected at its own page: sluice connections connect.`
              : 'No integration of this hub needs one.'}
          </p>
        )}
        <div class="actions">
          <button type="button" onClick={onClose}>
            Cancel
          </button>
          <button type="submit" class="primary" disabled={isBusy || !of?.auth?.fields}>
            Make connection
          </button>
        </div>
      </form>
    </Dialog>
  )
}
