import type { Key } from '@sluice/client/admin'
import { useState } from 'preact/hooks'
import { useDeed } from '../../hooks/use-deed.ts'
import { usePages } from '../../hooks/use-pages.ts'
import { hub } from '../../hub.ts'
import { useSession } from '../../session.ts'
import { Badge, type Tone } from '../../ui/badge.tsx'
import { Copy } from '../../ui/copy.tsx'
import { useCommands } from '../../ui/commands.ts'
import { ask } from '../../ui/dialog.tsx'
import { Menu } from '../../ui/menu.tsx'
import { PageHead } from '../../ui/page-head.tsx'
import { Empty } from '../../ui/states.tsx'
import { Table, type Column } from '../../ui/table.tsx'
import { Time } from '../../ui/time.tsx'
import { NewKey, ShownOnce } from './new-key.tsx'

const tones: Record<Key['status'], Tone> = { active: 'good', inactive: 'off', revoked: 'bad' }

const toState = ({ status, expires_at: end }: Key): { tone: Tone; word: string } =>
  status === 'active' && end !== null && Date.parse(end) <= Date.now()
    ? { tone: 'off', word: 'expired' }
    : { tone: tones[status], word: status }

export function Page() {
  const [isMaking, setIsMaking] = useState(false)
  const [secret, setSecret] = useState<string>()
  const pages = usePages('keys', async (cursor, signal) => {
    const { keys, pagination } = await hub.listKeys({ cursor, limit: 100 }, { signal })
    return { items: keys, pagination }
  })
  useCommands([{ name: 'New key', run: () => setIsMaking(true) }])
  const columns: readonly Column<Key>[] = [
    {
      title: 'Key',
      width: '184px',
      cell: ({ key_id: id }) => (
        <Copy text={id} what="key id">
          {id}
        </Copy>
      ),
    },
    { title: 'Whose', width: 'minmax(110px, 2fr)', cell: ({ user_id: user, user_email: email }) => email ?? user },
    { title: 'Role', width: '84px', isExtra: true, cell: ({ role }) => role },
    {
      title: 'State',
      width: '92px',
      isExtra: true,
      cell: (key) => <Badge tone={toState(key).tone}>{toState(key).word}</Badge>,
    },
    {
      title: 'Publishes',
      width: 'minmax(90px, 1fr)',
      isExtra: true,
      cell: ({ allowed_event_types: types }) => <span class="soft">{types?.join(', ') ?? 'all types'}</span>,
    },
    {
      title: 'Used',
      width: '84px',
      isNumber: true,
      isExtra: true,
      cell: ({ last_used_at: at }) => (at ? <Time at={at} /> : <span class="faint">never</span>),
    },
    {
      title: '',
      width: '56px',
      isNumber: true,
      cell: (key) => <Actions of={key} onSecret={setSecret} onChange={pages.reload} />,
    },
  ]
  return (
    <>
      <PageHead title="Keys">
        <button type="button" class="primary" onClick={() => setIsMaking(true)}>
          New key
        </button>
      </PageHead>
      <Table
        label="Keys"
        columns={columns}
        pages={pages}
        keyOf={({ key_id: id }) => id}
        empty={<Empty title="No keys">Programs and people show a key with each request.</Empty>}
      />
      {isMaking && (
        <NewKey
          onClose={() => setIsMaking(false)}
          onMade={({ api_key: made }) => {
            setIsMaking(false)
            setSecret(made)
            pages.reload()
          }}
        />
      )}
      {secret !== undefined && <ShownOnce secret={secret} onClose={() => setSecret(undefined)} />}
    </>
  )
}

type ActionsProps = { readonly of: Key; readonly onSecret: (secret: string) => void; readonly onChange: () => void }

function Actions({ of, onSecret, onChange }: ActionsProps) {
  const { key_id: id, user_id: user, status } = of
  const { run } = useDeed()
  const isOwn = useSession().key_id === id
  if (status === 'revoked') return null
  const change = async (deed: () => Promise<string | undefined>): Promise<void> => {
    if (await run(deed)) onChange()
  }
  const rotate = async (): Promise<void> => {
    const text = `The secret of now ends at once${isOwn ? ', and with it this session' : ''}; whoever uses it needs the new one.`
    if (!(await ask({ title: `Rotate the key of ${user}?`, text, verb: 'Rotate key' }))) return
    await change(async () => {
      const { api_key: made } = await hub.rotateKey(id)
      if (made !== undefined) onSecret(made)
      return undefined
    })
  }
  const revoke = async (): Promise<void> => {
    const text = `It lets nobody in from then on, for good${isOwn ? ', you included: you are signed in with it' : ''}.`
    if (!(await ask({ title: `Revoke the key of ${user}?`, text, verb: 'Revoke key', name: id, isDangerous: true })))
      return
    await change(async () => {
      await hub.revokeKey(id)
      return `The key of ${user} is revoked`
    })
  }
  const toggle = status === 'active' ? 'inactive' : 'active'
  return (
    <Menu
      label="…"
      name={`Actions on the key of ${user}`}
      isQuiet
      entries={[
        {
          name: status === 'active' ? 'Deactivate' : 'Activate',
          run: () =>
            void change(async () => {
              await hub.patchKey(id, { status: toggle })
              return `The key of ${user} is ${toggle}`
            }),
        },
        { name: 'Rotate…', run: () => void rotate() },
        { name: 'Revoke…', isDangerous: true, run: () => void revoke() },
      ]}
    />
  )
}
