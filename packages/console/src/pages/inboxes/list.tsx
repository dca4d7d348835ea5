import type { Inbox } from '@sluice/client/admin'
import { useState } from 'preact/hooks'
import { toHref } from '../../address.ts'
import { usePages } from '../../hooks/use-pages.ts'
import { hub } from '../../hub.ts'
import { useMay } from '../../session.ts'
import { useCommands } from '../../ui/commands.ts'
import { toCount, toSpan } from '../../ui/format.ts'
import { PageHead } from '../../ui/page-head.tsx'
import { Empty } from '../../ui/states.tsx'
import { Table, type Column } from '../../ui/table.tsx'
import { InboxState } from './look.tsx'
import { NewInbox } from './new-inbox.tsx'

const amount = (title: string, of: (inbox: Inbox) => number, isExtra = false): Column<Inbox> => ({
  title,
  width: '84px',
  isNumber: true,
  isExtra,
  cell: (inbox) => <span class={of(inbox) === 0 ? 'faint' : ''}>{toCount(of(inbox))}</span>,
})

const columns: readonly Column<Inbox>[] = [
  { title: 'Inbox', width: 'minmax(140px, 2fr)', cell: ({ key }) => <span class="strong">{key}</span> },
  { title: 'State', width: '104px', cell: (inbox) => <InboxState inbox={inbox} /> },
  {
    title: 'Takes',
    width: 'minmax(120px, 2fr)',
    isExtra: true,
    cell: ({ filter }) => <span class="soft">{filter.event_types?.join(', ') ?? 'all types'}</span>,
  },
  amount('Behind', ({ behind }) => behind, true),
  amount('Waiting', ({ waiting, parked }) => waiting + parked, true),
  amount('Leased', ({ leased }) => leased, true),
  {
    title: 'Dead',
    width: '72px',
    isNumber: true,
    cell: ({ dead }) => <span class={dead === 0 ? 'faint' : 'bad-text'}>{toCount(dead)}</span>,
  },
  {
    title: 'Oldest',
    width: '76px',
    isNumber: true,
    cell: ({ oldest_age_seconds: age }) => (age === null ? <span class="faint">–</span> : toSpan(age)),
  },
]

export function InboxList() {
  const [isMaking, setIsMaking] = useState(false)
  const mayChange = useMay('inbox')
  const pages = usePages('inboxes', async (cursor, signal) => {
    const { inboxes, pagination } = await hub.listInboxes({ cursor, limit: 100 }, { signal })
    return { items: inboxes, pagination }
  })
  useCommands(mayChange ? [{ name: 'New inbox', run: () => setIsMaking(true) }] : [])
  return (
    <>
      <PageHead title="Inboxes">
        <button type="button" class="ghost" onClick={pages.reload}>
          Refresh
        </button>
        {mayChange && (
          <button type="button" class="primary" onClick={() => setIsMaking(true)}>
            New inbox
          </button>
        )}
      </PageHead>
      <Table
        label="Inboxes"
        columns={columns}
        pages={pages}
        keyOf={({ key }) => key}
        hrefOf={({ key }) => toHref(['inboxes', key])}
        empty={<Empty title="No inboxes">An inbox is a durable, filtered view of the log with its own progress.</Empty>}
      />
      {isMaking && <NewInbox onClose={() => setIsMaking(false)} />}
    </>
  )
}
